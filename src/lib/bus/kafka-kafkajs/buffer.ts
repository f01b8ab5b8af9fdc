import type {BusMessage, TopicPartition} from '../../core/ports/bus.ts'
import type {ReadRequest, ReadResult} from '../fair-read.ts'

/** What is fetched at once of a partition, and how much of it may wait: below that more is fetched. */
export const FETCH_BYTES = 1024 * 1024

/** Records of one partition that were fetched and not yet read. It fetches nothing until a first read says from where. */
export class PartitionBuffer implements TopicPartition {
  readonly topic: string
  readonly partition: number
  /** Where to fetch next; null until somebody reads. */
  fetchOffset: number | null = null
  #messages: BusMessage[] = []
  #sizes: number[] = []
  #head = 0
  #bytes = 0
  /** The offset that the next read will ask for, unless it goes back. */
  #position = 0
  #jump: number | null = null

  constructor({topic, partition}: TopicPartition) {
    this.topic = topic
    this.partition = partition
  }

  get wants(): boolean {
    return this.fetchOffset !== null && this.#bytes < FETCH_BYTES
  }

  /** Takes what was fetched from `fetchOffset`; `sizes` are the bytes of the values, `next` is where to go on. */
  push(messages: readonly BusMessage[], sizes: readonly number[], next: number): void {
    this.#messages = [...this.#messages.slice(this.#head), ...messages]
    this.#sizes = [...this.#sizes.slice(this.#head), ...sizes]
    this.#head = 0
    for (const size of sizes) this.#bytes += size
    this.fetchOffset = next
  }

  /** What was to be fetched is not in the log: goes on where the log begins. */
  restart(earliest: number): void {
    this.#clear(earliest)
    this.#jump = earliest
  }

  read({offset, maxRecords, maxBytes, atLeastOne}: ReadRequest): ReadResult {
    if (this.fetchOffset === null || offset !== this.#position) this.#seek(offset)
    const jump = this.#jump
    if (jump !== null) {
      this.#jump = null
      this.#position = jump
      return {messages: [], bytes: 0, next: jump, missed: Math.max(0, jump - offset), more: false}
    }
    const from = this.#head
    let bytes = 0
    let more = false
    while (this.#head < this.#messages.length) {
      const size = this.#sizes[this.#head] ?? 0
      more = this.#head - from === maxRecords || (bytes + size > maxBytes && !(atLeastOne && this.#head === from))
      if (more) break
      bytes += size
      this.#head += 1
    }
    const messages = this.#messages.slice(from, this.#head)
    this.#bytes -= bytes
    // With all of it read, what follows the last record was looked at too: marks of transactions, and aborted records.
    this.#position = this.#messages[this.#head]?.offset ?? this.fetchOffset ?? offset
    return {messages, bytes, next: this.#position, missed: 0, more}
  }

  #seek(offset: number): void {
    this.#jump = null
    this.#position = offset
    this.#clear(offset)
  }

  #clear(fetchOffset: number): void {
    this.#messages = []
    this.#sizes = []
    this.#head = 0
    this.#bytes = 0
    this.fetchOffset = fetchOffset
  }
}
