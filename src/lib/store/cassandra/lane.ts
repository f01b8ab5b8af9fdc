import type {Partition} from './partitions.ts'
import {bytesOf, isWanted, type Waiting, withReplaced} from './pending-write.ts'

/** The rows of one partition that wait to be sent. */
export class Lane {
  readonly partition: Partition
  /** When the oldest row came. */
  sinceMs = 0
  /** Failed attempts in a row, and when the next one may be. */
  failures = 0
  retryAtMs = 0
  bytes = 0
  /** Requests under way. */
  inFlight = 0
  #waiting: Waiting[] = []
  readonly #isSingleRow: boolean

  constructor(partition: Partition) {
    this.partition = partition
    this.#isSingleRow = partition.table.clustering.length === 0
  }

  get rows(): number {
    return this.#waiting.length
  }

  get isIdle(): boolean {
    return this.rows === 0 && this.inFlight === 0
  }

  add(waiting: Waiting): void {
    if (this.rows === 0) this.sinceMs = waiting.write.startedMs
    const [other] = this.#waiting
    if (this.#isSingleRow && other) {
      this.#waiting = [newest(other, waiting)]
      this.bytes = bytesOf(this.#waiting[0] as Waiting)
    } else {
      this.#waiting.push(waiting)
      this.bytes += bytesOf(waiting)
    }
  }

  /** Rows that are to be sent again go first. */
  putBack(rows: readonly Waiting[]): void {
    const later = this.#waiting
    this.#waiting = []
    this.bytes = 0
    for (const row of [...rows, ...later]) this.add(row)
  }

  /** At most so many rows and bytes, at least one row; rows that nobody waits for any more are handed to `forget`. */
  take(maxRows: number, maxBytes: number, forget: (waiting: Waiting) => void): Waiting[] {
    const taken: Waiting[] = []
    let bytes = 0
    let at = 0
    for (; at < this.#waiting.length && taken.length < maxRows; at++) {
      const row = this.#waiting[at] as Waiting
      const size = bytesOf(row)
      if (!isWanted(row)) {
        withReplaced(row, forget)
      } else if (taken.length > 0 && bytes + size > maxBytes) {
        break
      } else {
        taken.push(row)
        bytes += size
      }
      this.bytes -= size
    }
    this.#waiting = at === this.#waiting.length ? [] : this.#waiting.slice(at)
    this.sinceMs = this.#waiting[0]?.write.startedMs ?? 0
    return taken
  }
}

/** The newer of two states, standing for both; of equals the later written. */
function newest(first: Waiting, second: Waiting): Waiting {
  const [newer, older] = second.row.timestamp >= first.row.timestamp ? [second, first] : [first, second]
  let last = newer
  while (last.replaced) last = last.replaced
  last.replaced = older
  return newer
}
