import {readdir} from 'node:fs/promises'
import {join} from 'node:path'
import {expect, it} from 'vitest'
import {systemClock} from '../../src/lib/core/clock.ts'
import type {Trade} from '../../src/lib/core/records.ts'
import {cassandraUnderTest, openSession, tablesForFile, tablesForTest} from '../helpers/cassandra.ts'
import {openSink, writeRecords} from '../helpers/cassandra-sink.ts'
import {trade} from '../helpers/market-records.ts'
import {storedTradeIds} from '../helpers/trade-rows.ts'
import {until} from '../helpers/until.ts'

const TTL_SECONDS = 20
const GC_GRACE_SECONDS = 5
const ROWS = 500

const {own} = cassandraUnderTest()

function tradesNow(prefix: string, count: number): Trade[] {
  const eventTime = systemClock.nowUs()
  return Array.from({length: count}, (_, at) => trade(`${prefix}${at}`, {eventTime: eventTime + at}))
}

const users = tablesForFile()

it('keeps deleted rows of the tables that users get for three hours, as long as hints', async () => {
  const session = await openSession()
  const rows = await session.query('SELECT table_name, gc_grace_seconds FROM system_schema.tables WHERE keyspace_name = ?', [users()])
  expect(rows.length).toBeGreaterThan(10)
  expect(rows.filter((row) => row.get('gc_grace_seconds') !== 10_800).map((row) => row.get('table_name'))).toEqual([])
})

it.skipIf(own === null)(
  'rows go with their TTL, and their SSTables are then dropped whole (on a node that the tests started)',
  async () => {
    const tables = {ttlSeconds: TTL_SECONDS, gcGraceSeconds: GC_GRACE_SECONDS, windowMinutes: 1}
    const keyspace = await tablesForTest(tables)
    const session = await openSession({keyspace})
    // As users have it but for how soon: to disk every second, and a look for expired SSTables at every flush.
    const [table] = await session.query(
      "SELECT compaction FROM system_schema.tables WHERE keyspace_name = ? AND table_name = 'trade_by_symbol'",
      [keyspace],
    )
    const compaction: Record<string, string> = {
      ...table?.get('compaction'),
      min_threshold: '32',
      expired_sstable_check_frequency_seconds: '1',
    }
    const options = Object.entries(compaction).map(([name, value]) => `'${name}': '${value}'`)
    await session.change(
      `ALTER TABLE ${keyspace}.trade_by_symbol WITH memtable_flush_period_in_ms = 1000 AND compaction = {${options.join(', ')}}`,
    )
    const sink = await openSink(keyspace, tables)

    expect(await writeRecords(sink, tradesNow('first-', ROWS))).toEqual([])
    const writtenMs = performance.now()
    expect(await storedTradeIds(session, keyspace)).toHaveLength(ROWS)
    const first = await until('the rows to be on disk', async () => nonEmpty(await dataFiles(keyspace)), 20_000)

    await until('the rows to be gone', async () => (await storedTradeIds(session, keyspace)).length === 0, 40_000)
    expect(performance.now() - writtenMs).toBeGreaterThan((TTL_SECONDS - 1) * 1000)
    expect(await dataFiles(keyspace)).toEqual(expect.arrayContaining([...first]))

    await systemClock.sleep(Math.max(0, writtenMs + (TTL_SECONDS + GC_GRACE_SECONDS + 1) * 1000 - performance.now()))
    // A flush is when Cassandra looks.
    expect(await writeRecords(sink, tradesNow('second-', 1))).toEqual([])
    await until('the SSTables to be gone', async () => (await dataFiles(keyspace)).every((file) => !first.includes(file)), 30_000)
    expect(await storedTradeIds(session, keyspace)).toHaveLength(1)
    const compactions = await session.query(
      'SELECT keyspace_name, columnfamily_name, bytes_out, rows_merged FROM system.compaction_history',
    )
    const ours = compactions.filter((row) => row.get('keyspace_name') === keyspace && row.get('columnfamily_name') === 'trade_by_symbol')
    expect(ours.map((row) => ({written: Number(row.get('bytes_out')), merged: row.get('rows_merged')}))).toEqual([
      {written: 0, merged: null},
    ])
  },
  120_000,
)

/** Names of the SSTables of `trade_by_symbol`. */
async function dataFiles(keyspace: string): Promise<string[]> {
  if (own === null) throw new Error('the data of this node is not here')
  const files = await readdir(join(own.dataDir, 'clusters', own.name, 'cassandra-1'), {recursive: true})
  return files.filter((file) => file.includes(`/${keyspace}/trade_by_symbol-`) && file.endsWith('-Data.db'))
}

function nonEmpty<T>(list: readonly T[]): readonly T[] | null {
  return list.length > 0 ? list : null
}
