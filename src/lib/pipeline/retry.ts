import pRetry, {type RetryContext} from 'p-retry'
import type {Context} from '../core/context.ts'
import {AbortedError, CoinpipeError, isRetryable} from '../core/errors.ts'

export interface RetryPolicy {
  /** Component named in logs and metrics. */
  readonly component: string
  readonly stage: string
  /** Stops trying; the wait in between ends at once. */
  readonly signal: AbortSignal
  /** Attempts after the first; default without limit, so that only `signal` ends it. */
  readonly retries?: number
  readonly minMs?: number
  readonly maxMs?: number
  /** Told of each failure after which it is tried again, in place of a line in the log. */
  readonly onFailure?: (error: CoinpipeError, attempt: number) => void
}

const MIN_MS = 50
const MAX_MS = 5000

/**
 * Runs `work` until it succeeds, by the error's own word: `never` passes on at once, `later` waits at least what it asks for.
 * Waits grow exponentially with jitter up to a cap. Rejects with AbortedError when the signal aborts; it says what the last failure was,
 * and has its remedy and exit code.
 */
export async function retrying<T>(work: () => Promise<T>, policy: RetryPolicy, context: Context): Promise<T> {
  let last: unknown
  try {
    return await pRetry(work, {
      retries: policy.retries ?? Number.POSITIVE_INFINITY,
      factor: 2,
      minTimeout: policy.minMs ?? MIN_MS,
      maxTimeout: policy.maxMs ?? MAX_MS,
      randomize: true,
      signal: policy.signal,
      shouldRetry: ({error}) => isRetryable(error),
      onFailedAttempt: async (attempt) => {
        last = attempt.error
        report(attempt, policy, context)
        const {error} = attempt
        if (error instanceof CoinpipeError && error.retry.kind === 'later' && error.retry.afterMs !== undefined) {
          await context.clock.sleep(error.retry.afterMs, policy.signal)
        }
      },
    })
  } catch (error) {
    if (policy.signal.aborted && !(error instanceof CoinpipeError && error === last)) {
      throw stoppedWhileRetrying(policy, last ?? error)
    }
    throw error
  }
}

function stoppedWhileRetrying({component, stage}: RetryPolicy, cause: unknown): AbortedError {
  const what = `${component} stopped while ${stage} was being retried`
  if (!(cause instanceof CoinpipeError)) return new AbortedError(what, {cause})
  return new AbortedError(`${what}: ${cause.message}`, {cause, remedy: cause.remedy, exitCode: cause.exitCode})
}

function report({error, attemptNumber}: RetryContext, policy: RetryPolicy, context: Context): void {
  const code = error instanceof CoinpipeError ? error.code : 'COINPIPE_BUG'
  context.metrics.counter('coinpipe_component_errors_total').add(1, {component: policy.component, stage: policy.stage, code})
  if (!isRetryable(error)) return
  context.metrics.counter('coinpipe_retries_total').add(1, {component: policy.component, code})
  if (policy.onFailure) {
    policy.onFailure(error, attemptNumber)
    return
  }
  context.logger.warn(
    {
      component: policy.component,
      stage: policy.stage,
      code,
      attempt: attemptNumber,
      reason: error.message,
      ...(attemptNumber === 1 ? {remedy: error.remedy} : {}),
    },
    'trying again',
  )
}
