import type {Clock} from '../core/context.ts'
import type {MarketId} from '../core/ports/market-reader.ts'
import {UnknownMarketError} from './errors.ts'
import type {StoreGate} from './store-gate.ts'

const FRESH_MS = 1_000

/** The markets that the store has data of, asked for at most once a second. */
export class Markets {
  readonly #store: StoreGate
  readonly #clock: Clock
  #known: readonly MarketId[] = []
  #readAtMs = Number.NEGATIVE_INFINITY

  constructor(store: StoreGate, clock: Clock) {
    this.#store = store
    this.#clock = clock
  }

  async list(): Promise<readonly MarketId[]> {
    if (this.#clock.monotonicMs() - this.#readAtMs >= FRESH_MS) {
      this.#known = await this.#store.read((reader) => reader.markets())
      this.#readAtMs = this.#clock.monotonicMs()
    }
    return this.#known
  }

  /** Throws UnknownMarketError where the store has nothing of `market`. */
  async check({exchange, symbol}: MarketId): Promise<void> {
    const known = await this.list()
    if (known.some((market) => market.exchange === exchange && market.symbol === symbol)) return
    throw new UnknownMarketError({exchange, symbol}, known)
  }
}
