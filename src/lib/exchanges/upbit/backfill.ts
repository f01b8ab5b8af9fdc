import type {Context} from '../../core/context.ts'
import type {SourceItem} from '../../core/ports/source.ts'
import type {Micros, Trade} from '../../core/records.ts'
import type {FillResult, GapFiller} from '../feed/gap-desk.ts'
import type {ItemQueue} from '../feed/item-queue.ts'
import type {TradeGap} from '../feed/trade-gap.ts'
import type {TradeMarket} from '../feed/trade-lane.ts'
import {TRADES_MAX_DAYS_AGO, TRADES_PER_PAGE} from './limits.ts'
import type {TradesPage, UpbitRest} from './rest.ts'
import {codesOf} from './subscription.ts'

export interface BackfillOptions {
  readonly rest: UpbitRest
  readonly queue: ItemQueue
  /** False gives every gap up. */
  readonly enabled: boolean
}

/** History is read in pages of this many, five to a request: once all of one are older than the gap, it ends. Disorder is 2 s, the gap is widened by 5 s. */
const OLD_RUN = 100
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
type DayEnd = 'reached' | 'exhausted' | 'stuck' | 'unreadable'

/** Fills gaps from Upbit's REST history of trades, newest page first. */
export class Backfill {
  readonly #options: BackfillOptions
  readonly #context: Context

  constructor(options: BackfillOptions, context: Context) {
    this.#options = options
    this.#context = context
  }

