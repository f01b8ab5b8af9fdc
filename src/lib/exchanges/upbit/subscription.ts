import {InvalidInputError} from '../../core/errors.ts'
import type {CandleInterval, MarketChannel} from '../../core/records.ts'
import type {BookDepth, FrameFormat} from './limits.ts'
import {codeOfSymbol} from './symbols.ts'

/** Upbit has no candles of a day on the websocket: https://docs.upbit.com/kr/reference/websocket-candle */
const CANDLE_TYPES: Partial<Record<CandleInterval, string>> = {
  '1s': 'candle.1s',
  '1m': 'candle.1m',
  '5m': 'candle.5m',
  '15m': 'candle.15m',
  '1h': 'candle.60m',
  '4h': 'candle.240m',
}

export interface Subscription {
  readonly channels: readonly MarketChannel[]
  readonly depth?: BookDepth
  readonly candleIntervals: readonly CandleInterval[]
  readonly format: FrameFormat
}

/**
 * The one request of a connection. Snapshots are left on, so that every market answers at once: that is how a new subscription is known to be live.
 * `ticket` tells requests apart; any unique text.
 */
export function subscriptionMessage(subscription: Subscription, codes: readonly string[], ticket: string): string {
  const types = subscription.channels.flatMap((channel) => typesOf(channel, subscription, codes))
  return JSON.stringify([{ticket}, ...types, {format: subscription.format}])
}

function typesOf(channel: MarketChannel, {depth, candleIntervals}: Subscription, codes: readonly string[]): object[] {
  if (channel === 'book') return [{type: 'orderbook', codes: depth === undefined ? codes : codes.map((code) => `${code}.${depth}`)}]
  if (channel === 'candle') return candleIntervals.map((interval) => ({type: candleType(interval), codes}))
  return [{type: channel, codes}]
}

function candleType(interval: CandleInterval): string {
  const type = CANDLE_TYPES[interval]
  if (type !== undefined) return type
  throw new InvalidInputError(`upbit sends no candles of ${interval} on its websocket`, {
    remedy: [`use one of ${Object.keys(CANDLE_TYPES).join(', ')}, or build candles from trades: coinpipe aggregate candles`],
  })
}

/** Upbit's codes of symbols such as `BTC-KRW`, each once. Throws InvalidInputError for what is no spot symbol. */
export function codesOf(symbols: readonly string[]): string[] {
  const codes = symbols.map((symbol) => {
    const code = codeOfSymbol(symbol)
    if (code !== undefined) return code
    throw new InvalidInputError(`'${symbol}' is no market of upbit`, {remedy: ['write coin and quote currency, for example BTC-KRW']})
  })
  return [...new Set(codes)]
}

/** Deals codes out to `parts` connections, so that neighbours (the busiest are listed first) spread. */
export function splitCodes(codes: readonly string[], parts: number): string[][] {
  const count = Math.max(1, Math.min(parts, codes.length))
  return Array.from({length: count}, (_, part) => codes.filter((_code, index) => index % count === part))
}
