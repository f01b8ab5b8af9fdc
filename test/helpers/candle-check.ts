import {expect} from 'vitest'
import {decodeRecord} from '../../src/lib/core/codec.ts'
import type {Candle} from '../../src/lib/core/records.ts'
import {TOPICS} from '../../src/lib/core/topics.ts'
import {tradesInLog} from '../../src/lib/pipeline/census.ts'
import type {System} from '../../src/lib/pipeline/system.ts'
import {messagesOf} from './pipeline.ts'
import {type Recount, recountCandles} from './recount-candles.ts'

/** All candle records on the log, every version. */
export async function candlesOf(system: System): Promise<Candle[]> {
  const messages = await messagesOf(system, TOPICS.candle)
  return messages.map(({value}) => decodeRecord(value ?? '')).filter((record) => record.type === 'candle')
}

/** The highest version of each candle on the log equals an independent recount of the trades on the log, and no version was published twice. */
export async function expectExactlyOnce(system: System): Promise<Candle[]> {
  const published = await candlesOf(system)
  const copies = Map.groupBy(published, ({id, version}) => `${id} ${version}`)
  expect([...copies.values()].filter(({length}) => length > 1)).toEqual([])
  const last = new Map<string, Candle>()
  for (const candle of published) if (candle.version > (last.get(candle.id)?.version ?? -1)) last.set(candle.id, candle)
  const expected = recountCandles(await Array.fromAsync(tradesInLog(system.bus)))
  expect(last.size).toBe(expected.size)
  const wrong = [...expected].filter(([id, recount]) => JSON.stringify(recount) !== JSON.stringify(summary(last.get(id))))
  expect(wrong.map(([id, recount]) => ({id, recount, published: last.get(id)}))).toEqual([])
  return published
}

function summary(candle: Candle | undefined): Recount | undefined {
  if (!candle) return undefined
  const {open, high, low, close, volumeBase, volumeQuote, trades} = candle
  return {open, high, low, close, volumeBase, volumeQuote, trades}
}
