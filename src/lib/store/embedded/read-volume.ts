import type {DatabaseSync, StatementSync} from 'node:sqlite'
import {fromScaled, PRODUCT_SCALE, toScaled} from '../../core/decimal-math.ts'
import type {MarketId, VolumeRow} from '../../core/ports/market-reader.ts'

/** Trades read in one step: a few milliseconds of work. */
const STEP_ROWS = 5000

interface Sum extends MarketId {
  base: bigint
  quote: bigint
  trades: number
}

/** Exact sums of the trades of a time range, a step at a time. */
export class VolumeScan {
  private readonly select: StatementSync
  private readonly to: number
  private readonly markets = new Map<number, MarketId>()
  private readonly sums = new Map<number, Sum>()
  private lastUs: number
  private lastSeq = Number.MAX_SAFE_INTEGER

  constructor(database: DatabaseSync, {exchange, from, to}: {readonly exchange?: string; readonly from: number; readonly to: number}) {
    this.to = to
    // From just before `from`: the first step starts after (from - 1, every seq).
    this.lastUs = from - 1
    for (const row of database.prepare('SELECT id, exchange, symbol FROM markets').all()) {
      if (exchange === undefined || row.exchange === exchange) {
        this.markets.set(Number(row.id), {exchange: String(row.exchange), symbol: String(row.symbol)})
      }
    }
    this.select = database.prepare(`
      SELECT event_us, seq, market, price, size FROM trades
      WHERE (event_us, seq) > (?, ?) AND event_us < ? ORDER BY event_us, seq LIMIT ${STEP_ROWS}`)
  }

  /** Reads on; false when there is no more. */
  step(): boolean {
    const rows = this.select.all(this.lastUs, this.lastSeq, this.to)
    for (const row of rows) this.add(Number(row.market), String(row.price), String(row.size))
    const end = rows.at(-1)
    if (!end) return false
    this.lastUs = Number(end.event_us)
    this.lastSeq = Number(end.seq)
    return rows.length === STEP_ROWS
  }

  /** In the order of exchange and symbol; markets without trades are left out. */
  rows(): VolumeRow[] {
    return [...this.sums.values()]
      .map(({exchange, symbol, base, quote, trades}) => ({
        exchange,
        symbol,
        volumeBase: fromScaled(base),
        volumeQuote: fromScaled(quote, PRODUCT_SCALE),
        trades,
      }))
      .sort((a, b) => (a.exchange === b.exchange ? compare(a.symbol, b.symbol) : compare(a.exchange, b.exchange)))
  }

  private add(id: number, price: string, size: string): void {
    const market = this.markets.get(id)
    if (!market) return
    let sum = this.sums.get(id)
    if (!sum) {
      sum = {...market, base: 0n, quote: 0n, trades: 0}
      this.sums.set(id, sum)
    }
    const scaledSize = toScaled(size)
    sum.base += scaledSize
    sum.quote += toScaled(price) * scaledSize
    sum.trades++
  }
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
