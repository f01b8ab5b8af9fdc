import {orLate} from '../../bus/deadline.ts'
import {AbortedError, CoinpipeError} from '../../core/errors.ts'
import type {HealthState} from '../../core/health.ts'
import type {BusAdmin} from '../../core/ports/bus.ts'
import type {ProgressFields} from '../../observability/progress.ts'
import type {SystemContext} from '../system.ts'
import {type Backlog, lookAtBacklog, totalConsumed} from './backlog.ts'
import {type Decision, decide, type Figures, type Reason, type ScaleLimits, type ScalerState, startScaler} from './decide.ts'
import type {WorkerPool} from './pool.ts'

export interface ScalerOptions {
  readonly kind: string
  readonly group: string
  readonly limits: ScaleLimits
  readonly intervalMs: number
  readonly bus: BusAdmin
  readonly pool: WorkerPool
}

/** A look that takes longer is none. */
const LOOK_MS = 10_000

/** A human may have to do something. */
const WORTH_A_WARNING: ReadonlySet<Reason> = new Set<Reason>([
  'nothing is written',
  'more workers did not help',
  'as many workers as allowed',
])

/** Looks at the group again and again, decides, has the pool follow, and says why. */
export class Scaler {
  readonly #options: ScalerOptions
  readonly #context: SystemContext
  #state: ScalerState
  #last: Decision
  /** Records behind the group at the first look, and at the last. */
  #consumed: {readonly first: number; readonly last: number} | undefined
  #peak: number
  #changes = 0

  constructor(options: ScalerOptions, context: SystemContext) {
    const {min} = options.limits
    this.#options = options
    this.#context = context
    this.#state = startScaler(min, context.clock.monotonicMs())
    this.#last = {workers: min, reason: 'settling', figures: null}
    this.#peak = min
  }

  get peak(): number {
    return this.#peak
  }

  get changes(): number {
    return this.#changes
  }

  get lag(): number | null {
    return this.#last.figures?.lag ?? null
  }

  progress(): ProgressFields {
    const {workers, figures} = this.#last
    const values = {workers: `${this.#options.pool.running} of ${workers}`, ...(figures === null ? {lag: 'unknown'} : shown(figures))}
    const {first, last} = this.#consumed ?? {first: 0, last: 0}
    return {totals: {[this.#options.kind]: Math.max(0, last - first)}, values}
  }

  /** Until the signal aborts. Rejects only with what is a bug: a bus that is away is waited for. */
  async run(signal: AbortSignal): Promise<void> {
    const {clock} = this.#context
    while (!signal.aborted) {
      const look = await this.#look(signal)
      if (!signal.aborted) this.#step(look)
      await clock.sleep(this.#options.intervalMs, signal).catch(ignoreStop)
    }
  }

  #step(look: Backlog | null): void {
    const {limits, pool, kind} = this.#options
    const {state, decision} = decide(this.#state, look, limits)
    this.#say(decision)
    this.#changes += decision.workers === this.#last.workers ? 0 : 1
    this.#peak = Math.max(this.#peak, decision.workers)
    this.#state = state
    this.#last = decision
    if (look !== null) this.#consumed = {first: this.#consumed?.first ?? totalConsumed(look), last: totalConsumed(look)}
    pool.scale(decision.workers)
    const {metrics, health} = this.#context
    health.set(kind, stateOf(pool.running, decision.workers), `${pool.running} of ${decision.workers} workers run`)
    metrics.gauge('coinpipe_workers_wanted').set(decision.workers, {component: kind})
    metrics.gauge('coinpipe_workers_running').set(pool.running, {component: kind})
    if (decision.figures) metrics.gauge('coinpipe_component_lag_records').set(decision.figures.lag, {component: kind})
  }

  /** Each change, and each new reason for none. */
  #say({workers, reason, figures}: Decision): void {
    const {logger} = this.#context
    const from = this.#last.workers
    const fields = {reason, ...(figures === null ? {} : rounded(figures))}
    if (workers !== from) logger.info({from, to: workers, ...fields}, workers > from ? 'starting workers' : 'stopping workers')
    else if (reason === this.#last.reason || reason === 'settling') return
    else if (WORTH_A_WARNING.has(reason)) logger.warn({workers, ...fields}, 'the number of workers stays, though the sink is behind')
    else logger.info({workers, ...fields}, 'the number of workers stays')
  }

  async #look(signal: AbortSignal): Promise<Backlog | null> {
    const {bus, group} = this.#options
    const {clock, logger, health} = this.#context
    try {
      const look = await orLate(
        lookAtBacklog(bus, group, () => clock.monotonicMs()),
        LOOK_MS,
        'looking at the group',
      )
      health.set('bus', 'up')
      return look
    } catch (error) {
      if (!(error instanceof CoinpipeError)) throw error
      health.set('bus', 'degraded', error.message)
      if (!signal.aborted && this.#last.reason !== 'lag unknown')
        logger.warn({code: error.code, reason: error.message}, 'the group could not be looked at')
      return null
    }
  }
}

function stateOf(running: number, wanted: number): HealthState {
  if (running >= wanted) return 'up'
  return running > 0 ? 'degraded' : 'down'
}

function shown({lag, zeroInMs}: Figures): Readonly<Record<string, number | string>> {
  return {lag, 'to zero': zeroInMs === null ? 'never at this rate' : `${Math.round(zeroInMs / 1000)}s`}
}

function rounded({arrivedPerSecond, consumedPerSecond, zeroInMs, ...figures}: Figures): object {
  return {
    ...figures,
    arrivedPerSecond: Math.round(arrivedPerSecond),
    consumedPerSecond: Math.round(consumedPerSecond),
    zeroInMs: zeroInMs === null ? null : Math.round(zeroInMs),
  }
}

function ignoreStop(error: unknown): void {
  if (!(error instanceof AbortedError)) throw error
}
