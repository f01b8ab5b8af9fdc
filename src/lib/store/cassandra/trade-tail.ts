import {InvalidInputError} from '../../core/errors.ts'
import type {TradesPage} from '../../core/ports/market-reader.ts'
import type {Trade} from '../../core/records.ts'
import {compareShown} from './trade-order.ts'

/** Trades kept for cursors: who comes back later than after so many goes on with the oldest of them. */
export const KEPT_TRADES = 2000
/** Ids known to have been there; beyond twice as many the older half is forgotten. */
const KEPT_IDS = 4000
const US_PER_MS = 1000

/** What one look at the newest rows of a market found. */
export interface Look {
  /** Every row that was read, newest first. */
  readonly trades: readonly Trade[]
  /** Whether they are all that the market has. */
  readonly complete: boolean
  /** Whether some may lie between them and those of an earlier look. */
  readonly jumped: boolean
}

/**
 * Makes an order of arrival of a store that has none: it knows the ids of the newest trades of a market, and gives each one that it has not seen before a
 * place behind the others. Only above its floor does it know all ids, and only there does an unknown one count as new.
 */
export class TradeTail {
  readonly #name: string
  /** Event time in milliseconds by trade id, of all trades above the floor. */
  #seen = new Map<string, number>()
  /** Milliseconds. Undefined before the first look. */
  #floorMs: number | undefined
  /** Oldest first. */
  #log: Trade[] = []
  /** Trades ever logged. */
  #logged = 0

  /** `name` marks the cursors: those of another tail mean nothing here. */
  constructor(name: string) {
    this.#name = name
  }

  get begun(): boolean {
    return this.#floorMs !== undefined
  }

  get cursor(): string {
    return `${this.#name}.${this.#logged}`
  }

  /** Whether this trade, or an older one, had been there before. */
  knows(tradeId: string, eventMs: number): boolean {
    return this.#seen.has(tradeId) || eventMs <= (this.#floorMs ?? Number.POSITIVE_INFINITY)
  }

  take({trades, complete, jumped}: Look): void {
    const lowestMs = trades.reduce((lowest, trade) => Math.min(lowest, msOf(trade)), Number.POSITIVE_INFINITY)
    const fresh = this.begun ? trades.filter((trade) => !this.knows(trade.tradeId, msOf(trade))) : []
    for (const trade of trades) this.#seen.set(trade.tradeId, msOf(trade))
    if (!this.begun) this.#floorMs = complete ? Number.NEGATIVE_INFINITY : lowestMs
    else if (jumped) this.#floorMs = Math.max(this.#floorMs as number, lowestMs)
    this.#log.push(...fresh.toSorted(compareShown))
    this.#logged += fresh.length
    if (this.#log.length > 2 * KEPT_TRADES) this.#log = this.#log.slice(-KEPT_TRADES)
    if (this.#seen.size > 2 * KEPT_IDS) this.#forget()
  }

  /** What came after the cursor, oldest first. Throws InvalidInputError where it is not one of this tail. */
  since(cursor: string, limit: number): TradesPage {
    const after = this.#positionOf(cursor)
    const first = Math.max(0, this.#log.length - (this.#logged - after))
    const trades = this.#log.slice(first, first + limit)
    return {trades, cursor: `${this.#name}.${this.#logged - (this.#log.length - first - trades.length)}`}
  }

  #positionOf(cursor: string): number {
    const [, name, digits] = /^([a-z0-9]+)\.(\d{1,15})$/.exec(cursor) ?? []
    const position = Number(digits)
    if (name === this.#name && position <= this.#logged) return position
    throw staleCursor(cursor)
  }

  /** The floor rises above what is forgotten. */
  #forget(): void {
    const byTime = [...this.#seen].sort(([, a], [, b]) => b - a)
    const [, floorMs] = byTime[KEPT_IDS] as [string, number]
    this.#seen = new Map(byTime.slice(0, KEPT_IDS))
    this.#floorMs = Math.max(this.#floorMs as number, floorMs)
  }
}

function msOf({eventTime}: Trade): number {
  return Math.floor(eventTime / US_PER_MS)
}

export function staleCursor(cursor: string): InvalidInputError {
  return new InvalidInputError(`'${cursor.slice(0, 80)}' is not a cursor of this market here, or of too long ago`, {
    remedy: ['leave the cursor out to start from the newest trades; it holds for the process that gave it'],
  })
}
