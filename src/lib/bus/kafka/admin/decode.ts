import {IS_CONTROL, IS_TRANSACTIONAL, type RecordsBatch} from '@platformatic/kafka'
import type {BusMessage, Headers, Isolation, TopicPartition} from '../../../core/ports/bus.ts'
import {readValue} from '../values.ts'

/** Attribute of a batch whose records all bear the time when the broker took it: https://kafka.apache.org/documentation/#recordbatch */
const IS_LOG_APPEND_TIME = 1 << 3
/** Type in the key of a control record, after two bytes of version. */
const ABORT_MARKER = 0

export interface AbortedTransaction {
  readonly producerId: bigint
  readonly firstOffset: bigint
}

export interface Decoded {
  readonly messages: readonly BusMessage[]
  /** Where to go on: also what holds no message for us is passed over. */
  readonly next: number
}

export interface Fetched extends TopicPartition {
  /** Batches may begin before it. */
  readonly offset: number
  readonly isolation: Isolation
  readonly batches: readonly RecordsBatch[]
  readonly aborted: readonly AbortedTransaction[]
}

/** The messages from an offset on, without markers and, where only what is committed counts, without what was aborted. */
export function decode({topic, partition, offset, isolation, batches, aborted}: Fetched): Decoded {
  const isAborted = abortedBatches(isolation === 'committed' ? aborted : [])
  const messages: BusMessage[] = []
  let next = offset
  for (const batch of batches) {
    next = Math.max(next, Number(batch.firstOffset) + batch.lastOffsetDelta + 1)
    if (isAborted(batch) || isControl(batch)) continue
    for (const message of messagesOf(batch, {topic, partition})) if (message.offset >= offset) messages.push(message)
  }
  return {messages, next}
}

/**
 * Asked about batch after batch. A producer's batches are aborted from the offset that the broker names up to the marker of the abort; the next
 * transaction of the same producer may be a committed one.
 */
function abortedBatches(aborted: readonly AbortedTransaction[]): (batch: RecordsBatch) => boolean {
  const coming = [...aborted].sort((a, b) => Number(a.firstOffset - b.firstOffset))
  const open = new Set<bigint>()
  return (batch) => {
    const last = batch.firstOffset + BigInt(batch.lastOffsetDelta)
    while (coming[0] !== undefined && coming[0].firstOffset <= last) open.add((coming.shift() as AbortedTransaction).producerId)
    if (isControl(batch)) {
      if (batch.records[0]?.key?.readInt16BE(2) === ABORT_MARKER) open.delete(batch.producerId)
      return false
    }
    return (batch.attributes & IS_TRANSACTIONAL) !== 0 && open.has(batch.producerId)
  }
}

function isControl({attributes}: RecordsBatch): boolean {
  return (attributes & IS_CONTROL) !== 0
}

function* messagesOf(batch: RecordsBatch, {topic, partition}: TopicPartition): Generator<BusMessage> {
  const appended = (batch.attributes & IS_LOG_APPEND_TIME) !== 0
  for (const {offsetDelta, timestampDelta, key, value, headers} of batch.records) {
    yield {
      topic,
      partition,
      offset: Number(batch.firstOffset) + offsetDelta,
      key: key === null ? null : key.toString(),
      value: value === null ? null : readValue(value),
      headers: headersOf(headers),
      timestampMs: Number(appended ? batch.maxTimestamp : batch.firstTimestamp + timestampDelta),
    }
  }
}

/** Of several with one name the last one counts. */
function headersOf(headers: readonly (readonly [Buffer | null, Buffer | null])[]): Headers {
  return Object.fromEntries(headers.map(([name, value]) => [name?.toString() ?? '', value?.toString() ?? '']))
}
