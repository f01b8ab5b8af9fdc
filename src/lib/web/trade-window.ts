import type {MarketId, MarketReader} from '../core/ports/market-reader.ts'
import type {Trade} from '../core/records.ts'
import type {StoreGate} from './store-gate.ts'

/** Trades that the page shows. */
export const SHOWN_TRADES = 100
/** Trades kept for browsers that come back: a connection lost for a moment goes on without a jump. */
const KEPT_TRADES = 2_000

interface Batch {
  /** Where the store's answer ended. */
  readonly cursor: string
  /** Oldest first. */
  readonly trades: readonly Trade[]
}

/** What one look at the store found. */
export type TradeNews =
  | {readonly kind: 'none'}
  | {readonly kind: 'more'; readonly cursor: string; readonly trades: readonly Trade[]}
  /** Too much at once to show one by one (or the first look): the window was read anew. */
  | {readonly kind: 'jump'}

/** The newest trades of one market, followed by cursor. */
export class TradeWindow {
  readonly #market: MarketId
  readonly #store: StoreGate
  #batches: Batch[] = []

  constructor(market: MarketId, store: StoreGate) {
    this.#market = market
    this.#store = store
  }

  /** Cursor of the newest batch; undefined before the first look. */
  get cursor(): string | undefined {
    return this.#batches.at(-1)?.cursor
  }

  /** The newest trades, oldest first. */
  get newest(): readonly Trade[] {
    const trades: Trade[] = []
    for (let i = this.#batches.length - 1; i >= 0 && trades.length < SHOWN_TRADES; i--) trades.unshift(...(this.#batches[i]?.trades ?? []))
    return trades.slice(-SHOWN_TRADES)
  }

  /** Reads what was stored since the last look. */
  async refresh(): Promise<TradeNews> {
    const after = this.cursor
    if (after === undefined) return this.#jump()
    const page = await this.#ask((reader) => reader.trades({...this.#market, after, limit: SHOWN_TRADES + 1}))
    if (page.trades.length > SHOWN_TRADES) return this.#jump()
    if (page.trades.length === 0) return {kind: 'none'}
    this.#batches.push(page)
    this.#forgetOldest()
    return {kind: 'more', ...page}
  }

  /** Trades stored after `cursor`, oldest first; undefined where that is too long ago, or not a cursor of this window. */
  since(cursor: string): readonly Trade[] | undefined {
    const index = this.#batches.findIndex((batch) => batch.cursor === cursor)
    return index === -1 ? undefined : this.#batches.slice(index + 1).flatMap((batch) => batch.trades)
  }

  async #jump(): Promise<TradeNews> {
    const page = await this.#ask((reader) => reader.trades({...this.#market, limit: SHOWN_TRADES}))
    this.#batches = [{cursor: page.cursor, trades: page.trades.toReversed()}]
    return {kind: 'jump'}
  }

  #ask<T>(question: (reader: MarketReader) => Promise<T>): Promise<T> {
    return this.#store.read(question)
  }

  #forgetOldest(): void {
    let kept = 0
    let first = this.#batches.length
    while (first > 0 && kept < KEPT_TRADES) kept += this.#batches[--first]?.trades.length ?? 0
    if (first > 0) this.#batches = this.#batches.slice(first)
  }
}
