import {setTimeout as delay} from 'node:timers/promises'
import {DeadlineError} from '../core/errors.ts'

/** Waits for `work`, but not longer than `ms`: then rejects with DeadlineError. `work` itself goes on. */
export async function orLate<T>(work: Promise<T>, ms: number, what: string): Promise<T> {
  const timer = new AbortController()
  const late = delay(ms, undefined, {signal: timer.signal}).then(() => {
    throw new DeadlineError(`${what} took longer than ${ms / 1000} s`)
  })
  late.catch(() => undefined)
  try {
    return await Promise.race([work, late])
  } finally {
    timer.abort()
  }
}
