import type {Clock} from '../../core/context.ts'
import {isRetryable, NotConnectedError} from '../../core/errors.ts'

const FIRST_WAIT_MS = 50
const LONGEST_WAIT_MS = 1_000

/** Does it again, ever more slowly, while its error says that this may help; after `deadlineMs` the last error stands. Only for what may be repeated. */
export async function untilDone<T>(
  work: () => Promise<T>,
  {clock, deadlineMs, signal}: {readonly clock: Clock; readonly deadlineMs: number; readonly signal?: AbortSignal},
): Promise<T> {
  const endMs = clock.monotonicMs() + deadlineMs
  for (let waitMs = FIRST_WAIT_MS; ; waitMs = Math.min(waitMs * 2, LONGEST_WAIT_MS)) {
    try {
      return await work()
    } catch (error) {
      // Closed is closed: nothing in here opens it again.
      if (!isRetryable(error) || error instanceof NotConnectedError || clock.monotonicMs() + waitMs > endMs) throw error
      await clock.sleep(waitMs, signal)
    }
  }
}
