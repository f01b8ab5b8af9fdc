import type {Context} from '../../core/context.ts'
import type {SourceItem} from '../../core/ports/source.ts'
import type {Micros, Trade} from '../../core/records.ts'
import type {FillResult, GapFiller} from '../feed/gap-desk.ts'
import type {ItemQueue} from '../feed/item-queue.ts'
import type {TradeGap} from '../feed/trade-gap.ts'
import type {TradeMarket} from '../feed/trade-lane.ts'
import {TRADES_MAX_DAYS_AGO} from './limits.ts'
import type {TradesPage, UpbitRest} from './rest.ts'
import {codesOf} from './subscription.ts'

export interface BackfillOptions {
  readonly rest: UpbitRest
  readonly queue: ItemQueue
  /** False gives every gap up. */
  readonly enabled: boolean
}

/** Trades of a page that the next one repeats: whether a cursor stands for an id or a place is not documented, and ids are out of order. */
const OVERLAP = 20
/** REST has caught up with the websocket once it shows the first trade after the gap. */
const LAG_ATTEMPTS = 10
const LAG_WAIT_MS = 1000
/** Rough size of a trade's text, for the queue's books. */
const TRADE_BYTES = 300

const US_PER_SECOND = 1_000_000
const US_PER_DAY = 86_400 * US_PER_SECOND

/** How the pages of one day ended. */
type DayEnd = 'reached' | 'exhausted' | 'stuck'

/** Fills gaps from Upbit's REST history of trades, newest page first. */
export class Backfill {
  readonly #options: BackfillOptions
  readonly #context: Context

  constructor(options: BackfillOptions, context: Context) {
    this.#options = options
    this.#context = context
  }

