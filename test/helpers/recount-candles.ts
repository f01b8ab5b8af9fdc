import {CANDLE_INTERVALS, type Candle, type CandleInterval, type Trade} from '../../src/lib/core/records.ts'

const SECONDS: Readonly<Record<CandleInterval, number>> = {'1s': 1, '1m': 60, '5m': 300, '15m': 900, '1h': 3600, '4h': 14_400, '1d': 86_400}
const DECIMALS = 18

/** What a recount can tell of a candle, whenever and in how many versions that was published. */
export type Recount = Pick<Candle, 'open' | 'high' | 'low' | 'close' | 'volumeBase' | 'volumeQuote' | 'trades'>

/** Every candle of the trades by its id, counted in the plainest way: each trade once by its id; group, sort, add up in BigInt. */
export function recountCandles(trades: Iterable<Trade>): Map<string, Recount> {
  const unique = new Map(Array.from(trades, (trade) => [trade.id, trade]))
  const groups = Map.groupBy(
    [...unique.values()].flatMap((trade) => CANDLE_INTERVALS.map((interval) => ({trade, id: candleId(trade, interval)}))),
    ({id}) => id,
  )
  return new Map([...groups].map(([id, members]) => [id, recount(members.map(({trade}) => trade))]))
}

function candleId({exchange, symbol, eventTime}: Trade, interval: CandleInterval): string {
  const lengthUs = SECONDS[interval] * 1_000_000
  return `candle:${exchange}:${symbol}:${interval}:${Math.floor(eventTime / lengthUs) * lengthUs}`
}

function recount(trades: readonly Trade[]): Recount {
  const sorted = trades.toSorted((a, b) => a.eventTime - b.eventTime || compare(BigInt(a.tradeId), BigInt(b.tradeId)))
  const byPrice = trades.toSorted((a, b) => compare(scaled(a.price), scaled(b.price)))
  const sum = (values: readonly bigint[]) => values.reduce((total, value) => total + value, 0n)
  return {
    open: sorted[0]?.price ?? '',
    high: byPrice.at(-1)?.price ?? '',
    low: byPrice[0]?.price ?? '',
    close: sorted.at(-1)?.price ?? '',
    volumeBase: text(sum(trades.map(({size}) => scaled(size))), DECIMALS),
    volumeQuote: text(sum(trades.map(({price, size}) => scaled(price) * scaled(size))), 2 * DECIMALS),
    trades: trades.length,
  }
}

function compare(a: bigint, b: bigint): number {
  return a < b ? -1 : a > b ? 1 : 0
}

function scaled(decimal: string): bigint {
  const [whole = '', fraction = ''] = decimal.split('.')
  return BigInt(whole + fraction.padEnd(DECIMALS, '0'))
}

function text(value: bigint, decimals: number): string {
  const digits = value.toString().padStart(decimals + 1, '0')
  return `${digits.slice(0, -decimals)}.${digits.slice(-decimals)}`.replace(/\.?0+$/, '')
}
