import {expect, it} from 'vitest'
import {systemClock} from '../../src/lib/core/clock.ts'
import type {Lifecycle} from '../../src/lib/core/records.ts'
import {openSession, tablesForTest} from '../helpers/cassandra.ts'
import {openSink, writeRecords} from '../helpers/cassandra-sink.ts'

/** Half a segment of the commit log, 32 MiB, is what Cassandra takes at once. */
const MIB = 1024 * 1024

function lifecycle(id: string, bytes: number): Lifecycle {
  const eventTime = systemClock.nowUs()
  return {
    type: 'lifecycle',
    id: `lifecycle:${id}`,
    eventTime,
    receivedTime: eventTime,
    component: 'test',
    event: 'progress',
    message: 'x'.repeat(bytes),
  } as Lifecycle
}

it('splits what is too large for one request, and refuses what is too large for Cassandra', async () => {
  const keyspace = await tablesForTest()
  const sink = await openSink(keyspace, {}, {batchRows: 100})
  const rows = Array.from({length: 40}, (_, at) => lifecycle(`${at}`, MIB))
  expect(await writeRecords(sink, [...rows, lifecycle('giant', 40 * MIB)])).toEqual(['COINPIPE_CASSANDRA_RECORD'])
  expect(await writeRecords(sink, rows)).toEqual([])
  const session = await openSession({keyspace})
  const [count] = await session.query(`SELECT count(*) AS n FROM ${keyspace}.lifecycle_by_component`, [], {requestTimeoutMs: 20_000})
  expect(Number(count?.get('n'))).toBe(rows.length)
})
