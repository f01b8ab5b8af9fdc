import type {Gap, Micros, Trade} from '../../core/records.ts'
import type {ResumePoint} from './resume.ts'
import {type IdKey, idKey, SeenIds} from './seen-ids.ts'
import {DISORDER_US, TradeGap} from './trade-gap.ts'

export interface TradeMarketOptions {
  readonly exchange: string
  readonly symbol: string
  /** Event time that the window of seen ids reaches back at least, µs. */
  readonly windowUs: Micros
  readonly maxIds: number
}

export interface GapStart {
  readonly reason: string
  /** Event time that trades are complete up to, µs. */
  readonly since: Micros
  /** The trade of that time. */
  readonly fromId: string | undefined
  /** Nothing came for longer than the disorder of event times before the connection was lost. */
  readonly isCalm: boolean
}

/** What is known of one market's trades, whichever connections carry them: the ids seen lately and the gaps not yet closed. */
export class TradeMarket {
  readonly exchange: string
  readonly symbol: string
  readonly seen: SeenIds
  /** Neither filled nor given up, by their start. */
  readonly #gaps = new Map<Micros, TradeGap>()

  constructor(options: TradeMarketOptions) {
    this.exchange = options.exchange
    this.symbol = options.symbol
    this.seen = new SeenIds(options.windowUs, options.maxIds, (ids, eventTime) => {
      for (const gap of this.#gaps.values()) gap.extend(ids, eventTime)
    })
  }

  openGap({reason, since, fromId, isCalm}: GapStart): TradeGap {
    // `from` makes the gap's id: two gaps after the same last trade are told apart by a microsecond, finer than any exchange counts.
    let from = since
    while (this.#gaps.has(from)) from--
    return this.#add({reason, from, fromId, isCalm})
  }

  /** A gap that an earlier run left open. */
  restoreGap({reason, from, fromId, to, toId, filled}: Gap): TradeGap {
    const gap = this.#add({reason, from, fromId, isCalm: false})
    gap.to = to
    gap.toId = toId
    gap.filled = filled
    return gap
  }

  closeGap(gap: TradeGap): void {
    this.#gaps.delete(gap.from)
  }

  /** The gap that a trade found by back-fill was missing in, if any; from then on it counts as seen, for live trades too. */
  takeLate(gaps: readonly TradeGap[], trade: Trade): TradeGap | undefined {
    const gap = gaps.find(({floor, ceiling}) => trade.eventTime >= floor && trade.eventTime <= ceiling)
    const key: IdKey = idKey(trade.tradeId)
    if (!gap || this.seen.has(key) || gaps.some((one) => one.has(key))) return undefined
    this.seen.addLate(key)
    return gap
  }

  #add(start: Omit<GapStart, 'since'> & {readonly from: Micros}): TradeGap {
    const {exchange, symbol, seen} = this
    const gap = new TradeGap({exchange, symbol, ...start, seen: seen.sets})
    this.#gaps.set(gap.from, gap)
    return gap
  }
}

/** One market's trades on one connection: how far they are complete. Lives as long as the feed, over all reconnects of its connection. */
export class TradeLane {
  readonly market: TradeMarket
  /** By our own clock: only where no trade is known, as clocks differ. */
  #subscribedAt: Micros | null = null
  #lastTime: Micros | null = null
  #lastId: string | undefined
  #lastReceived: Micros = Number.POSITIVE_INFINITY
  /** Gaps that end with the next trade on this connection: one, or several that an earlier run left. */
  #pending: TradeGap[] = []

  constructor(market: TradeMarket) {
    this.market = market
  }

  get pending(): readonly TradeGap[] {
    return this.#pending
  }

  /**
   * Takes up where an earlier run stopped: what happened since is pending as a gap. Returns the gaps of that run whose ends are known and that may be filled
   * at once.
   */
  resume({eventTime, lastId, ids, gaps}: ResumePoint): TradeGap[] {
    for (const id of ids) this.market.seen.addLate(idKey(id))
    this.#lastTime = eventTime
    this.#lastId = lastId
    const restored = gaps.map((gap) => this.market.restoreGap(gap))
    this.#pending = restored.filter((gap) => gap.to === null)
    this.lost('restart', eventTime)
    return restored.filter((gap) => gap.to !== null)
  }

  /** The subscription was sent: trades are expected from `now` on where none was before. */
  subscribed(now: Micros): void {
    this.#subscribedAt ??= now
  }

  /** False for a trade seen before. */
  take(trade: Trade): boolean {
    const {eventTime, tradeId, receivedTime} = trade
    if (this.#lastTime === null || eventTime >= this.#lastTime) {
      this.#lastTime = eventTime
      this.#lastId = tradeId
      this.#lastReceived = receivedTime
    }
    return this.market.seen.add(tradeId, eventTime)
  }

  /** The connection is gone. Returns a new gap, or null where trades were never expected or a gap is still open for the connection before. */
  lost(reason: string, now: Micros): TradeGap | null {
    const since = this.#lastTime ?? this.#subscribedAt
    if (this.#pending.length > 0 || since === null) return null
    const gap = this.market.openGap({reason, since, fromId: this.#lastId, isCalm: now - this.#lastReceived > DISORDER_US})
    this.#pending = [gap]
    return gap
  }

  /** The new subscription is known to be live, by its first trade or by having had the time for one. Returns the gaps that may now be filled. */
  live(now: Micros, first?: Trade): TradeGap[] {
    const gaps = this.#pending
    this.#pending = []
    for (const gap of gaps) {
      gap.to = first?.eventTime ?? Math.max(gap.from, now)
      gap.toId = first?.tradeId
    }
    return gaps
  }
}
