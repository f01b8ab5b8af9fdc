import {InvalidInputError} from '../../core/errors.ts'
import type {CandleInterval, MarketChannel} from '../../core/records.ts'
import {BOOK_DEPTHS, type BookDepth, FRAME_FORMATS, type FrameFormat} from './limits.ts'
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

export interface SubscriptionOptions {
  readonly channels: readonly MarketChannel[]
  readonly depth?: BookDepth | undefined
  readonly candleIntervals: readonly CandleInterval[]
  readonly format: FrameFormat
}

/** What is asked for, the same on every connection but for the codes. */
export interface Subscription {
  readonly channels: readonly MarketChannel[]
  /** Behind a code of an order book, `.15`. */
  readonly bookSuffix: string
  readonly candleTypes: readonly string[]
  readonly format: FrameFormat
}

/** Rejects what Upbit does not offer with InvalidInputError: Upbit itself would take another depth in silence. */
export function createSubscription({channels, depth, candleIntervals, format}: SubscriptionOptions): Subscription {
  if (depth !== undefined && !BOOK_DEPTHS.includes(depth)) throw notOffered('order books of depth', depth, BOOK_DEPTHS)
  if (!FRAME_FORMATS.includes(format)) throw notOffered('frames of format', format, FRAME_FORMATS)
  return {channels, format, bookSuffix: depth === undefined ? '' : `.${depth}`, candleTypes: candleIntervals.map(candleType)}
}

function candleType(interval: CandleInterval): string {
  const type = CANDLE_TYPES[interval]
  if (type === undefined) throw notOffered('candles of', interval, Object.keys(CANDLE_TYPES))
  return type
}

function notOffered(what: string, asked: string | number, offered: readonly (string | number)[]): InvalidInputError {
  return new InvalidInputError(`upbit sends no ${what} ${asked}`, {remedy: [`use one of ${offered.join(', ')}`]})
}

/**
 * The one request of a connection. Snapshots are left on, so that every market answers at once: that is how a new subscription is known to be live.
 * `ticket` tells requests apart; any unique text.
 */
export function subscriptionMessage(subscription: Subscription, codes: readonly string[], ticket: string): string {
  const types = subscription.channels.flatMap((channel) => typesOf(channel, subscription, codes))
  return JSON.stringify([{ticket}, ...types, {format: subscription.format}])
}

function typesOf(channel: MarketChannel, {bookSuffix, candleTypes}: Subscription, codes: readonly string[]): object[] {
  if (channel === 'book') return [{type: 'orderbook', codes: codes.map((code) => code + bookSuffix)}]
  if (channel === 'candle') return candleTypes.map((type) => ({type, codes}))
  return [{type: channel, codes}]
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
