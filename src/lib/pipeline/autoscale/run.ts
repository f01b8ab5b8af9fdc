import type {Config} from '../../config/load.ts'
import {createProgress} from '../../observability/progress.ts'
import {createBus} from '../bus.ts'
import {prepareDataFolder} from '../data-folder.ts'
import {retrying} from '../retry.ts'
import type {RunContext} from '../run.ts'
import type {ScaleLimits} from './decide.ts'
import {type Totals, WorkerPool} from './pool.ts'
import {Scaler} from './scaler.ts'
import type {WorkerCommand} from './worker.ts'

export interface AutoscaleOptions {
  /** The sink: label of the metrics. */
  readonly kind: string
  /** The group that its workers share. */
  readonly group: string
  readonly command: WorkerCommand
  readonly limits: ScaleLimits
  /** From one look at the group to the next. */
  readonly intervalMs: number
  /** How long a worker may take to finish before it is killed. */
  readonly drainMs: number
}

export interface AutoscaleSummary {
  readonly kind: string
  readonly group: string
  /** Most workers that were wanted at once; how often their number changed; how often one that ended by itself was started again. */
  readonly workers: {readonly peak: number; readonly changes: number; readonly restarts: number}
  /** Records between the end of the log and what is committed, at the last look; null where it is not known. */
  readonly lag: number | null
  /** Records by component, of all workers that could say it. */
  readonly records: Totals
}

/**
 * Runs as many workers of a sink as its lag needs, until the signal aborts; then lets all of them finish. They begin before the bus can be reached, and
 * wait for it by themselves. Rejects with WorkersFailedError where none of them can work.
 */
export async function runAutoscale(config: Config, options: AutoscaleOptions, context: RunContext): Promise<AutoscaleSummary> {
  prepareDataFolder(config.dataDir)
  const {kind, group, command, limits, drainMs} = options
  const over = new AbortController()
  const signal = AbortSignal.any([context.signal, over.signal])
  const bus = createBus(config, context)
  const pool = new WorkerPool({command, component: kind, drainMs}, context)
  const scaler = new Scaler({...options, bus, pool}, context)
  const progress = createProgress({stream: context.status, clock: context.clock, read: () => scaler.progress()})
  const scaling = async () => {
    await retrying(() => bus.connect(), {component: 'bus', stage: 'connect', signal}, context)
    await scaler.run(signal)
  }
  for (const component of ['bus', kind]) context.health.set(component, 'starting')
  pool.scale(limits.min)
  const run = scaling()
  try {
    await Promise.race([run, pool.failed])
  } finally {
    over.abort()
    await Promise.allSettled([run, pool.close()])
    progress.stop()
    await bus.close()
  }
  const {peak, changes, lag} = scaler
  return {kind, group, workers: {peak, changes, restarts: pool.restarts}, lag, records: pool.totals}
}

/** The summary as people read it. */
export function describeAutoscale({kind, group, workers, lag, records}: AutoscaleSummary): string[] {
  const {peak, changes, restarts} = workers
  const again = restarts > 0 ? `, ${restarts} started again` : ''
  return [
    `${kind}: up to ${peak} workers in group ${group}, their number changed ${changes} times${again}`,
    ...Object.entries(records).map(
      ([component, {received = 0, sent = 0}]) => `${component}: ${received} records in, ${sent} out, all workers together`,
    ),
    lag === null ? 'the lag is not known' : `lag at the end: ${lag} records`,
  ]
}