  readonly fill: GapFiller = async (market, gaps, signal) => {
    if (!this.#options.enabled) return {state: 'unfillable', detail: 'back-fill is off'}
    return await new GapFill(market, gaps, this.#options, this.#context, signal).run()
  }
}

class GapFill {
  readonly #market: TradeMarket
  readonly #gaps: readonly TradeGap[]
  /** No missing trade is older, or newer. */
  readonly #floor: Micros
  readonly #ceiling: Micros
  readonly #code: string
  readonly #options: BackfillOptions
  readonly #context: Context
  readonly #signal: AbortSignal
  /** A trade from before the gap came by: the history reaches back far enough. */
  #metOld = false

  constructor(market: TradeMarket, gaps: readonly TradeGap[], options: BackfillOptions, context: Context, signal: AbortSignal) {
    this.#market = market
    this.#gaps = gaps
    this.#floor = Math.min(...gaps.map((gap) => gap.floor))
    this.#ceiling = Math.max(...gaps.map((gap) => gap.ceiling))
    this.#code = codesOf([market.symbol]).join()
    this.#options = options
    this.#context = context
    this.#signal = signal
  }

  /**
   * Day after day back in time, until a whole page is older than the gaps. A day is not trusted to end where the clock says, as midnight may pass in
   * between: one more is looked at.
   */
  async run(): Promise<FillResult> {
    if (this.#gaps.every((gap) => gap.isEmpty)) return {state: 'filled'}
    for (let daysAgo = 0; daysAgo <= TRADES_MAX_DAYS_AGO; daysAgo++) {
      const end = await this.#fillDay(daysAgo)
      if (end === 'reached') return {state: 'filled'}
      if (end === 'stuck') return this.#unfillable('more trades at one place than a page holds')
      if (end === 'unreadable') return this.#unfillable('REST answered with trades that cannot be read')
      if (daysAgo > this.#daysBack()) return this.#historyEnded()
    }
    if (this.#metOld) return {state: 'filled'}
    return this.#unfillable(`REST goes back ${TRADES_MAX_DAYS_AGO} days`)
  }

  /** All that REST has was seen without a page older than the gap: fine where the trade before the gap was among it, or none is known. */
  #historyEnded(): FillResult {
    if (this.#metOld || this.#gaps[0]?.fromId === undefined) return {state: 'filled'}
    return this.#unfillable('the history of REST begins later')
  }

  #unfillable(detail: string): FillResult {
    return {state: 'unfillable', detail}
  }

  #daysBack(): number {
    return utcDay(this.#context.clock.nowUs()) - utcDay(this.#floor)
  }

  async #fillDay(daysAgo: number): Promise<DayEnd> {
    let page = daysAgo === 0 ? await this.#newestPage() : await this.#page({daysAgo})
    for (let previous: ReadonlySet<string> = new Set(); ; ) {
      await this.#publishMissing(page)
      if (page.trades.length === 0) return page.rejected.length > 0 ? 'unreadable' : 'exhausted'
      if (page.trades.slice(-OLD_RUN).every((trade) => trade.eventTime < this.#floor)) return 'reached'
      previous = new Set(page.trades.map((trade) => trade.tradeId))
      const next = await this.#pageAfter(page, daysAgo, previous)
      if (next === 'exhausted' || next === 'stuck') return next
      page = next
    }
  }

  /** The first page, once it shows the first trade after the gap. */
  async #newestPage(): Promise<TradesPage> {
    const {to, toId} = this.#gaps.at(-1) ?? {}
    const until = this.#timeOfDay()
    let page = await this.#page(until === undefined ? {daysAgo: 0} : {daysAgo: 0, to: until})
    if (typeof to !== 'number' || toId === undefined || utcDay(to) !== utcDay(this.#context.clock.nowUs())) return page
    for (let attempt = 0; attempt < LAG_ATTEMPTS && newest(page) < to; attempt++) {
      await this.#context.clock.sleep(LAG_WAIT_MS, this.#signal)
      page = await this.#page({daysAgo: 0})
    }
    return page
  }

  /** Where the gap ended some time ago, newer trades need not be paged through. */
  #timeOfDay(): string | undefined {
    const now = this.#context.clock.nowUs()
    const until = this.#ceiling + US_PER_SECOND
    if (until >= now || utcDay(until) !== utcDay(now)) return undefined
    return new Date(until / 1000).toISOString().slice(11, 19)
  }

  /** The page after `page`: overlapping a full one where that brings anything new, else right behind its last trade. */
  async #pageAfter(page: TradesPage, daysAgo: number, previous: ReadonlySet<string>): Promise<TradesPage | 'exhausted' | 'stuck'> {
    const isNews = (next: TradesPage) => next.trades.some((trade) => !previous.has(trade.tradeId))
    const tail = page.trades.slice(-OVERLAP).map((trade) => trade.tradeId)
    if (page.trades.length >= TRADES_PER_PAGE) {
      const overlapping = await this.#page({daysAgo, cursor: tail.reduce(higherId)})
      if (isNews(overlapping)) return overlapping
    }
    const behind = await this.#page({daysAgo, cursor: tail.at(-1) ?? ''})
    if (behind.trades.length === 0) return 'exhausted'
    return isNews(behind) ? behind : 'stuck'
  }

  #page(query: {readonly daysAgo: number; readonly cursor?: string; readonly to?: string}): Promise<TradesPage> {
    return this.#options.rest.trades({code: this.#code, ...query}, this.#signal)
  }

  /** Resolves once the missing trades of a page are acked. */
  async #publishMissing({trades, rejected, body, receivedTime}: TradesPage): Promise<void> {
    const items: SourceItem[] = []
    const counts = new Map<TradeGap, number>()
    for (const record of trades) {
      const gap = this.#market.takeLate(this.#gaps, record)
      if (gap) {
        items.push({kind: 'record', record})
        counts.set(gap, (counts.get(gap) ?? 0) + 1)
      } else if (this.#isFromBefore(record)) this.#metOld = true
    }
    this.#context.metrics.counter('coinpipe_backfill_trades_total').add(items.length, {exchange: 'upbit'})
    for (const {code, message} of rejected) items.push({kind: 'rejected', rejected: {frame: body, code, message, receivedTime}})
    if (items.length > 0) await this.#options.queue.deliver(items, items.length * TRADE_BYTES)
    for (const [gap, count] of counts) gap.filled += count
  }

  /** Of a trade that is not missing: it came before the gaps. */
  #isFromBefore({tradeId, eventTime}: Trade): boolean {
    const [oldest] = this.#gaps
    return oldest !== undefined && (tradeId === oldest.fromId || (eventTime >= oldest.floor && eventTime <= oldest.from))
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
