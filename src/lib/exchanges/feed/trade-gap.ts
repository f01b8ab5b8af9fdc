import {recordId} from '../../core/ids.ts'
import type {Gap, MarketChannel, Micros} from '../../core/records.ts'
import type {IdKey} from './seen-ids.ts'

/** Upbit's event times step back by 1–2 s and its ids are not in their order, so a gap is looked for this much wider on both sides. */
export const DISORDER_US = 5_000_000

/** A connection that stays down beside a redundant one must not keep all ids for ever; beyond this, duplicates with the same id are possible. */
const MAX_SETS = 16

/** Trades of one market that may have been missed. Its id is made of `from`, which never changes. */
export class TradeGap {
  readonly exchange: string
  readonly symbol: string
  readonly reason: string
  /** Last event time seen before. */
  readonly from: Micros
  readonly fromId: string | undefined
  readonly #isCalm: boolean
  /** First event time of the new subscription, or when it was found to be live though quiet; null before. */
  to: Micros | null = null
  /** The first trade of the new subscription; undefined for a quiet one. */
  toId: string | undefined
  /** Trades found by back-fill and acked. */
  filled = 0
  /** Ids that are not missing: those around `from` and those of the new subscription around `to`. */
  readonly #seen: Set<IdKey>[]

  constructor(options: {
    readonly exchange: string
    readonly symbol: string
    readonly reason: string
    readonly from: Micros
    readonly fromId: string | undefined
    /** Nothing came for longer than the disorder of event times before the gap. */
    readonly isCalm: boolean
    readonly seen: readonly Set<IdKey>[]
  }) {
    this.exchange = options.exchange
    this.symbol = options.symbol
    this.reason = options.reason
    this.from = options.from
    this.fromId = options.fromId
    this.#isCalm = options.isCalm
    this.#seen = [...options.seen]
  }

  /**
   * Surely nothing is missing: the new subscription begins with the very trade that was the last one before, and a missed one would be newer. Not so
   * right after a trade, when one with an older event time may still have been on its way.
   */
  get isEmpty(): boolean {
    return this.#isCalm && this.fromId !== undefined && this.toId === this.fromId
  }

  /** No missing trade is older. */
  get floor(): Micros {
    return this.from - DISORDER_US
  }

  /** No missing trade is newer. Only the exchange's own clock can tell. */
  get ceiling(): Micros {
    return this.to === null || this.toId === undefined ? Number.POSITIVE_INFINITY : this.to + DISORDER_US
  }

  has(key: IdKey): boolean {
    return this.#seen.some((ids) => ids.has(key))
  }

  /** The market's window of seen ids moved on to a new set, whose first trade is of `eventTime`. Trades step back, so it may still hold some of this gap's. */
  extend(ids: Set<IdKey>, eventTime: Micros): void {
    if (eventTime <= this.ceiling + DISORDER_US && this.#seen.length < MAX_SETS) this.#seen.push(ids)
  }

  record(state: Gap['state'], receivedTime: Micros, detail?: string): Gap {
    const {exchange, symbol, from, to, fromId, toId, filled} = this
    const reason = detail === undefined ? this.reason : `${this.reason}; ${detail}`
    const ids = {...(fromId === undefined ? {} : {fromId}), ...(toId === undefined ? {} : {toId})}
    return gapRecord({exchange, symbol, channel: 'trade', reason, from, to, ...ids, state, filled, receivedTime})
  }
}

/** A gap record with its id: `gap:exchange:symbol:channel:from`. Its event time is its start. */
export function gapRecord(fields: Omit<Gap, 'type' | 'id' | 'eventTime'> & {readonly channel: MarketChannel}): Gap {
  const id = recordId('gap', fields.exchange, fields.symbol, `${fields.channel}:${fields.from}`)
  return {type: 'gap', id, eventTime: fields.from, ...fields}
}
