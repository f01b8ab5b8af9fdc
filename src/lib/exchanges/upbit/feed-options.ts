import type {CandleInterval, MarketChannel} from '../../core/records.ts'
import type {ConnectionTimings} from '../feed/connection.ts'
import {GAP_REPEAT_MS, type ResumePoints} from '../feed/resume.ts'
import {type BookDepth, type FrameFormat, PING_INTERVAL_MS, type Quote} from './limits.ts'

/** What passed over a connection, for captures. `data` is text for what was sent, bytes for what was received. */
export type FeedFrame =
  | {readonly kind: 'opened'; readonly url: string; readonly timeUs: number}
  | {readonly kind: 'sent'; readonly url: string; readonly timeUs: number; readonly data: string}
  | {readonly kind: 'received'; readonly url: string; readonly timeUs: number; readonly data: Uint8Array}

export interface UpbitFeedOptions {
  readonly channels: readonly MarketChannel[]
  /** Symbols such as `BTC-KRW`, or all that the REST market list names. */
  readonly symbols: readonly string[] | 'all'
  /** With `all`: only markets quoted in these. Default: all. */
  readonly quotes?: readonly Quote[]
  /** Default: Upbit's. */
  readonly url?: string
  /** Default: the origin of `url`. */
  readonly restUrl?: string
  /** Default SIMPLE: the fewest bytes. */
  readonly format?: FrameFormat
  /** Levels of a book; default all 30. */
  readonly depth?: BookDepth
  /** For channel `candle`; default 1m. */
  readonly candleIntervals?: readonly CandleInterval[]
  /** Websockets that share the symbols; default as many as the symbols need. */
  readonly connections?: number
  /** Websockets that carry the same symbols, so that one may drop; default 1. */
  readonly redundancy?: number
  /** How far the log is complete after an earlier run; see resume.ts. Without it nothing before the first connection counts as missing. */
  readonly lastSeen?: ResumePoints
  /** False where there is no REST to ask, as with a replay: gaps are then unfillable. Default true. */
  readonly backfill?: boolean
  readonly onFrame?: (frame: FeedFrame) => void
  readonly queue?: Partial<QueueLimits>
  readonly timings?: Partial<FeedTimings>
}

export interface QueueLimits {
  readonly maxRecords: number
  readonly maxBytes: number
  readonly batchRecords: number
  readonly lingerMs: number
}

export const QUEUE_LIMITS: QueueLimits = {maxRecords: 20_000, maxBytes: 32 * 1024 * 1024, batchRecords: 1000, lingerMs: 4}

export interface FeedTimings extends ConnectionTimings {
  /** A market that sends nothing this long after a subscription is taken to be quiet, and its subscription to be live. */
  readonly liveWaitMs: number
  /** Trades may reach REST a little later than the websocket. */
  readonly settleMs: number
  /** Between attempts to fill a gap while REST is out of reach. */
  readonly refillMs: number
  /** Between repeats of the records of open gaps. */
  readonly gapRepeatMs: number
}

export const FEED_TIMINGS: FeedTimings = {
  connectTimeoutMs: 10_000,
  pingIntervalMs: PING_INTERVAL_MS,
  pongTimeoutMs: 10_000,
  backoff: {baseMs: 500, capMs: 30_000},
  stableMs: 10_000,
  liveWaitMs: 3000,
  settleMs: 1000,
  refillMs: 10_000,
  gapRepeatMs: GAP_REPEAT_MS,
}
