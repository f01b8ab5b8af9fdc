import type {Clock} from '../../core/context.ts'
import type {BusMessage} from '../../core/ports/bus.ts'
import type {RecordType} from '../../core/records.ts'
import type {TableOptions} from './options.ts'
import {tableOf, ttlOf} from './tables.ts'

/** What is left of the time to live of rows, had they been written when their records came onto the bus. */
export class TimeToLive {
  readonly #tables: TableOptions
  readonly #clock: Clock
  readonly #seconds = new Map<RecordType, number | null>()

  constructor(tables: TableOptions, clock: Clock) {
    this.#tables = tables
    this.#clock = clock
  }

  /** Seconds, 0 for ever; `expired` where nothing is left. */
  remaining(type: RecordType, {timestampMs}: BusMessage): number | 'expired' {
    const seconds = this.#of(type)
    if (seconds === null) return 0
    // A bus whose clock is ahead of ours gives no row more time than its table does.
    const ageMs = Math.max(0, this.#clock.nowUs() / 1000 - timestampMs)
    const left = Math.ceil(seconds - ageMs / 1000)
    return left > 0 ? left : 'expired'
  }

  #of(type: RecordType): number | null {
    let seconds = this.#seconds.get(type)
    if (seconds === undefined) {
      seconds = ttlOf(tableOf(type, this.#tables.bucket), this.#tables)
      this.#seconds.set(type, seconds)
    }
    return seconds
  }
}
