import type {Counters} from './stats.ts'
import type {TradeBatch} from './upbit/exchange.ts'

/** Faults that wait for traffic: they wear off by being used. */
export class FaultState {
  private readonly counters: Counters
  private toSkip = 0
  private toDuplicate = 0
  private statuses: {readonly status: number; left: number}[] = []
  private delays: {readonly delayMs: number; left: number}[] = []

  constructor(counters: Counters) {
    this.counters = counters
  }

  skip(count: number): void {
    this.toSkip += count
  }

  duplicate(count: number): void {
    this.toDuplicate += count
  }

  answerWith(status: number, count: number): void {
    this.statuses.push({status, left: count})
  }

  delayBy(delayMs: number, count: number): void {
    this.delays.push({delayMs, left: count})
  }

  /** The status that the next REST request is to get in place of an answer; null for none. */
  nextStatus(): number | null {
    return next(this.statuses)?.status ?? null
  }

  nextDelayMs(): number {
    return next(this.delays)?.delayMs ?? 0
  }

  /** What is sent of a batch: without trades to skip, with trades to repeat. */
  shape(batch: TradeBatch): TradeBatch {
    if (this.toSkip === 0 && this.toDuplicate === 0) return batch
    const skipped = Math.min(this.toSkip, batch.markets.length)
    this.toSkip -= skipped
    const repeated = Math.min(this.toDuplicate, batch.markets.length - skipped)
    this.toDuplicate -= repeated
    this.counters.faults.skipped += skipped
    this.counters.faults.duplicated += repeated
    const shaped = <T>(items: readonly T[]): T[] => [...items.slice(skipped), ...items.slice(skipped, skipped + repeated)]
    return {markets: shaped(batch.markets), full: shaped(batch.full), short: shaped(batch.short)}
  }
}

function next<T extends {left: number}>(queue: T[]): T | null {
  const first = queue[0]
  if (first === undefined) return null
  first.left--
  if (first.left <= 0) queue.shift()
  return first
}
