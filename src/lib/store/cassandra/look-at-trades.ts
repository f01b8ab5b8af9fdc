import type {MarketId} from '../../core/ports/market-reader.ts'
import type {Trade} from '../../core/records.ts'
import {micros, type RowDecoder} from './decode-row.ts'
import type {Row} from './session.ts'
import type {Look, TradeTail} from './trade-tail.ts'

/** Most rows that are read for what is new. */
export const LOOK_ROWS = 2000
/** How far behind the newest trade a late one is looked for. */
export const LATE_MS = 120_000
const US_PER_MS = 1000

export interface LookOptions {
  readonly market: MarketId
  /** Trades wanted, whether they are new or not. */
  readonly limit: number
  /** Goes on until it meets what this one knows. */
  readonly tail: TradeTail
  /** Whether to look for late trades, too. */
  readonly wide: boolean
}

/** Takes pages of rows, newest first, for as long as they are needed. */
export async function lookAtTrades(pages: AsyncIterable<readonly Row[]>, decoder: RowDecoder, options: LookOptions): Promise<Look> {
  const look = new Looking(decoder, options)
  for await (const page of pages) {
    look.add(page)
    if (look.isEnough()) return {trades: look.trades, complete: false, jumped: look.jumped}
  }
  return {trades: look.trades, complete: true, jumped: false}
}

class Looking {
  readonly #decoder: RowDecoder
  readonly #options: LookOptions
  readonly #byId = new Map<string, Trade>()
  /** Milliseconds of event time: of the newest row, of the last trade that is wanted, of the oldest row. */
  #newestMs = 0
  #wantedMs = Number.NEGATIVE_INFINITY
  #oldestMs = 0
  #rows = 0
  #met = false

  constructor(decoder: RowDecoder, options: LookOptions) {
    this.#decoder = decoder
    this.#options = options
  }

  /** Each id once: of two rows the one with the later event time. */
  get trades(): Trade[] {
    return [...this.#byId.values()]
  }

  /** Nothing known was met: there may be more in between. */
  get jumped(): boolean {
    return !this.#met
  }

  add(page: readonly Row[]): void {
    for (const row of page) this.#addRow(row)
  }

  #addRow(row: Row): void {
    const {market, limit, tail} = this.#options
    const id: string = row.get('id')
    const ms = Math.floor(micros(row, 'event_us') / US_PER_MS)
    if (this.#rows++ === 0) this.#newestMs = ms
    this.#oldestMs = ms
    this.#met ||= tail.knows(id, ms)
    if (this.#byId.has(id)) return
    this.#byId.set(id, this.#decoder.trade(market, row))
    if (this.#byId.size === limit) this.#wantedMs = ms
  }

  isEnough(): boolean {
    const {limit, tail, wide} = this.#options
    // Rows of one millisecond lie in the order of their ids: all of them are needed to tell the newest.
    if (this.#byId.size < limit || (limit > 0 && this.#oldestMs >= this.#wantedMs)) return false
    if (!tail.begun || this.#rows >= LOOK_ROWS) return true
    return this.#met && (!wide || this.#newestMs - this.#oldestMs > LATE_MS)
  }
}
