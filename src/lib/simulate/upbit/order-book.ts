import type {Random} from '../../core/context.ts'
import type {MarketWalk} from './market-walk.ts'
import {numberText, VOLUME_UNITS, volumeText} from './number-text.ts'

export const BOOK_DEPTHS = [1, 5, 15, 30] as const
export const DEFAULT_DEPTH = 30
/** Price groupings that Upbit knows, in KRW (docs.upbit.com: websocket, orderbook). */
export const BOOK_LEVELS: ReadonlySet<number> = new Set([
  1e8, 1e7, 1e6, 1e5, 1e4, 1000, 100, 10, 1, 0.1, 0.01, 0.001, 0.0001, 0.00001, 0.000001, 0.0000001,
])
const CHANGED_PER_UPDATE = 6

export interface BookLevelText {
  readonly askPrice: string
  readonly bidPrice: string
  readonly askSize: string
  readonly bidSize: string
}

/** The book of one market: 30 levels either side of the last price, a few sizes of which change with each update. */
export class OrderBook {
  private readonly walk: MarketWalk
  private readonly random: Random
  private readonly sizes: Float64Array
  private readonly sizeTexts: string[]
  updatedMs: number

  constructor(walk: MarketWalk, random: Random, nowMs: number) {
    this.updatedMs = nowMs
    this.walk = walk
    this.random = random
    this.sizes = new Float64Array(2 * DEFAULT_DEPTH)
    this.sizeTexts = Array.from({length: 2 * DEFAULT_DEPTH}, () => '')
    for (let slot = 0; slot < this.sizes.length; slot++) this.resize(slot)
  }

  update(nowMs: number): void {
    this.updatedMs = nowMs
    for (let i = 0; i < CHANGED_PER_UPDATE; i++) this.resize(Math.floor(this.random() * this.sizes.length))
  }

  /**
   * Best level first. `level` is the price grouping in the quote currency, 0 for none: prices are then its multiples. Sizes of a level stay where they
   * are, counted from the best price.
   */
  levels(depth: number, level: number): BookLevelText[] {
    const {tickUnits, decimals} = this.walk.market
    const step = level > 0 ? Math.round(level * 10 ** decimals) : tickUnits
    const bestBid = Math.floor(this.walk.priceUnits / step) * step
    return Array.from({length: depth}, (_, i) => ({
      askPrice: this.walk.textOf(bestBid + (i + 1) * step),
      bidPrice: this.walk.textOf(Math.max(0, bestBid - i * step)),
      askSize: this.sizeTexts[2 * i] ?? '',
      bidSize: this.sizeTexts[2 * i + 1] ?? '',
    }))
  }

  /** Sum of the sizes of one side, as JSON number text. */
  totalText(side: 'ask' | 'bid'): string {
    let units = 0
    for (let slot = side === 'ask' ? 0 : 1; slot < this.sizes.length; slot += 2) units += this.sizes[slot] ?? 0
    return numberText(units / VOLUME_UNITS)
  }

  private resize(slot: number): void {
    const value = this.walk.market.usualValue * (1 + 60 * this.random())
    const units = Math.max(1, Math.round((value / this.walk.price) * VOLUME_UNITS))
    this.sizes[slot] = units
    this.sizeTexts[slot] = volumeText(units)
  }
}
