import type {Context} from '../core/context.ts'
import {AbortedError, isRetryable} from '../core/errors.ts'
import type {BusAdmin} from '../core/ports/bus.ts'
import {viewGroups} from './groups.ts'
import {type GroupVerdict, LagWindows} from './lag-windows.ts'

export interface WatchLagOptions {
  /** Default: all groups that there are at each look. */
  readonly group?: string | undefined
  readonly intervalMs: number
}

/** Looks at groups every `intervalMs` and judges them, until the signal aborts. A look that fails for a passing reason is logged and left out. */
export async function* watchLag(
  admin: BusAdmin,
  {group, intervalMs}: WatchLagOptions,
  {clock, signal, logger}: Context,
): AsyncGenerator<readonly GroupVerdict[]> {
  const windows = new LagWindows()
  while (!signal.aborted) {
    try {
      const views = await viewGroups(admin, group === undefined ? await admin.listGroups() : [group])
      yield windows.observe(
        views.flatMap(({lag}) => lag),
        clock.monotonicMs(),
      )
    } catch (error) {
      if (signal.aborted) return
      if (!isRetryable(error)) throw error
      logger.warn({code: error.code, reason: error.message}, 'the groups could not be looked at; trying again')
    }
    await waited(clock.sleep(intervalMs, signal))
  }
}

/** Being stopped is how the watch ends. */
async function waited(sleep: Promise<void>): Promise<void> {
  try {
    await sleep
  } catch (error) {
    if (!(error instanceof AbortedError)) throw error
  }
}
