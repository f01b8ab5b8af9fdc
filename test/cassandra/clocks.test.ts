import {spawn} from 'node:child_process'
import {once} from 'node:events'
import {fileURLToPath} from 'node:url'
import {expect, it} from 'vitest'
import type {Ticker} from '../../src/lib/core/records.ts'
import {cassandraUnderTest, openSession, tablesForFile} from '../helpers/cassandra.ts'
import {T0, ticker} from '../helpers/market-records.ts'

const WRITER = fileURLToPath(new URL('../helpers/ticker-writer-process.ts', import.meta.url))
const HOUR_MS = 3_600_000

const keyspace = tablesForFile()

/** Writes from a process of its own, whose clock is off. */
async function write(keyspace: string, offMs: number, record: Ticker): Promise<number | null> {
  const [host = ''] = cassandraUnderTest().hosts
  const child = spawn(process.execPath, [WRITER, host, keyspace, String(offMs), JSON.stringify(record)], {stdio: 'inherit'})
  const [code] = await once(child, 'exit')
  return code
}

it.each([
  ['ahead', HOUR_MS, 'BTC-KRW'],
  ['behind', -HOUR_MS, 'ETH-KRW'],
])('a ticker of t=10 stays when another process, its clock %s, writes one of t=5 after it', async (_, offMs, symbol) => {
  const newer = ticker(T0 + 10, {symbol, last: '10', volumeBase24h: null})
  const older = ticker(T0 + 5, {symbol, last: '5', volumeBase24h: '5'})
  expect(await write(keyspace(), 0, newer)).toBe(0)
  expect(await write(keyspace(), offMs, older)).toBe(0)
  const session = await openSession()
  const query = `SELECT event_us, last, volume_base_24h FROM ${keyspace()}.ticker_by_symbol WHERE exchange = ? AND symbol = ?`
  const rows = await session.query(query, ['upbit', symbol])
  expect(rows.map((row) => [Number(row.get('event_us')), String(row.get('last')), row.get('volume_base_24h')])).toEqual([
    [T0 + 10, '10', null],
  ])
})
