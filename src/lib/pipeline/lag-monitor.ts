import type {Context} from '../core/context.ts'
import type {BusAdmin} from '../core/ports/bus.ts'
import {LagEstimate, type LagReading} from './lag-estimate.ts'

export interface LagMonitorOptions {
  readonly admin: Pick<BusAdmin, 'lag'>
  readonly group: string
  /** Metrics label. */
  readonly component: string
  /** Told once, when the group has caught up for the first time. */
  readonly onCaughtUp?: ((after: CaughtUp) => void) | undefined
}

/** What a group has worked off from the start of the watch until it had caught up, all its members together. */
export interface CaughtUp {
  readonly records: number
  readonly seconds: number
}

const PERIOD_MS = 2000
const SHORT_MS = 200

/** Looks at the lag of a group at a modest pace, for metrics and progress. It never stands in the way: a look that fails is left out. */
export class LagMonitor {
  readonly #options: LagMonitorOptions
  readonly #context: Context
  readonly #estimate = new LagEstimate()
  #start: {readonly atMs: number; readonly done: number} | null = null
  #caughtUp: CaughtUp | null = null

  constructor(options: LagMonitorOptions, context: Context) {
    this.#options = options
    this.#context = context
  }

  /** The newest look; null before the first. */
  get reading(): LagReading | null {
    return this.#estimate.reading
  }

  /** Only where somebody wants to be told. */
  get caughtUp(): CaughtUp | null {
    return this.#caughtUp
  }

  /** Looks until `signal` aborts. Never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.#look(signal)
      await this.#context.clock.sleep(this.#pauseMs(), signal).catch(() => undefined)
    }
  }

  async #look(signal: AbortSignal): Promise<void> {
    const {admin, group} = this.#options
    const {clock, logger} = this.#context
    try {
      const partitions = await admin.lag(group)
      if (!signal.aborted) this.#estimate.add(partitions, clock.monotonicMs())
    } catch (error) {
      logger.debug({group, error}, 'the lag could not be looked at')
      return
    }
    this.#report()
  }

  #report(): void {
    const {reading, done} = this.#estimate
    if (reading === null) return
    const {component, onCaughtUp} = this.#options
    const {metrics, clock} = this.#context
    metrics.gauge('coinpipe_component_lag_records').set(reading.records, {component})
    if (reading.seconds !== null) metrics.gauge('coinpipe_component_catch_up_seconds').set(reading.seconds, {component})
    this.#start ??= {atMs: clock.monotonicMs(), done}
    if (onCaughtUp === undefined || this.#caughtUp !== null || !this.#estimate.caughtUp) return
    this.#caughtUp = {records: Math.max(0, done - this.#start.done), seconds: (clock.monotonicMs() - this.#start.atMs) / 1000}
    onCaughtUp(this.#caughtUp)
  }

  /** Shorter where somebody waits for the end of the lag and it is near. */
  #pauseMs(): number {
    if (this.#options.onCaughtUp === undefined || this.#caughtUp !== null) return PERIOD_MS
    const seconds = this.reading?.seconds ?? 0
    return Math.min(PERIOD_MS, Math.max(SHORT_MS, (seconds * 1000) / 2))
  }
}
