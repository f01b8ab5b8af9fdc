import {blockOf, ID_BLOCK_MS, type TradeId} from './trade-ids.ts'

const FIRST_CAPACITY = 1024

export interface StoredTrade {
  /** When it was sent, milliseconds since the epoch; never steps back. */
  readonly sentMs: number
  /** When it happened by the exchange's clock: up to 2 s before it was sent. */
  readonly eventMs: number
  readonly idOffset: number
  /** Whole number of the market's smallest price step. */
  readonly priceUnits: number
  /** Whole number of 1e-8 of the coin; negative for a seller's trade. */
  readonly signedVolumeUnits: number
}

export interface PageQuery {
  readonly count: number
  /** Only trades with a lower id. */
  readonly before: TradeId | null
  /** Event times `from <= t < until`, milliseconds. */
  readonly fromMs: number
  readonly untilMs: number
}

/** The last trades of one market in columns: about 26 bytes a trade, and no garbage for the collector. */
export class TradeHistory {
  private readonly capacity: number
  private size = FIRST_CAPACITY
  private sentMs = new Float64Array(FIRST_CAPACITY)
  private lagMs = new Uint16Array(FIRST_CAPACITY)
  private offsets = new Uint32Array(FIRST_CAPACITY)
  private prices = new Int32Array(FIRST_CAPACITY)
  private volumes = new Float64Array(FIRST_CAPACITY)
  /** Trades ever added; the newest has the number `total - 1`. */
  private total = 0
  private lastBlock: {readonly start: number; readonly end: number; readonly order: readonly number[]} | null = null

  constructor(capacity: number) {
    this.capacity = Math.max(FIRST_CAPACITY, capacity)
  }

  get count(): number {
    return this.total
  }

  /** Number of the oldest trade still held. */
  get first(): number {
    return Math.max(0, this.total - this.capacity)
  }

  add(sentMs: number, lagMs: number, idOffset: number, priceUnits: number, signedVolumeUnits: number): void {
    if (this.total === this.size && this.size < this.capacity) this.grow()
    const slot = this.total % this.size
    this.sentMs[slot] = sentMs
    this.lagMs[slot] = lagMs
    this.offsets[slot] = idOffset
    this.prices[slot] = priceUnits
    this.volumes[slot] = signedVolumeUnits
    this.total++
  }

  /** The trade with this number, `first` to `count - 1`. */
  at(index: number): StoredTrade {
    const slot = index % this.size
    const sentMs = this.sentMs[slot] ?? 0
    return {
      sentMs,
      eventMs: sentMs - (this.lagMs[slot] ?? 0),
      idOffset: this.offsets[slot] ?? 0,
      priceUnits: this.prices[slot] ?? 0,
      signedVolumeUnits: this.volumes[slot] ?? 0,
    }
  }

  /** Number of the first trade sent at or after `timeMs`. */
  indexAt(timeMs: number): number {
    let low = this.first
    let high = this.total
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((this.sentMs[middle % this.size] ?? 0) < timeMs) low = middle + 1
      else high = middle
    }
    return low
  }

  /** Trades by falling id, which is newest first give or take the 2 s in which ids are out of order. */
  page(query: PageQuery): StoredTrade[] {
    const found: StoredTrade[] = []
    let end = query.before === null ? this.total : this.indexAt(query.before.blockMs + ID_BLOCK_MS)
    while (end > this.first && found.length < query.count) {
      const blockMs = blockOf(this.at(end - 1).sentMs)
      const start = this.indexAt(blockMs)
      for (const index of this.byFallingId(start, end)) {
        const trade = this.at(index)
        const isBefore = query.before === null || blockMs < query.before.blockMs || trade.idOffset < query.before.offset
        if (isBefore && trade.eventMs >= query.fromMs && trade.eventMs < query.untilMs) found.push(trade)
        if (found.length === query.count) break
      }
      end = start
    }
    return found
  }

  /** Remembers the block sorted last: a client that pages asks for the same one again and again. */
  private byFallingId(start: number, end: number): readonly number[] {
    if (this.lastBlock?.start === start && this.lastBlock.end === end) return this.lastBlock.order
    const order = Array.from({length: end - start}, (_, i) => start + i)
    order.sort((a, b) => (this.offsets[b % this.size] ?? 0) - (this.offsets[a % this.size] ?? 0))
    this.lastBlock = {start, end, order}
    return order
  }

  private grow(): void {
    this.size = Math.min(this.capacity, this.size * 2)
    this.sentMs = widened(new Float64Array(this.size), this.sentMs)
    this.lagMs = widened(new Uint16Array(this.size), this.lagMs)
    this.offsets = widened(new Uint32Array(this.size), this.offsets)
    this.prices = widened(new Int32Array(this.size), this.prices)
    this.volumes = widened(new Float64Array(this.size), this.volumes)
  }
}

function widened<T extends Float64Array | Int32Array | Uint16Array | Uint32Array>(to: T, from: T): T {
  to.set(from)
  return to
}
