import type {BusMessage, TopicPartition} from '../../core/ports/bus.ts'
import type {ReadRequest, ReadResult} from '../fair-read.ts'
import {isAbort, isControl, isTransactional, type RecordBatch, RecordCursor, splitBatches} from './decode.ts'
import type {AbortedTransaction} from './fetch-api.ts'

interface Waiting {
  readonly batch: RecordBatch
  /** Offset after it and after what is left out behind it. */
  next: number
}

/** What was fetched of one partition and not read yet. */
export class FetchBuffer implements TopicPartition {
  readonly topic: string
  readonly partition: number
  /** Where the next record is, or one behind it. */
  #position: number
  #queue: Waiting[] = []
  #cursor: RecordCursor | null = null
  #missed = 0
  /** What the next read asks for where nothing is read again. */
  expected: number
  /** Offset to fetch from. */
  fetchOffset: number
  /** Bytes waiting, as fetched. */
  bytes = 0
  /** Changes with every jump: what was fetched for an earlier one is not wanted any more. */
  epoch = 0

  constructor({topic, partition}: TopicPartition, offset: number) {
    this.topic = topic
    this.partition = partition
    this.expected = offset
    this.#position = offset
    this.fetchOffset = offset
  }

  /** Goes on elsewhere; what is here is dropped. */
  seek(offset: number): void {
    this.expected = offset
    this.#position = offset
    this.fetchOffset = offset
    this.#queue = []
    this.#cursor = null
    this.#missed = 0
    this.bytes = 0
    this.epoch++
  }

  /** Goes on at the first record there is, which the next read tells: retention was faster, or the log was begun anew. */
  jump(earliest: number): void {
    const {expected} = this
    this.seek(earliest)
    this.expected = expected
    this.#missed = Math.max(0, earliest - expected)
  }

  /** Takes in what a fetch brought; `committed` leaves out what was aborted. */
  add(records: Buffer, aborted: readonly AbortedTransaction[], committed: boolean): void {
    const filter = new AbortedFilter(committed ? aborted : [])
    for (const batch of splitBatches(records, this)) {
      const {next} = batch
      const skip = filter.leavesOut(batch)
      if (next <= this.fetchOffset) continue
      this.fetchOffset = next
      const last = this.#queue.at(-1)
      if (!skip) {
        this.#queue.push({batch, next})
        this.bytes += batch.bytes.length
      } else if (last === undefined) this.#position = next
      else last.next = next
    }
  }

  /** Null where there is nothing to tell. Only for `expected`. */
  read({offset, maxRecords, maxBytes, atLeastOne}: ReadRequest): ReadResult | null {
    const messages: BusMessage[] = []
    const missed = this.#missed
    let bytes = 0
    let more = false
    this.#missed = 0
    for (let head = this.#queue[0]; head !== undefined && !more; head = this.#queue[0]) {
      this.#cursor ??= new RecordCursor(head.batch, this)
      const limits = {
        maxRecords: maxRecords - messages.length,
        maxBytes: maxBytes - bytes,
        atLeastOne: atLeastOne && messages.length === 0,
      }
      bytes += this.#cursor.read(this.#position, messages, limits)
      more = this.#cursor.limited
      const last = messages.at(-1)
      if (last !== undefined) this.#position = last.offset + 1
      if (this.#cursor.done) this.#shift(head)
    }
    if (this.#position === offset) return null
    this.expected = this.#position
    return {messages, bytes, next: this.#position, missed, more: more || messages.length >= maxRecords}
  }

  #shift(head: Waiting): void {
    this.#queue.shift()
    this.#cursor = null
    this.bytes -= head.batch.bytes.length
    this.#position = head.next
  }
}

/** Which batches of one answer a reader does not see: control batches, and those of transactions that were aborted. */
class AbortedFilter {
  readonly #starting: AbortedTransaction[]
  readonly #aborting = new Set<bigint>()

  constructor(aborted: readonly AbortedTransaction[]) {
    this.#starting = [...aborted].sort((a, b) => a.firstOffset - b.firstOffset)
  }

  leavesOut(batch: RecordBatch): boolean {
    for (let first = this.#starting[0]; first !== undefined && first.firstOffset < batch.next; first = this.#starting[0]) {
      this.#aborting.add(first.producerId)
      this.#starting.shift()
    }
    if (isControl(batch)) {
      if (isAbort(batch)) this.#aborting.delete(batch.producerId)
      return true
    }
    return isTransactional(batch) && this.#aborting.has(batch.producerId)
  }
}
