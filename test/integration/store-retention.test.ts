import {join} from 'node:path'
import {DatabaseSync} from 'node:sqlite'
import {describe, expect, it} from 'vitest'
import type {CoinRecord} from '../../src/lib/core/records.ts'
import type {StoreRetention} from '../../src/lib/store/embedded/batch.ts'
import {encodeBatch} from '../../src/lib/store/embedded/encode.ts'
import {DEFAULT_RETENTION} from '../../src/lib/store/embedded/sink.ts'
import {StoreWriter} from '../../src/lib/store/embedded/writer.ts'
import {candle, gap, sinkItems, T0, trade} from '../helpers/market-records.ts'
import {tempDir} from '../helpers/temp-dir.ts'

const HOUR_MS = 3_600_000

interface World {
  readonly writer: StoreWriter
  write(records: readonly CoinRecord[]): void
  /** Deletes until nothing is left to delete; how many rows that were. */
  retain(nowMs: number): number
  column(sql: string): unknown[]
}

async function open(limits: Partial<StoreRetention>): Promise<World> {
  const path = join(await tempDir(), 'store.sqlite')
  const writer = new StoreWriter(path, 1000, {...DEFAULT_RETENTION, ...limits})
  const database = new DatabaseSync(path, {readOnly: true})
  return {
    writer,
    write: (records) => {
      writer.write(encodeBatch({group: 'g', items: sinkItems(records), next: []}).batch)
    },
    retain: (nowMs) => {
      let total = 0
      for (let more = true; more; ) {
        const step = writer.retain(nowMs)
        total += step.deleted
        more = step.more
      }
      return total
    },
    column: (sql) =>
      database
        .prepare(sql)
        .all()
        .map((row) => Object.values(row)[0]),
  }
}

const tradesOf = (from: number, to: number) =>
  Array.from({length: to - from}, (_, i) => trade(String(from + i), {eventTime: T0 + from + i}))

describe('retention of the store', () => {
  it('deletes trades by when they were stored, whatever their event time', async () => {
    const {write, retain, column} = await open({tradesMs: HOUR_MS})
    write(tradesOf(0, 5000))
    retain(0)
    write(tradesOf(5000, 5010))
    expect(retain(HOUR_MS / 2)).toBe(0)
    expect(retain(HOUR_MS * 1.2)).toBe(5000)
    expect(column('SELECT count(*) FROM trades')).toEqual([10])
  })

  it('keeps the last trade, so that cursors never start again', async () => {
    const {write, retain, column} = await open({tradesMs: HOUR_MS})
    write(tradesOf(0, 10))
    retain(0)
    expect(retain(HOUR_MS * 9)).toBe(9)
    write(tradesOf(10, 11))
    expect(retain(HOUR_MS * 9)).toBe(1)
    expect(column('SELECT seq FROM trades')).toEqual([11])
  })

  it('bounds the number of trades', async () => {
    const {write, retain, column} = await open({maxTrades: 100})
    write(tradesOf(0, 3000))
    expect(retain(0)).toBe(2900)
    expect(column('SELECT min(seq) FROM trades')).toEqual([2901])
  })

  it('deletes candles that lie far enough before the newest one of their kind', async () => {
    const {write, retain, column} = await open({candlesMs: {'1m': 120_000}})
    const minutes = [0, 1, 2, 3].map((minute) => T0 + minute * 60_000_000)
    write(
      minutes.flatMap((start) => [
        candle(start, 1),
        candle(start, 1, {origin: 'exchange'}),
        candle(start, 1, {interval: '1h'}),
        candle(start - 600_000_000, 1, {symbol: 'ETH-KRW'}),
      ]),
    )
    expect(retain(0)).toBe(3)
    expect(column("SELECT count(*) FROM candles WHERE interval = '1m'")).toEqual([9])
  })

  it('deletes gaps that were last reported long ago', async () => {
    const {write, retain, column} = await open({gapsMs: HOUR_MS})
    write([gap(T0), gap(T0 + 1, {receivedTime: T0 + HOUR_MS * 1000})])
    expect(retain(T0 / 1000 + HOUR_MS + 1)).toBe(1)
    expect(column('SELECT from_us FROM gaps')).toEqual([T0 + 1])
  })

  it('gives room back to the disk', async () => {
    const {writer, write, retain, column} = await open({tradesMs: HOUR_MS})
    for (let from = 0; from < 60_000; from += 10_000) write(tradesOf(from, from + 10_000))
    retain(0)
    write(tradesOf(60_000, 60_001))
    const [before] = column('PRAGMA page_count')
    retain(HOUR_MS * 1.2)
    for (let i = 0; i < 20; i++) writer.shrink()
    expect(Number(column('PRAGMA page_count')[0])).toBeLessThan(Number(before) / 2)
  })
})

describe('gaps in the store', () => {
  it('are replaced by their later state, and not by an earlier one', async () => {
    const {write, column} = await open({})
    write([gap(T0, {receivedTime: 2, state: 'filled', filled: 7, to: T0 + 5})])
    write([gap(T0, {receivedTime: 1})])
    expect(column("SELECT state || ' ' || filled FROM gaps")).toEqual(['filled 7'])
  })
})
