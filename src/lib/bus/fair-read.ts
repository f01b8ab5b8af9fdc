import type {BusMessage, TopicPartition} from '../core/ports/bus.ts'

export interface ReadRequest extends TopicPartition {
  readonly offset: number
  readonly maxRecords: number
  readonly maxBytes: number
  /** Return a record that is larger than `maxBytes` all the same, alone. */
  readonly atLeastOne: boolean
}

export interface ReadResult {
  readonly messages: readonly BusMessage[]
  /** Bytes of the values. */
  readonly bytes: number
  /** Where to go on. */
  readonly next: number
  /** Records that retention removed before they were read. */
  readonly missed: number
  /** Whether a limit, not the end of the log, ended the read. */
  readonly more: boolean
}

export interface Cursor extends TopicPartition {
  position: number
}

export interface Limits {
  readonly maxBatchRecords: number
  readonly maxBatchBytes: number
}

/**
 * One batch from several partitions. Each gets an equal share of what is left; what some don't use goes to the others in the next round. Moves the
 * cursors on. `read` answers null where the log cannot be read just now.
 */
export function readFairly(
  cursors: readonly Cursor[],
  limits: Limits,
  read: (request: ReadRequest) => ReadResult | null,
  onMissed: (cursor: Cursor, missed: number) => void,
): BusMessage[] {
  const batch: BusMessage[] = []
  let bytes = limits.maxBatchBytes
  let open = cursors
  while (open.length > 0) {
    const before = batch.length
    const wanting: Cursor[] = []
    for (const [index, cursor] of open.entries()) {
      const sharers = open.length - index
      const maxRecords = Math.ceil((limits.maxBatchRecords - batch.length) / sharers)
      if (maxRecords <= 0 || bytes <= 0) return batch
      const {topic, partition, position: offset} = cursor
      const result = read({topic, partition, offset, maxRecords, maxBytes: Math.ceil(bytes / sharers), atLeastOne: batch.length === 0})
      if (result === null) continue
      if (result.missed > 0) onMissed(cursor, result.missed)
      cursor.position = result.next
      bytes -= result.bytes
      for (const message of result.messages) batch.push(message)
      if (result.more) wanting.push(cursor)
    }
    if (batch.length === before) return batch
    open = wanting
  }
  return batch
}
