/** Counts requests in a sliding window, for the limits that the exchange documents. */
export class RateLimiter {
  private readonly limit: number
  private readonly windowMs: number
  private readonly taken: number[] = []

  constructor(limit: number, windowMs: number) {
    this.limit = limit
    this.windowMs = windowMs
  }

  /** Takes one, or refuses. */
  take(nowMs: number): boolean {
    if (this.remaining(nowMs) === 0) return false
    this.taken.push(nowMs)
    return true
  }

  remaining(nowMs: number): number {
    while (this.taken[0] !== undefined && this.taken[0] <= nowMs - this.windowMs) this.taken.shift()
    return this.limit - this.taken.length
  }
}
