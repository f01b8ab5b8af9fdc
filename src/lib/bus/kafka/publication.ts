import type {OutgoingRecord, PublishResult} from '../../core/ports/bus.ts'
import type {KnownTopic} from './known-topics.ts'

/** Beside key, value and headers, a record takes at most this much of a batch. */
const RECORD_BYTES = 32

/** One call of publish: it is over when all of its chunks are. */
export class Publication {
  readonly #results: PublishResult[]
  readonly #over: (error: {readonly error: unknown} | null, results: readonly PublishResult[]) => void
  #open = 0
  #error: {readonly error: unknown} | null = null

  /** `over` is called once. */
  constructor(records: number, over: (error: {readonly error: unknown} | null, results: readonly PublishResult[]) => void) {
    this.#results = new Array(records)
    this.#over = over
  }

  /** Nothing of it was sent. */
  reject(error: unknown): void {
    this.#over({error}, this.#results)
  }

  opened(chunks: number): void {
    this.#open = chunks
  }

  /** Records of the chunk have their place in the log, in a row from `baseOffset`. */
  place({chunk, from, to}: Part, baseOffset: number | null): void {
    const {partition, indexes} = chunk
    const topic = chunk.topic.name
    for (let at = from; at < to; at++) {
      const offset = baseOffset === null ? null : baseOffset + at - from
      this.#results[indexes === null ? at : (indexes[at] as number)] = {topic, partition, offset}
    }
    chunk.open -= to - from
    if (chunk.open === 0) this.#settle(chunk)
  }

  /** Records of the chunk are not in the log, or not known to be. The first error is told when nothing of the call is under way any more. */
  fail(chunk: Chunk, error: unknown): void {
    if (chunk.settled) return
    this.#error ??= {error}
    this.#settle(chunk)
  }

  #settle(chunk: Chunk): void {
    chunk.settled = true
    this.#open -= 1
    if (this.#open > 0) return
    this.#over(this.#error, this.#results)
  }
}

/** The records of one call that go to one partition, in their order. */
export interface Chunk {
  readonly publication: Publication
  readonly topic: KnownTopic
  readonly partition: number
  readonly records: readonly OutgoingRecord[]
  /** Which records of the call these are; null where they are all of it. */
  readonly indexes: readonly number[] | null
  readonly bytes: number
  /** When it is given up, on the monotonic clock. */
  readonly deadlineMs: number
  /** Records that have no place in the log yet. */
  open: number
  settled: boolean
}

/** Records of a chunk that travel together. */
export interface Part {
  readonly chunk: Chunk
  readonly from: number
  readonly to: number
  readonly bytes: number
}

/** About the bytes that a record takes in a batch, never too few. */
export function recordBytes({key, value, headers}: OutgoingRecord): number {
  const valueBytes = value === null ? 0 : typeof value === 'string' ? Buffer.byteLength(value) : value.length
  const keyBytes = key === null ? 0 : key.length * 3
  return RECORD_BYTES + valueBytes + keyBytes + (headers === undefined ? 0 : headerBytes(headers))
}

function headerBytes(headers: NonNullable<OutgoingRecord['headers']>): number {
  let bytes = 0
  for (const [name, text] of Object.entries(headers)) bytes += 8 + (name.length + text.length) * 3
  return bytes
}

interface Share {
  readonly records: OutgoingRecord[]
  readonly indexes: number[]
  bytes: number
}

/**
 * Shares the records of a call among partitions. Throws PartitionOutOfRangeError, and then nothing of the call is sent. `topics` are
 * those of all records.
 */
export function share(
  records: readonly OutgoingRecord[],
  topics: readonly KnownTopic[],
  publication: Publication,
  deadlineMs: number,
): Chunk[] {
  const shares = new Map<KnownTopic, (Share | undefined)[]>()
  let topic: KnownTopic | null = null
  let partitions: (Share | undefined)[] = []
  for (let index = 0; index < records.length; index++) {
    const record = records[index] as OutgoingRecord
    if (topic === null || topic.name !== record.topic) {
      topic = topics.find(({name}) => name === record.topic) as KnownTopic
      partitions = shares.get(topic) ?? []
      shares.set(topic, partitions)
    }
    const partition = topic.partitionOf(record)
    let mine = partitions[partition]
    if (mine === undefined) {
      mine = {records: [], indexes: [], bytes: 0}
      partitions[partition] = mine
    }
    mine.records.push(record)
    mine.indexes.push(index)
    mine.bytes += recordBytes(record)
  }
  const chunks: Chunk[] = []
  for (const [of, byPartition] of shares) {
    byPartition.forEach((mine, partition) => {
      if (mine === undefined) return
      const whole = mine.records.length === records.length
      chunks.push({
        publication,
        topic: of,
        partition,
        records: mine.records,
        indexes: whole ? null : mine.indexes,
        bytes: mine.bytes,
        deadlineMs,
        open: mine.records.length,
        settled: false,
      })
    })
  }
  publication.opened(chunks.length)
  return chunks
}
