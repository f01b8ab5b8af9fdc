export interface LimitOptions {
  /** Requests at once that are always allowed. */
  readonly min: number
  readonly max: number
  /** At first. Latency alone never takes the limit below, nor keeps it there: nodes may be slow for what they are. */
  readonly start: number
  /** While requests take less, more of them are let go at once. */
  readonly targetMs: number
}

/** At a latency so far above the target the servers have queues of their own. */
const SLOW_FACTOR = 2
const SLOW_DECREASE = 0.8
const FAILED_DECREASE = 0.5
/** A limit that is not used says nothing about what more would do. */
const USED_SHARE = 0.75

/**
 * How many requests may be under way: one more for each round of answers within the target (and twice as many until the first trouble), a part less where
 * they take far longer, half on timeouts and refusals. Requests that were sent before the last decrease tell nothing new: one decrease a round trip.
 */
export class AdaptiveLimit {
  #options: LimitOptions
  #limit: number
  #inFlight = 0
  #untroubled = true
  #decreasedAtMs = Number.NEGATIVE_INFINITY

  constructor(options: LimitOptions) {
    this.#options = options
    this.#limit = options.start
  }

  get limit(): number {
    return Math.floor(this.#limit)
  }

  get inFlight(): number {
    return this.#inFlight
  }

  get free(): boolean {
    return this.#inFlight < this.limit
  }

  /** Other bounds and another target, from now on. */
  change(options: LimitOptions): void {
    this.#options = options
    this.#limit = Math.min(options.max, Math.max(options.min, this.#limit))
  }

  /** A request is sent. */
  enter(): void {
    this.#inFlight += 1
  }

  /** It was answered well. Times are of one clock that never steps back. */
  succeeded(sentAtMs: number, nowMs: number): void {
    const {targetMs, start, max} = this.#options
    const wasUsed = this.#inFlight >= this.limit * USED_SHARE
    this.#inFlight -= 1
    const tookMs = nowMs - sentAtMs
    if (tookMs <= targetMs || this.#limit < start) {
      if (wasUsed) this.#limit = Math.min(max, this.#limit + (this.#untroubled ? 1 : 1 / this.#limit))
    } else if (tookMs > targetMs * SLOW_FACTOR) {
      this.#decrease(SLOW_DECREASE, start, sentAtMs, nowMs)
    }
  }

  /** It timed out, or the servers asked for less. */
  failed(sentAtMs: number, nowMs: number): void {
    this.#inFlight -= 1
    this.#decrease(FAILED_DECREASE, this.#options.min, sentAtMs, nowMs)
  }

  /** It was answered in a way that says nothing about load. */
  left(): void {
    this.#inFlight -= 1
  }

  #decrease(factor: number, floor: number, sentAtMs: number, nowMs: number): void {
    if (sentAtMs < this.#decreasedAtMs) return
    this.#untroubled = false
    this.#decreasedAtMs = nowMs
    this.#limit = Math.max(floor, this.#limit * factor)
  }
}
