import type {Clock} from '../../src/lib/core/context.ts'
import {AbortedError} from '../../src/lib/core/errors.ts'

/** A clock that stands still until somebody sleeps: then it jumps to the end of that sleep. */
export class FakeClock implements Clock {
  #nowMs: number

  constructor(startMs = 1_700_000_000_000) {
    this.#nowMs = startMs
  }

  nowUs(): number {
    return this.#nowMs * 1000
  }

  monotonicMs(): number {
    return this.#nowMs
  }

  advance(ms: number): void {
    this.#nowMs += ms
  }

  async sleep(ms: number, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted) throw new AbortedError()
    this.#nowMs += ms
  }
}
