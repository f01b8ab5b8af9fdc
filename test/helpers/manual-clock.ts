import type {Clock} from '../../src/lib/core/context.ts'
import {AbortedError} from '../../src/lib/core/errors.ts'

interface Sleeper {
  readonly atMs: number
  readonly wake: () => void
}

/** A clock that only goes on when the test says so; sleepers wake in the order of their times. */
export class ManualClock implements Clock {
  #nowMs = 0
  readonly #sleepers = new Set<Sleeper>()

  nowUs(): number {
    return (1_700_000_000_000 + this.#nowMs) * 1000
  }

  monotonicMs(): number {
    return this.#nowMs
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted) return Promise.reject(new AbortedError())
    return new Promise((resolve, reject) => {
      const sleeper = {atMs: this.#nowMs + ms, wake: resolve}
      this.#sleepers.add(sleeper)
      signal?.addEventListener('abort', () => {
        this.#sleepers.delete(sleeper)
        reject(new AbortedError())
      })
    })
  }

  /** Goes on by `ms`, and lets all that happens meanwhile happen. */
  async advance(ms: number): Promise<void> {
    const untilMs = this.#nowMs + ms
    for (;;) {
      await settled()
      const [next] = [...this.#sleepers].filter(({atMs}) => atMs <= untilMs).sort((a, b) => a.atMs - b.atMs)
      if (!next) break
      this.#sleepers.delete(next)
      this.#nowMs = Math.max(this.#nowMs, next.atMs)
      next.wake()
    }
    this.#nowMs = untilMs
    await settled()
  }
}

/** Lets all that is ready to run, run. */
export function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
