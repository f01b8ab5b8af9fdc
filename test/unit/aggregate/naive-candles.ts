import type {Candle, CandleInterval, Trade} from '../../../src/lib/core/records.ts'

const LENGTHS: Record<CandleInterval, number> = {'1s': 1, '1m': 60, '5m': 300, '15m': 900, '1h': 3600, '4h': 14_400, '1d': 86_400}

/** Closed candles of all intervals, counted in the plainest way: group, sort, add up. For prices of 2 and sizes of 3 decimals at most. */
export function naiveCandles(trades: readonly Trade[]): Candle[] {
  const candles: Candle[] = []
  for (const [interval, seconds] of Object.entries(LENGTHS) as [CandleInterval, number][]) {
    const groups = Map.groupBy(trades, (trade) => {
      const startTime = Math.floor(trade.eventTime / (seconds * 1e6)) * seconds * 1e6
      return JSON.stringify([trade.exchange, trade.symbol, startTime])
    })
    for (const [key, group] of groups) {
      const [exchange, symbol, startTime] = JSON.parse(key) as [string, string, number]
      candles.push(naiveCandle(exchange, symbol, interval, startTime, group))
    }
  }
  return candles.sort((a, b) => (a.id < b.id ? -1 : 1))
}

function naiveCandle(exchange: string, symbol: string, interval: CandleInterval, startTime: number, group: readonly Trade[]): Candle {
  const sorted = [...group].sort(
    (a, b) =>
      a.eventTime - b.eventTime || Number(a.sequence ?? a.tradeId) - Number(b.sequence ?? b.tradeId) || (a.tradeId < b.tradeId ? -1 : 1),
  )
  const byPrice = [...group].sort((a, b) => Number(a.price) - Number(b.price))
  const cents = (trade: Trade) => BigInt(Math.round(Number(trade.price) * 100))
  const mills = (trade: Trade) => BigInt(Math.round(Number(trade.size) * 1000))
  const sum = (values: bigint[]) => values.reduce((total, value) => total + value, 0n)
  return {
    type: 'candle',
    id: `candle:${exchange}:${symbol}:${interval}:${startTime}`,
    eventTime: startTime,
    receivedTime: Math.max(...group.map(({receivedTime}) => receivedTime)),
    exchange,
    symbol,
    interval,
    startTime,
    open: sorted[0]?.price ?? '',
    high: byPrice.at(-1)?.price ?? '',
    low: byPrice[0]?.price ?? '',
    close: sorted.at(-1)?.price ?? '',
    volumeBase: text(sum(group.map(mills)), 3),
    volumeQuote: text(sum(group.map((trade) => cents(trade) * mills(trade))), 5),
    trades: group.length,
    closed: true,
    version: 2 * group.length + 1,
    origin: 'ours',
  }
}

function text(value: bigint, decimals: number): string {
  const digits = value.toString().padStart(decimals + 1, '0')
  const fraction = digits.slice(-decimals).replace(/0+$/, '')
  return digits.slice(0, -decimals) + (fraction === '' ? '' : `.${fraction}`)
}
