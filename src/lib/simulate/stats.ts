/** Kinds of message that a subscriber can get. */
export const MESSAGE_TYPES = ['trade', 'orderbook', 'ticker', 'candle'] as const
export type MessageType = (typeof MESSAGE_TYPES)[number]

/** What the simulator has done so far; `GET /sim/stats` answers it. */
export interface SimulatorStats {
  readonly simulated: true
  readonly exchange: 'upbit'
  readonly seed: number
  readonly url: string
  /** False before the first subscription, while paused and after the last trade of `--count`. */
  readonly running: boolean
  /** Trades made, whether or not somebody was connected: the number that a complete store holds. */
  readonly trades: number
  /** Messages written to sockets, each subscriber counted, by type. */
  readonly sent: Readonly<Record<MessageType, number>>
  readonly frames: number
  readonly bytes: number
  readonly connections: {
    readonly open: number
    readonly accepted: number
    /** Turned away by a documented limit (HTTP 429). */
    readonly limited: number
    /** Cut because the client read too slowly. */
    readonly tooSlow: number
    readonly idle: number
    /** Ended by a fault. */
    readonly dropped: number
  }
  /** Messages that a fault kept from the websockets, sent twice, or made up. */
  readonly faults: {readonly skipped: number; readonly duplicated: number; readonly garbage: number; readonly stalled: number}
  readonly rest: {readonly requests: number; readonly byStatus: Readonly<Record<string, number>>}
}

type Mutable<T> = {-readonly [K in keyof T]: T[K] extends object ? Mutable<T[K]> : T[K]}

export type Counters = Mutable<Omit<SimulatorStats, 'simulated' | 'exchange' | 'seed' | 'url' | 'running' | 'trades'>>

export function newCounters(): Counters {
  return {
    sent: {trade: 0, orderbook: 0, ticker: 0, candle: 0},
    frames: 0,
    bytes: 0,
    connections: {open: 0, accepted: 0, limited: 0, tooSlow: 0, idle: 0, dropped: 0},
    faults: {skipped: 0, duplicated: 0, garbage: 0, stalled: 0},
    rest: {requests: 0, byStatus: {}},
  }
}
