import type {Clock} from '../../core/context.ts'

export interface RateLimit {
  readonly count: number
  readonly perMs: number
}

/** At most `count` grants in any window of `perMs`, shared by all who ask. */
export class RateLimiter {
  readonly #limit: RateLimit
  readonly #clock: Clock
  /** Times of the last `count` grants, oldest first. */
  readonly #grants: number[] = []
  #blockedUntilMs = 0

  constructor(limit: RateLimit, clock: Clock) {
    this.#limit = limit
    this.#clock = clock
  }

  /** Resolves when the next request may be made; rejects with AbortedError when `signal` aborts. */
  async acquire(signal: AbortSignal): Promise<void> {
    for (let waitMs = this.#waitMs(); waitMs > 0; waitMs = this.#waitMs()) await this.#clock.sleep(waitMs, signal)
    this.#grants.push(this.#clock.monotonicMs())
    if (this.#grants.length > this.#limit.count) this.#grants.shift()
  }

  /** Grants nothing for `ms`: the other side asked for it. */
  block(ms: number): void {
    this.#blockedUntilMs = Math.max(this.#blockedUntilMs, this.#clock.monotonicMs() + ms)
  }

  /** The other side counts the budget of this window as spent, perhaps by others behind the same address. */
  blockUntilNextWindow(): void {
    // With our own budget spent, the limit holds us back anyway.
    if (this.#grants.length < this.#limit.count) this.block(this.#limit.perMs)
  }

  #waitMs(): number {
    const nowMs = this.#clock.monotonicMs()
    const blockedMs = this.#blockedUntilMs - nowMs
    const [oldest] = this.#grants
    if (oldest === undefined || this.#grants.length < this.#limit.count) return blockedMs
    return Math.max(blockedMs, oldest + this.#limit.perMs - nowMs)
  }
}
