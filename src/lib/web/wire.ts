/** What travels between server and page. Both sides import these types; nothing here has code. */

import type {MarketId} from '../core/ports/market-reader.ts'
import type {Book, Candle, Ticker, Trade} from '../core/records.ts'

/** Answer of `GET /api/markets`. */
export interface MarketsAnswer {
  /** True where the data comes from coinpipe's own simulator. */
  readonly simulated: boolean
  readonly markets: readonly MarketId[]
}

/** Answer of `GET /api/candles`. */
export interface CandlesAnswer {
  /** Oldest first. */
  readonly candles: readonly Candle[]
}

/** Everything that the page shows of a market, but for the candles. */
export interface Snapshot {
  /** The newest trades, oldest first. */
  readonly trades: readonly Trade[]
  readonly ticker: Ticker | null
  readonly book: Book | null
  /** Today's candle (UTC), where there is one. */
  readonly day: Candle | null
}

/** The server-sent events by name. */
export interface LiveEvents {
  /** Replaces everything shown; the page then asks for the candles again. Has an id. */
  readonly snapshot: Snapshot
  /** Trades stored since, oldest first. Has an id, from which a reconnecting browser goes on. */
  readonly trades: readonly Trade[]
  /** More was stored at once than the page shows: the newest, in place of those shown, oldest first. Has an id. */
  readonly latest: readonly Trade[]
  /** New or changed candles of the interval asked for, oldest first. */
  readonly candles: readonly Candle[]
  readonly ticker: Ticker
  readonly book: Book
  readonly day: Candle
  /** Whether the store answers. */
  readonly store: {readonly available: boolean; readonly message?: string}
}

/** Body of every answer that is not a success. */
export interface ErrorAnswer {
  readonly error: {readonly code: string; readonly message: string; readonly remedy: readonly string[]}
}
