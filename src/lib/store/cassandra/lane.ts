import type {Partition} from './partitions.ts'
import type {Row} from './row.ts'

/** The rows of one partition that wait to be sent. */
export class Lane {
  readonly partition: Partition
  /** When the oldest row came. */
  sinceMs = 0
  bytes = 0
  /** Requests under way. */
  inFlight = 0
  /** Failed attempts in a row, since when, and when the next one may be. */
  failures = 0
  failingSinceMs = 0
  retryAtMs = 0
  #waiting: Row[] = []
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

  get waiting(): readonly Row[] {
    return this.#waiting
  }

  add(row: Row): void {
    const [other] = this.#waiting
    if (other === undefined) this.sinceMs = row.write?.startedMs ?? 0
    if (this.#isSingleRow && other) {
      const kept = newest(other, row)
      this.#waiting[0] = kept
      this.bytes = kept.bytes
    } else {
      this.#waiting.push(row)
      this.bytes += row.bytes
    }
  }

  /** Rows that are to be sent again go first. */
  putBack(rows: readonly Row[]): void {
    const later = this.#waiting
    this.#waiting = []
    this.bytes = 0
    for (const row of rows) this.add(row)
    for (const row of later) this.add(row)
  }

  /** At most so many rows and bytes, at least one row; rows that nobody waits for any more are handed to `forget`. */
  take(maxRows: number, maxBytes: number, forget: (row: Row) => void): Row[] {
    const taken: Row[] = []
    let bytes = 0
    let at = 0
    for (; at < this.#waiting.length && taken.length < maxRows; at++) {
      const row = this.#waiting[at] as Row
      if (!row.isWanted) {
        row.each(forget)
      } else if (taken.length > 0 && bytes + row.bytes > maxBytes) {
        break
      } else {
        taken.push(row)
        bytes += row.bytes
      }
      this.bytes -= row.bytes
    }
    this.#waiting = at === this.#waiting.length ? [] : this.#waiting.slice(at)
    this.sinceMs = this.#waiting[0]?.write?.startedMs ?? 0
    return taken
  }
}

/** The newer of two states, standing for both and for all that they stand for; of equals the later written. A state that comes stands for none yet. */
function newest(first: Row, second: Row): Row {
  const [newer, older] = second.timestamp >= first.timestamp ? [second, first] : [first, second]
  if (newer.replaced) {
    let last = older
    while (last.replaced) last = last.replaced
    last.replaced = newer.replaced
  }
  newer.replaced = older
  return newer
}
