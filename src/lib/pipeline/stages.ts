import type {Context} from '../core/context.ts'
import {drainDeadline} from './drain.ts'
import type {LagMonitor} from './lag-monitor.ts'

/** One part of a running pipeline. */
export interface Stage {
  readonly name: string
  /** Label of its metrics. */
  readonly component?: string
  /** How far behind it is, for progress and the summary. */
  readonly lag?: Pick<LagMonitor, 'reading' | 'caughtUp'>
  /** Works until `signal` aborts and then finishes what it has begun. */
  run(signal: AbortSignal): Promise<void>
  /** Resolves true once all that the earlier stages handed on is worked off; false where `deadline` came first. */
  caughtUp?(deadline: AbortSignal): Promise<boolean>
}

interface Running {
  readonly stage: Stage
  readonly stop: AbortController
  readonly ended: Promise<void>
}

/**
 * Runs stages side by side, given in the order of the data. On the stop, or when one fails, they stop one after the other: the first at once, each
 * later one when it has worked off what came before. Rejects with the first failure, after all have ended.
 */
export async function runStages(stages: readonly Stage[], signal: AbortSignal, context: Context): Promise<void> {
  const over = new AbortController()
  let failure: unknown
  const fail = (stage: Stage, error: unknown) => {
    context.logger.error({stage: stage.name, error}, 'stage failed, stopping all')
    failure ??= error
    over.abort()
  }
  const running = stages.map((stage) => start(stage, fail))
  const stop = AbortSignal.any([signal, over.signal])
  await untilAborted(stop)
  const deadline = drainDeadline(stop)
  for (const {stage, stop: stopStage, ended} of running) {
    if (failure === undefined && stage.caughtUp && !(await stage.caughtUp(deadline))) {
      context.logger.warn({stage: stage.name}, 'stopped before it had caught up; it goes on from there at the next start')
    }
    stopStage.abort()
    await ended
  }
  if (failure !== undefined) throw failure
}

function start(stage: Stage, fail: (stage: Stage, error: unknown) => void): Running {
  const stop = new AbortController()
  const ended = stage.run(stop.signal).then(
    () => undefined,
    (error: unknown) => fail(stage, error),
  )
  return {stage, stop, ended}
}

function untilAborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve()
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), {once: true}))
}
