import type {Random} from '../../core/context.ts'

export interface Backoff {
  /** Longest first wait. */
  readonly baseMs: number
  /** Longest wait ever. */
  readonly capMs: number
}

/** Exponential back-off with full jitter: uniform between 0 and `base * 2^attempt`, capped. `attempt` counts from 0. */
export function backoffMs(attempt: number, {baseMs, capMs}: Backoff, random: Random): number {
  return random() * Math.min(capMs, baseMs * 2 ** Math.min(attempt, 30))
}
