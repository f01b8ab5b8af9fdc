import type {Context} from '../core/context.ts'
import type {Source} from '../core/ports/source.ts'
import type {MarketChannel} from '../core/records.ts'
import type {FrameDecoder} from './decoder.ts'
import {UnknownExchangeError} from './errors.ts'
import {createUpbitFeed} from './upbit/feed.ts'
import type {UpbitFeedOptions} from './upbit/feed-options.ts'
import {createUpbitDecoder} from './upbit/frames.ts'

/** What a feed can be asked for; the only exchange there is sets the shape. */
export type FeedOptions = UpbitFeedOptions

export interface ExchangeSpec {
  /** As in flags and records. */
  readonly id: string
  /** As people write it. */
  readonly name: string
  readonly channels: readonly MarketChannel[]
  createDecoder(): FrameDecoder
  createFeed(options: FeedOptions, context: Context): Source
}

/** Every exchange that coinpipe knows. */
export const EXCHANGES: readonly ExchangeSpec[] = [
  {
    id: 'upbit',
    name: 'Upbit',
    channels: ['trade', 'book', 'ticker', 'candle'],
    createDecoder: createUpbitDecoder,
    createFeed: createUpbitFeed,
  },
]

export const EXCHANGE_IDS: readonly string[] = EXCHANGES.map((exchange) => exchange.id)

/** Throws UnknownExchangeError, which names the valid choices. */
export function findExchange(id: string): ExchangeSpec {
  const found = EXCHANGES.find((exchange) => exchange.id === id)
  if (!found) throw new UnknownExchangeError(id, EXCHANGE_IDS)
  return found
}
