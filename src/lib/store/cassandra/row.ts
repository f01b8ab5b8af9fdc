import type {Partition} from './partitions.ts'
import type {PendingWrite} from './pending-write.ts'
import type {Span} from './value-writer.ts'

/**
 * A row as it goes over the wire, and for which call of `write` it is on its way. One object for all of it: there are as many as records in flight, and
 * what is made of each is what the garbage collector has to do.
 */
export class Row implements Span {
  readonly partition: Partition
  /** Of states: the higher one stays. 0 of events. */
  readonly timestamp: number
  readonly chunk: Buffer
  readonly start: number
  readonly end: number
  /** Of its item in the batch. */
  index = 0
  write: PendingWrite | undefined = undefined
  /** A state that this newer one stands for: sent together, it would only be overwritten. */
  replaced: Row | undefined = undefined

  constructor(partition: Partition, timestamp: number, {chunk, start, end}: Span) {
    this.partition = partition
    this.timestamp = timestamp
    this.chunk = chunk
    this.start = start
    this.end = end
  }

  get bytes(): number {
    return this.end - this.start
  }

  /** Whether anybody still waits for it, or for one that it stands for. */
  get isWanted(): boolean {
    for (let row: Row | undefined = this; row; row = row.replaced) if (row.write?.settled === false) return true
    return false
  }

  /** Does something with it and all that it stands for. */
  each(fn: (row: Row) => void): void {
    for (let row: Row | undefined = this; row; row = row.replaced) fn(row)
  }
}
