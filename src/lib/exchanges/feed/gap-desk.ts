import type {Context} from '../../core/context.ts'
import {AbortedError, CoinpipeError} from '../../core/errors.ts'
import type {Gap} from '../../core/records.ts'
import type {TradeGap} from './trade-gap.ts'
import type {TradeMarket} from './trade-lane.ts'

export interface FillResult {
  readonly state: 'filled' | 'unfillable'
  /** Why it is unfillable. */
  readonly detail?: string
}

/**
 * Looks for the missing trades of gaps of one market, oldest first, that overlap or nearly so. Counts what it finds there and resolves when all of that is
 * acked. Rejects with a retryable error to be asked again.
 */
export type GapFiller = (market: TradeMarket, gaps: readonly TradeGap[], signal: AbortSignal) => Promise<FillResult>

export interface GapDeskOptions {
  readonly exchange: string
  readonly fill: GapFiller
  readonly publish: (gap: Gap) => void
  /** Told of an error that is a bug. */
  readonly onFailure: (error: Error) => void
  readonly settleMs: number
  readonly refillMs: number
  readonly repeatMs: number
}

/** Markets worked on side by side; they share one budget of requests, so more would not be faster. */
const WORKERS = 4

/**
 * Keeps the books on trade gaps: says when one opens, has it filled once the new subscription is live, says how it ended, and repeats what is open, so that
 * the tail of the log always names it (see resume.ts).
 */
export class GapDesk {
  readonly #options: GapDeskOptions
  readonly #context: Context
  readonly #signal: AbortSignal
  readonly #open = new Set<TradeGap>()
  /** Gaps that may be filled, by market. A market's are filled together: after many drops they lie close, and history is paged through once. */
  readonly #ready = new Map<TradeMarket, TradeGap[]>()
  readonly #working = new Set<TradeMarket>()

  constructor(options: GapDeskOptions, context: Context, signal: AbortSignal) {
    this.#options = options
    this.#context = context
    this.#signal = signal
    const timer = setInterval(() => this.#repeat(), options.repeatMs)
    signal.addEventListener('abort', () => clearInterval(timer), {once: true})
  }

  opened(gap: TradeGap): void {
    this.#open.add(gap)
    this.#publish(gap, 'open')
  }

  /**
   * The end of a gap is known, because the subscription after it is live: what REST has now is all that was missed. Says so, because trades after that end
   * are complete again, also for a later run.
   */
  ready(market: TradeMarket, gap: TradeGap): void {
    this.#open.add(gap)
    this.#options.publish(gap.record('open', this.#context.clock.nowUs()))
    this.#later(this.#options.settleMs, market, [gap])
  }

  #later(ms: number, market: TradeMarket, gaps: readonly TradeGap[]): void {
    const start = () => {
      this.#ready.set(market, [...(this.#ready.get(market) ?? []), ...gaps])
      this.#work()
    }
    this.#context.clock.sleep(ms, this.#signal).then(start, ignoreAbort)
  }

  #work(): void {
    for (const [market, gaps] of this.#ready) {
      if (this.#working.size >= WORKERS) return
      if (this.#working.has(market)) continue
      const {together, rest} = firstCluster(gaps)
      if (rest.length > 0) this.#ready.set(market, rest)
      else this.#ready.delete(market)
      this.#start(market, together)
    }
  }

  #start(market: TradeMarket, gaps: readonly TradeGap[]): void {
    this.#working.add(market)
    this.#fill(market, gaps)
      .catch(this.#options.onFailure)
      .finally(() => {
        this.#working.delete(market)
        this.#work()
      })
  }

  async #fill(market: TradeMarket, gaps: readonly TradeGap[]): Promise<void> {
    try {
      const result = await this.#options.fill(market, gaps, this.#signal)
      for (const gap of gaps) this.#close(market, gap, result)
    } catch (error) {
      if (error instanceof AbortedError) return
      if (!(error instanceof CoinpipeError)) throw error
      this.#failed(market, gaps, error)
    }
  }

  #failed(market: TradeMarket, gaps: readonly TradeGap[], error: CoinpipeError): void {
    if (error.retry.kind === 'never') for (const gap of gaps) this.#close(market, gap, {state: 'unfillable', detail: error.message})
    else {
      this.#context.logger.warn({symbol: market.symbol, code: error.code, reason: error.message}, 'gap cannot be filled yet, trying again')
      this.#later(this.#options.refillMs, market, gaps)
    }
  }

  #close(market: TradeMarket, gap: TradeGap, {state, detail}: FillResult): void {
    this.#open.delete(gap)
    market.closeGap(gap)
    if (state === 'unfillable') this.#context.logger.error({symbol: gap.symbol, reason: detail}, 'trades may be missing for good')
    this.#publish(gap, state, detail)
  }

  #publish(gap: TradeGap, state: Gap['state'], detail?: string): void {
    this.#context.metrics.counter('coinpipe_feed_gaps_total').add(1, {exchange: this.#options.exchange, state})
    this.#options.publish(gap.record(state, this.#context.clock.nowUs(), detail))
  }

  #repeat(): void {
    const now = this.#context.clock.nowUs()
    for (const gap of this.#open) this.#options.publish(gap.record('open', now))
  }
}

/** The oldest gaps, as far as the time in which each may miss trades touches the next one's. */
function firstCluster(gaps: readonly TradeGap[]): {readonly together: TradeGap[]; readonly rest: TradeGap[]} {
  const sorted = [...gaps].sort((a, b) => a.from - b.from)
  let end = 0
  let ceiling = Number.NEGATIVE_INFINITY
  for (const gap of sorted) {
    if (end > 0 && gap.floor > ceiling) break
    ceiling = Math.max(ceiling, gap.ceiling)
    end++
  }
  return {together: sorted.slice(0, end), rest: sorted.slice(end)}
}

function ignoreAbort(error: unknown): void {
  // Stopping leaves gaps open: the next start goes on with them.
  if (!(error instanceof AbortedError)) throw error
}
