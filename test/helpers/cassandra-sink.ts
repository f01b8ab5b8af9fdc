import {onTestFinished} from 'vitest'
import type {Sink} from '../../src/lib/core/ports/sink.ts'
import type {CoinRecord} from '../../src/lib/core/records.ts'
import {type TableOptions, WRITE_DEFAULTS, type WriteOptions} from '../../src/lib/store/cassandra/options.ts'
import {createCassandraSink} from '../../src/lib/store/cassandra/sink.ts'
import {cassandraOptions, tableOptions} from './cassandra.ts'
import {testContext} from './context.ts'
import {sinkItems} from './market-records.ts'

/** A connected sink that is closed when the test is over. */
export async function openSink(keyspace: string, tables: Partial<TableOptions> = {}, write: Partial<WriteOptions> = {}): Promise<Sink> {
  const sink = createCassandraSink(cassandraOptions({keyspace}), tableOptions(tables), {...WRITE_DEFAULTS, ...write}, testContext())
  onTestFinished(() => sink.close())
  await sink.connect()
  return sink
}

/** Writes records that came onto the bus just now; resolves with the codes of those that were refused. */
export async function writeRecords(sink: Sink, records: readonly CoinRecord[]): Promise<string[]> {
  const {refused} = await sink.write({group: 'test', items: sinkItems(records), next: []})
  return refused.map(({code}) => code)
}