  readonly fill: GapFiller = async (market, gap, signal) => {
    if (!this.#options.enabled) return {state: 'unfillable', detail: 'back-fill is off'}
    return await new GapFill(market, gap, this.#options, this.#context, signal).run()
  }
}

class GapFill {
  readonly #market: TradeMarket
  readonly #gap: TradeGap
  readonly #code: string
  readonly #options: BackfillOptions
  readonly #context: Context
  readonly #signal: AbortSignal
  /** A trade from before the gap came by: the history reaches back far enough. */
  #metOld = false

  constructor(market: TradeMarket, gap: TradeGap, options: BackfillOptions, context: Context, signal: AbortSignal) {
    this.#market = market
    this.#gap = gap
    this.#code = codesOf([gap.symbol]).join()
    this.#options = options
    this.#context = context
    this.#signal = signal
  }

  /**
   * Day after day back in time, until a whole page is older than the gap. A day is not trusted to end where the clock says, as midnight may pass in
   * between: one more is looked at.
   */
  async run(): Promise<FillResult> {
    for (let daysAgo = 0; daysAgo <= TRADES_MAX_DAYS_AGO; daysAgo++) {
      const end = await this.#fillDay(daysAgo)
      if (end === 'reached') return {state: 'filled'}
      if (end === 'stuck') return this.#unfillable('more trades at one place than a page holds')
      if (daysAgo > this.#daysBack()) return this.#historyEnded()
    }
    return this.#unfillable(`REST goes back ${TRADES_MAX_DAYS_AGO} days`)
  }

  /** All that REST has was seen without a page older than the gap: fine where the trade before the gap was among it, or none is known. */
  #historyEnded(): FillResult {
    if (this.#metOld || this.#gap.fromId === undefined) return {state: 'filled'}
    return this.#unfillable('the history of REST begins later')
  }

  #unfillable(detail: string): FillResult {
    return {state: 'unfillable', detail}
  }

  #daysBack(): number {
    return utcDay(this.#context.clock.nowUs()) - utcDay(this.#gap.floor)
  }

  async #fillDay(daysAgo: number): Promise<DayEnd> {
    let page = daysAgo === 0 ? await this.#newestPage() : await this.#page({daysAgo})
    for (let previous: ReadonlySet<string> = new Set(); ; ) {
      if (page.trades.length === 0) return 'exhausted'
      await this.#publishMissing(page)
      if (page.trades.every((trade) => trade.eventTime < this.#gap.floor)) return 'reached'
      previous = new Set(page.trades.map((trade) => trade.tradeId))
      const next = await this.#pageAfter(page, daysAgo, previous)
      if (next === 'exhausted' || next === 'stuck') return next
      page = next
    }
  }

  /** The first page, once it shows the first trade after the gap. */
  async #newestPage(): Promise<TradesPage> {
    const {to, toId} = this.#gap
    const until = this.#timeOfDay()
    let page = await this.#page(until === undefined ? {daysAgo: 0} : {daysAgo: 0, to: until})
    if (to === null || toId === undefined || utcDay(to) !== utcDay(this.#context.clock.nowUs())) return page
    for (let attempt = 0; attempt < LAG_ATTEMPTS && newest(page) < to; attempt++) {
      await this.#context.clock.sleep(LAG_WAIT_MS, this.#signal)
      page = await this.#page({daysAgo: 0})
    }
    return page
  }

  /** Where the gap ended some time ago, newer trades need not be paged through. */
  #timeOfDay(): string | undefined {
    const now = this.#context.clock.nowUs()
    const until = this.#gap.ceiling + US_PER_SECOND
    if (until >= now || utcDay(until) !== utcDay(now)) return undefined
    return new Date(until / 1000).toISOString().slice(11, 19)
  }

  /** The page after `page`: overlapping it where that brings anything new, else right behind its last trade. */
  async #pageAfter(page: TradesPage, daysAgo: number, previous: ReadonlySet<string>): Promise<TradesPage | 'exhausted' | 'stuck'> {
    const isNews = (next: TradesPage) => next.trades.some((trade) => !previous.has(trade.tradeId))
    const tail = page.trades.slice(-OVERLAP).map((trade) => trade.tradeId)
    const overlapping = await this.#page({daysAgo, cursor: tail.reduce(higherId)})
    if (isNews(overlapping)) return overlapping
    const behind = await this.#page({daysAgo, cursor: tail.at(-1) ?? ''})
    if (behind.trades.length === 0) return 'exhausted'
    return isNews(behind) ? behind : 'stuck'
  }

  #page(query: {readonly daysAgo: number; readonly cursor?: string; readonly to?: string}): Promise<TradesPage> {
    return this.#options.rest.trades({code: this.#code, ...query}, this.#signal)
  }

  /** Resolves once the missing trades of a page are acked. */
  async #publishMissing({trades, rejected, body, receivedTime}: TradesPage): Promise<void> {
    const items = trades.filter((trade) => this.#isMissing(trade)).map((record): SourceItem => ({kind: 'record', record}))
    const found = items.length
    for (const {code, message} of rejected) items.push({kind: 'rejected', rejected: {frame: body, code, message, receivedTime}})
    if (items.length === 0) return
    await this.#options.queue.deliver(items, items.length * TRADE_BYTES)
    this.#gap.filled += found
    this.#context.metrics.counter('coinpipe_backfill_trades_total').add(found, {exchange: 'upbit'})
  }

  #isMissing(trade: Trade): boolean {
    const {floor, ceiling, from, fromId} = this.#gap
    if (trade.tradeId === fromId) this.#metOld = true
    if (trade.eventTime < floor || trade.eventTime > ceiling) return false
    if (this.#market.takeLate(this.#gap, trade)) return true
    if (trade.eventTime <= from) this.#metOld = true
    return false
  }
}

function newest(page: TradesPage): Micros {
  return page.trades.reduce((latest, trade) => Math.max(latest, trade.eventTime), Number.NEGATIVE_INFINITY)
}

function utcDay(time: Micros): number {
  return Math.floor(time / US_PER_DAY)
}

/** The higher of two ids, which are whole numbers beyond what a number holds exactly. */
function higherId(a: string, b: string): string {
  if (a.length !== b.length) return a.length > b.length ? a : b
  return a > b ? a : b
}
