import {createRecordsBatch, type MessageRecord} from '@platformatic/kafka'
import type {Compression} from '../../src/lib/bus/kafka/options.ts'

/** Places of the fields of a batch: https://kafka.apache.org/documentation/#recordbatch */
const ATTRIBUTES_AT = 21
const MAX_TIMESTAMP_AT = 35
const LOG_APPEND_TIME = 1 << 3
const TRANSACTIONAL = 1 << 4
const CONTROL = 1 << 5

export interface TestBatch {
  readonly firstOffset?: number
  readonly compression?: Compression
  /** Of a transaction of this producer. */
  readonly producerId?: bigint
  /** What the broker stamped, in place of what the producer did. */
  readonly appendedMs?: number
}

/** A batch as a broker keeps it, by the encoder of the library. */
export function batchOf(messages: readonly Omit<MessageRecord, 'topic'>[], options: TestBatch = {}): Buffer {
  const {firstOffset = 0, compression = 'none', producerId, appendedMs} = options
  const records = messages.map((message) => ({topic: 't', ...message}) as MessageRecord)
  const batch = Buffer.from(createRecordsBatch(records, {compression, ...(producerId === undefined ? {} : {producerId})}).buffer)
  batch.writeBigInt64BE(BigInt(firstOffset))
  if (producerId !== undefined) addAttributes(batch, TRANSACTIONAL)
  if (appendedMs !== undefined) {
    addAttributes(batch, LOG_APPEND_TIME)
    batch.writeBigInt64BE(BigInt(appendedMs), MAX_TIMESTAMP_AT)
  }
  return batch
}

/** Batch of records with their offsets as values. */
export function numberedBatch(firstOffset: number, count: number, options: TestBatch = {}): Buffer {
  const messages = Array.from({length: count}, (_, index) => ({value: Buffer.from(String(firstOffset + index))}))
  return batchOf(messages, {...options, firstOffset})
}

/** How a broker marks the end of a transaction. */
export function endMarker(firstOffset: number, producerId: bigint, type: 'abort' | 'commit'): Buffer {
  const key = Buffer.from([0, 0, 0, type === 'abort' ? 0 : 1])
  const batch = batchOf([{key, value: Buffer.alloc(6), timestamp: 0n}], {firstOffset, producerId})
  addAttributes(batch, CONTROL)
  return batch
}

function addAttributes(batch: Buffer, attributes: number): void {
  batch.writeInt16BE(batch.readInt16BE(ATTRIBUTES_AT) | attributes, ATTRIBUTES_AT)
}
