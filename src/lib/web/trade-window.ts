import type {MarketId} from '../core/ports/market-reader.ts'
import type {Trade} from '../core/records.ts'
import type {StoreGate} from './store-gate.ts'

/** Trades that the page shows. */
export const SHOWN_TRADES = 100
/** Trades kept for browsers that come back: a connection lost for a moment goes on without a jump. */
const KEPT_TRADES = 2_000

interface Batch {
  /** Counts the batches of this window. */
  readonly number: number
  /** Oldest first. */
  readonly trades: readonly Trade[]
}

/** What one look at the store found. */
export type TradeNews =
  | {readonly kind: 'none'}
  | {readonly kind: 'more'; readonly trades: readonly Trade[]}
  /** Too much at once to show one by one (or the first look): the window was read anew. */
  | {readonly kind: 'jump'}

/** The newest trades of one market, followed by cursor. */
export class TradeWindow {
  readonly #market: MarketId
  readonly #store: StoreGate
  #batches: Batch[] = []
  /** The store's cursor. It moves on even when this market is quiet, so that no look goes over old ground. */
  #cursor: string | undefined

  constructor(market: MarketId, store: StoreGate) {
    this.#market = market
    this.#store = store
  }

  /** Number of the newest batch, for {@link since}; 0 before the first look. */
  get position(): number {
    return this.#batches.at(-1)?.number ?? 0
  }

  /** The newest trades, oldest first. */
  get newest(): readonly Trade[] {
    return this.#batches.flatMap((batch) => batch.trades).slice(-SHOWN_TRADES)
  }

  /** Reads what was stored since the last look. */
  async refresh(): Promise<TradeNews> {
    const after = this.#cursor
    if (after === undefined) return this.#jump()
    const {trades, cursor} = await this.#store.read((reader) => reader.trades({...this.#market, after, limit: SHOWN_TRADES + 1}))
    if (trades.length > SHOWN_TRADES) return this.#jump()
    this.#cursor = cursor
    if (trades.length === 0) return {kind: 'none'}
    this.#batches.push({number: this.position + 1, trades})
    this.#forgetOldest()
    return {kind: 'more', trades}
  }

  /** Trades of the batches after `position`, oldest first; undefined where that is too long ago, or not a position of this window. */
  since(position: number): readonly Trade[] | undefined {
    const index = this.#batches.findIndex((batch) => batch.number === position)
    return index === -1 ? undefined : this.#batches.slice(index + 1).flatMap((batch) => batch.trades)
  }

  /** Makes the next look a fresh one: after the store was gone it may be another one, where the cursor means nothing. */
  forget(): void {
    this.#cursor = undefined
  }

  async #jump(): Promise<TradeNews> {
    const {trades, cursor} = await this.#store.read((reader) => reader.trades({...this.#market, limit: SHOWN_TRADES}))
    this.#cursor = cursor
    this.#batches = [{number: this.position + 1, trades: trades.toReversed()}]
    return {kind: 'jump'}
  }

  #forgetOldest(): void {
    let kept = 0
    let first = this.#batches.length
    while (first > 0 && kept < KEPT_TRADES) kept += this.#batches[--first]?.trades.length ?? 0
    if (first > 0) this.#batches = this.#batches.slice(first)
  }
}
