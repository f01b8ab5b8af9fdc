import {onTestFinished} from 'vitest'
import type {MarketReader} from '../../src/lib/core/ports/market-reader.ts'
import type {CoinRecord} from '../../src/lib/core/records.ts'
import type {CassandraOptions, ReadOptions, TableOptions} from '../../src/lib/store/cassandra/options.ts'
import {openCassandraReader} from '../../src/lib/store/cassandra/reader.ts'
import {cassandraOptions, openSession, tableOptions} from './cassandra.ts'
import {openSink, writeRecords} from './cassandra-sink.ts'
import {testContext} from './context.ts'

/** Tables that hold what a market reader asks for. */
const MARKET_TABLES = [
  'trade_by_symbol',
  'book_by_symbol',
  'ticker_by_symbol',
  'candle_by_symbol',
  'market',
  'trade_bucket_by_symbol',
  'candle_bucket_by_symbol',
] as const

/** It writes what is in memory to disk first. */
const TRUNCATE_MS = 30_000

/** Takes all rows away: faster than a keyspace for each test. */
export async function emptyTables(keyspace: string): Promise<void> {
  const session = await openSession({keyspace})
  for (const table of MARKET_TABLES) await session.query(`TRUNCATE ${keyspace}.${table}`, [], {requestTimeoutMs: TRUNCATE_MS})
}

/** A function that writes records as the sink does. */
export async function recordWriter(
  keyspace: string,
  tables: Partial<TableOptions> = {},
): Promise<(records: readonly CoinRecord[]) => Promise<void>> {
  const sink = await openSink(keyspace, tables)
  return async (records) => {
    const refused = await writeRecords(sink, records)
    if (refused.length > 0) throw new Error(`refused: ${refused}`)
  }
}

export interface ReaderSetup {
  readonly connection?: Partial<CassandraOptions>
  readonly tables?: Partial<TableOptions>
  readonly read?: Partial<ReadOptions>
}

/** A reader that is closed when the test is over. */
export function cassandraReader(keyspace: string, {connection = {}, tables = {}, read = {}}: ReaderSetup = {}): MarketReader {
  const reader = openCassandraReader(cassandraOptions({keyspace, ...connection}), tableOptions(tables), testContext(), read)
  onTestFinished(() => reader.close())
  return reader
}

export async function connectedReader(keyspace: string, setup: ReaderSetup = {}): Promise<MarketReader> {
  const reader = cassandraReader(keyspace, setup)
  await reader.connect()
  return reader
}
