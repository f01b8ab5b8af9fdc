/**
 * Upbit's addresses and limits as data, each with the page that states it. Read in the edition of October 2026; the Korean pages take precedence.
 */

import type {RateLimit} from '../feed/rate-limiter.ts'

/** https://docs.upbit.com/kr/reference/websocket-guide */
export const UPBIT_WEBSOCKET_URL = 'wss://api.upbit.com/websocket/v1'

/** The exchange counts when requests arrive, not when they are sent: windows are taken a tenth longer than stated. */
const MARGIN = 1.1

/**
 * https://docs.upbit.com/kr/reference/rate-limits: websocket connections per IP; requests on one connection are 5 a second and 100 a minute, of which a
 * feed sends one. Requests with an Origin header get one per 10 s, for connections and REST alike: never send one.
 */
export const CONNECT_LIMIT: RateLimit = {count: 5, perMs: 1000 * MARGIN}
/** Same page: REST quotation requests per IP and group (trades are one group, the market list another). */
export const REST_LIMIT: RateLimit = {count: 10, perMs: 1000 * MARGIN}
/** Same page: 418 is a block for a time that the answer tells. This long where it does not. */
export const BLOCKED_WAIT_MS = 60_000

/**
 * https://docs.upbit.com/reference/connection: a connection without traffic is closed after about 120 s. Ping frames are answered, and so is the text
 * `PING`: with `{"status":"UP"}`, every 10 s from then on. So a live exchange is heard at least once in each interval.
 */
export const PING_INTERVAL_MS = 15_000
export const HEARTBEAT = 'PING'

/** https://docs.upbit.com/kr/reference/websocket-orderbook: levels that can be asked for by a suffix of the code, `KRW-BTC.15`. */
export const BOOK_DEPTHS = [1, 5, 15, 30] as const
export type BookDepth = (typeof BOOK_DEPTHS)[number]

/** https://docs.upbit.com/kr/reference/websocket-guide: per connection. */
export const FRAME_FORMATS = ['DEFAULT', 'SIMPLE', 'JSON_LIST', 'SIMPLE_LIST'] as const
export type FrameFormat = (typeof FRAME_FORMATS)[number]

/** https://docs.upbit.com/kr/reference/list-trading-pairs: the currencies that its markets are quoted in. */
export const QUOTES = ['KRW', 'BTC', 'USDT'] as const
export type Quote = (typeof QUOTES)[number]

/** https://docs.upbit.com/kr/reference/list-pair-trades: trades of one answer at most, and days that it goes back. */
export const TRADES_PER_PAGE = 500
export const TRADES_MAX_DAYS_AGO = 7

/** Ours: Upbit states no bound for the codes of one connection. All of its KRW markets fit into two. */
export const CODES_PER_CONNECTION = 150

/**
 * Error names that asking again cannot mend, of https://docs.upbit.com/kr/reference/websocket-guide; any other is taken as passing trouble.
 */
export const FATAL_ERRORS: ReadonlySet<string> = new Set([
  'INVALID_AUTH',
  'WRONG_FORMAT',
  'NO_TICKET',
  'NO_TYPE',
  'NO_CODES',
  'INVALID_PARAM',
])
