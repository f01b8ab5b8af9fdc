import type {CoinpipeError} from '../../core/errors.ts'
import type {OutgoingRecord} from '../../core/ports/bus.ts'
import type {PartitionBatch} from './driver.ts'
import type {KnownTopic} from './known-topics.ts'
import {type Part, recordBytes} from './publication.ts'

/** What is sent, and sent again as it is until it is settled. */
export interface QueuedBatch {
  readonly wire: PartitionBatch
  readonly parts: readonly Part[]
  readonly bytes: number
  failures: number
  lastError: CoinpipeError | null
}

/** Head and fields of a batch on the wire. */
const BATCH_BYTES = 128

/** What waits to be written to one partition, in the order of the calls; at most one batch of it is under way. */
export class PartitionQueue {
  readonly topic: KnownTopic
  readonly partition: number
  /** Under way, or to be repeated. */
  batch: QueuedBatch | null = null
  sending = false
  /** On the monotonic clock; before that nothing is sent, because a batch failed or its topic is being looked up. */
  notBeforeMs = 0
  /** When the oldest that waits came in. */
  sinceMs = 0
  #parts: (Part | undefined)[] = []
  #head = 0
  #bytes = 0
  #maxBytes: number

  constructor(topic: KnownTopic, partition: number, maxBytes: number) {
    this.topic = topic
    this.partition = partition
    this.#maxBytes = maxBytes
  }

  /** Bytes that wait, without the batch under way. */
  get bytes(): number {
    return this.#bytes
  }

  /** The oldest that waits behind the batch. */
  get first(): Part | undefined {
    return this.#parts[this.#head]
  }

  push(part: Part, nowMs: number): void {
    if (this.first === undefined) {
      this.#parts = []
      this.#head = 0
      this.sinceMs = nowMs
    }
    this.#parts.push(part)
    this.#bytes += part.bytes
  }

  /** Makes the next batch of as much as fits from the front; null where nothing waits. */
  take(nowMs: number): QueuedBatch | null {
    const parts: Part[] = []
    let room = this.#maxBytes - BATCH_BYTES
    for (let part = this.first; part !== undefined; part = this.first) {
      const taken = part.chunk.settled ? null : fitting(part, room, parts.length === 0)
      if (taken === 'nothing') break
      if (taken !== null) {
        parts.push(taken)
        room -= taken.bytes
      }
      if (taken !== null && taken.to < part.to) {
        this.#cut(part, taken)
        break
      }
      this.shift()
    }
    this.sinceMs = nowMs
    this.batch = parts.length === 0 ? null : this.#batchOf(parts)
    return this.batch
  }

  /** Forgets the batch; what of it is not settled waits again, before all else. */
  putBack(): void {
    const parts = (this.batch?.parts ?? []).filter(({chunk}) => !chunk.settled)
    this.batch = null
    this.#parts = [...parts, ...this.#parts.slice(this.#head)]
    this.#head = 0
    for (const {bytes} of parts) this.#bytes += bytes
  }

  /** Batches become half as large as this one: the brokers do not take it. */
  shrink({bytes}: QueuedBatch): void {
    this.#maxBytes = Math.ceil((Math.min(bytes, this.#maxBytes) + BATCH_BYTES) / 2)
  }

  /** Takes the oldest that waits away. */
  shift(): void {
    const part = this.first
    if (part === undefined) return
    this.#bytes -= part.bytes
    this.#parts[this.#head] = undefined
    this.#head += 1
  }

  /** Of the first part, what was taken goes, and the rest stays. */
  #cut(part: Part, taken: Part): void {
    this.#parts[this.#head] = {...part, from: taken.to, bytes: part.bytes - taken.bytes}
    this.#bytes -= taken.bytes
  }

  #batchOf(parts: readonly Part[]): QueuedBatch {
    const {name: topic, compression} = this.topic
    const [only] = parts
    const records: readonly OutgoingRecord[] = parts.length === 1 && only !== undefined ? recordsOf(only) : parts.flatMap(recordsOf)
    const bytes = parts.reduce((sum, part) => sum + part.bytes, 0)
    return {wire: {topic, partition: this.partition, records, compression}, parts, bytes, failures: 0, lastError: null}
  }
}

/** As much of a part as there is room for; a first record that is too large goes all the same, alone. */
function fitting(part: Part, room: number, first: boolean): Part | 'nothing' {
  if (part.bytes <= room) return part
  const {chunk, from, to} = part
  let bytes = 0
  let at = from
  for (; at < to; at++) {
    const size = recordBytes(chunk.records[at] as OutgoingRecord)
    if (bytes + size > room && !(first && at === from)) break
    bytes += size
  }
  return at === from ? 'nothing' : {chunk, from, to: at, bytes}
}

function recordsOf({chunk: {records}, from, to}: Part): readonly OutgoingRecord[] {
  return from === 0 && to === records.length ? records : records.slice(from, to)
}
