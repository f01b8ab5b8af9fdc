import type {Clock} from '../../core/context.ts'
import type {MarketId, TradesPage, TradesQuery} from '../../core/ports/market-reader.ts'
import type {RowDecoder} from './decode-row.ts'
import {lookAtTrades} from './look-at-trades.ts'
import type {Row} from './session.ts'
import {compareShown} from './trade-order.ts'
import {TradeTail} from './trade-tail.ts'

/** Rows of the first look, at least: later ones know the trades from there on. */
const FIRST_ROWS = 100
const MOST_PAGE_ROWS = 5000
const NARROW_PAGE_ROWS = 100
const WIDE_PAGE_ROWS = 1000
/** Beside the wanted rows, so that one page tells where their last millisecond ends. */
const SPARE_ROWS = 16
const WIDE_EVERY_MS = 2000

/** How to read a market's trades now, newest first. */
export interface TradeSource {
  readonly decoder: RowDecoder
  pages(pageRows: number): AsyncIterable<readonly Row[]>
}

/** One market's trades, for those who ask for the newest and those who go on from a cursor. One question at a time. */
export class TradeFollower {
  readonly #market: MarketId
  readonly #clock: Clock
  readonly #tail: TradeTail
  #last: Promise<unknown> = Promise.resolve()
  #wideAtMs = Number.NEGATIVE_INFINITY

  constructor({exchange, symbol}: MarketId, name: string, clock: Clock) {
    this.#market = {exchange, symbol}
    this.#clock = clock
    this.#tail = new TradeTail(name)
  }

  trades({after, limit}: TradesQuery, source: TradeSource): Promise<TradesPage> {
    return this.#inTurn(() => (after === undefined ? this.#newest(limit, source) : this.#after(after, limit, source)))
  }

  async #newest(limit: number, {pages, decoder}: TradeSource): Promise<TradesPage> {
    const wanted = Math.max(limit, FIRST_ROWS)
    const rows = pages(Math.min(wanted + SPARE_ROWS, MOST_PAGE_ROWS))
    const look = await lookAtTrades(rows, decoder, {market: this.#market, limit: wanted, tail: this.#tail, wide: false})
    this.#tail.take(look)
    const newestFirst = look.trades.toSorted((a, b) => compareShown(b, a))
    return {trades: newestFirst.slice(0, limit), cursor: this.#tail.cursor}
  }

  async #after(cursor: string, limit: number, {pages, decoder}: TradeSource): Promise<TradesPage> {
    const known = this.#tail.since(cursor, limit)
    if (known.trades.length === limit) return known
    const nowMs = this.#clock.monotonicMs()
    const wide = nowMs - this.#wideAtMs >= WIDE_EVERY_MS
    const rows = pages(wide ? WIDE_PAGE_ROWS : NARROW_PAGE_ROWS)
    this.#tail.take(await lookAtTrades(rows, decoder, {market: this.#market, limit: 0, tail: this.#tail, wide}))
    if (wide) this.#wideAtMs = nowMs
    return this.#tail.since(cursor, limit)
  }

  /** Two looks at once could both take a trade for known that only one of them has handed out. */
  #inTurn<T>(answer: () => Promise<T>): Promise<T> {
    const turn = this.#last.then(answer)
    this.#last = turn.catch(() => undefined)
    return turn
  }
}
