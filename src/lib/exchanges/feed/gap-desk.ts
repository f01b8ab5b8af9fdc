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

/** Looks for the missing trades of one gap and counts them there; resolves when all it found is acked. Rejects with a retryable error to be asked again. */
export type GapFiller = (market: TradeMarket, gap: TradeGap, signal: AbortSignal) => Promise<FillResult>

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

/** Gaps filled side by side; they share one budget of requests, so more would not be faster. */
const WORKERS = 4

interface Job {
  readonly market: TradeMarket
  readonly gap: TradeGap
}

/**
 * Keeps the books on trade gaps: says when one opens, has it filled once the new subscription is live, says how it ended, and repeats what is open, so that
 * the tail of the log always names it (see resume.ts).
 */
export class GapDesk {
  readonly #options: GapDeskOptions
  readonly #context: Context
  readonly #signal: AbortSignal
  readonly #open = new Set<TradeGap>()
  readonly #jobs: Job[] = []
  #working = 0

  constructor(options: GapDeskOptions, context: Context, signal: AbortSignal) {
    this.#options = options
    this.#context = context
    this.#signal = signal
    const timer = setInterval(() => this.#repeat(), options.repeatMs)
    signal.addEventListener('abort', () => clearInterval(timer), {once: true})
  }

  opened(gap: TradeGap): void {
    this.#open.add(gap)
    this.#publish(gap.record('open', this.#context.clock.nowUs()))
  }

  /** The subscription after the gap is live: what REST has now is all that was missed. */
  ready(market: TradeMarket, gap: TradeGap): void {
    this.#later(this.#options.settleMs, {market, gap})
  }

  #later(ms: number, job: Job): void {
    const start = () => {
      this.#jobs.push(job)
      this.#work()
    }
    this.#context.clock.sleep(ms, this.#signal).then(start, ignoreAbort)
  }

  #work(): void {
    while (this.#working < WORKERS) {
      const job = this.#jobs.shift()
      if (!job) return
      this.#working++
      this.#fill(job)
        .catch(this.#options.onFailure)
        .finally(() => {
          this.#working--
          this.#work()
        })
    }
  }

  async #fill(job: Job): Promise<void> {
    try {
      this.#close(job, await this.#options.fill(job.market, job.gap, this.#signal))
    } catch (error) {
      if (error instanceof AbortedError) return
      if (!(error instanceof CoinpipeError)) throw error
      this.#failed(job, error)
    }
  }

  #failed(job: Job, error: CoinpipeError): void {
    if (error.retry.kind === 'never') this.#close(job, {state: 'unfillable', detail: error.message})
    else {
      this.#context.logger.warn({symbol: job.gap.symbol, code: error.code, reason: error.message}, 'gap cannot be filled yet, trying again')
      this.#later(this.#options.refillMs, job)
    }
  }

  #close({market, gap}: Job, {state, detail}: FillResult): void {
    this.#open.delete(gap)
    market.closeGap(gap)
    if (state === 'unfillable') this.#context.logger.error({symbol: gap.symbol, reason: detail}, 'trades may be missing for good')
    this.#publish(gap.record(state, this.#context.clock.nowUs(), detail))
  }

  #publish(gap: Gap): void {
    this.#context.metrics.counter('coinpipe_feed_gaps_total').add(1, {exchange: this.#options.exchange, state: gap.state})
    this.#options.publish(gap)
  }

  #repeat(): void {
    const now = this.#context.clock.nowUs()
    for (const gap of this.#open) this.#options.publish(gap.record('open', now))
  }
}

function ignoreAbort(error: unknown): void {
  // Stopping leaves gaps open: the next start goes on with them.
  if (!(error instanceof AbortedError)) throw error
}
