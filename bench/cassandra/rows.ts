import {createWriteStream} from 'node:fs'
import {finished} from 'node:stream/promises'
import {encodeRecord} from '../../src/lib/core/codec.ts'
import type {Trade} from '../../src/lib/core/records.ts'

const HOUR_US = 3_600_000_000
const EXCHANGE = 'upbit'
/** Rows between two visits of the same market, in microseconds of event time. */
const STEP_US = 50
const LINES_PER_CHUNK = 5000

/** Which market the trade of an index is of; markets count from 0. */
export type Spread = (index: number) => number

/** Every market in turn: whatever takes runs of `markets × 100` rows makes full batches of 100 of them. */
export function evenly(markets: number): Spread {
  return (index) => index % markets
}

/** Market k gets a share of 1/(k + 1), by a random sequence that is the same in every run. */
export function zipf(markets: number): Spread {
  const shares = Array.from({length: markets}, (_, market) => 1 / (market + 1))
  const total = shares.reduce((sum, share) => sum + share, 0)
  let sum = 0
  const ends = shares.map((share) => {
    sum += share / total
    return sum
  })
  return (index) => Math.max(0, lowerBound(ends, spread(index)))
}

export interface TradeOptions {
  readonly exchange?: string
  readonly spread: Spread
  /** Event time of the first; default: the start of this hour. */
  readonly fromUs?: number
}

/** Trades as Upbit's come, all within a few seconds of one hour. */
export function trade(index: number, {exchange = EXCHANGE, spread, fromUs = hourStart()}: TradeOptions): Trade {
  const market = spread(index)
  const symbol = `M${String(market).padStart(3, '0')}-KRW`
  const tradeId = `17${String(index).padStart(15, '0')}`
  const eventTime = fromUs + index * STEP_US
  return {
    type: 'trade',
    id: `trade:${exchange}:${symbol}:${tradeId}`,
    eventTime,
    receivedTime: eventTime + 2100,
    exchange,
    symbol,
    price:
      market % 2 === 0 ? String(143_210_000 + (index % 1000) * 1000) : (1234.56 + (index % 1000) / 100).toFixed(2).replace(/\.?0+$/, ''),
    size: `0.${String(123_456 + (index % 876_543)).padStart(8, '0')}`.replace(/0+$/, ''),
    side: index % 3 === 0 ? 'sell' : 'buy',
    tradeId,
  }
}

export function hourStart(nowMs = Date.now()): number {
  return Math.floor((nowMs * 1000) / HOUR_US) * HOUR_US
}

/** One record a line, as on the bus. */
export async function writeTrades(file: string, count: number, options: TradeOptions): Promise<void> {
  const out = createWriteStream(file)
  const fixed = {...options, fromUs: options.fromUs ?? hourStart()}
  for (let from = 0; from < count; from += LINES_PER_CHUNK) {
    const lines = Array.from(
      {length: Math.min(LINES_PER_CHUNK, count - from)},
      (_, index) => `${encodeRecord(trade(from + index, fixed))}\n`,
    )
    if (!out.write(lines.join(''))) await new Promise((resolve) => out.once('drain', resolve))
  }
  out.end()
  await finished(out)
}

/** A number from 0 to 1 that looks random, of an index: the finalizer of MurmurHash3. */
function spread(index: number): number {
  let hash = index + 1
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return ((hash ^ (hash >>> 16)) >>> 0) / 2 ** 32
}

function lowerBound(ends: readonly number[], value: number): number {
  let [low, high] = [0, ends.length - 1]
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((ends[middle] as number) < value) low = middle + 1
    else high = middle
  }
  return low
}
