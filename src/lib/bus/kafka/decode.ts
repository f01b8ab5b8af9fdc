import {compressionsAlgorithmsByBitmask} from '@platformatic/kafka'
import {UnsupportedError} from '../../core/errors.ts'
import type {BusMessage, Headers, TopicPartition} from '../../core/ports/bus.ts'
import {KafkaError} from './errors.ts'
import {readValue} from './values.ts'

/**
 * Batches of records as brokers keep them, magic 2 (https://kafka.apache.org/documentation/#recordbatch). The library's own decoder makes some objects and
 * BigInts for each record and all records of an answer at once; this one makes the messages that are asked for, and nothing else.
 */

/** Length and offset, which come before what the length counts. */
const PREFIX_BYTES = 12
const LENGTH_AT = 8
const MAGIC_AT = 16
const ATTRIBUTES_AT = 21
const LAST_OFFSET_DELTA_AT = 23
const FIRST_TIMESTAMP_AT = 27
const MAX_TIMESTAMP_AT = 35
const PRODUCER_ID_AT = 43
const COUNT_AT = 57
const HEADER_BYTES = 61

const MAGIC = 2
const COMPRESSION = 0b111
const LOG_APPEND_TIME = 1 << 3
const TRANSACTIONAL = 1 << 4
const CONTROL = 1 << 5
/** Type of the control record that ends a transaction without its records. */
const ABORT = 0

const NO_HEADERS: Headers = Object.freeze({})

/** A batch, of which only the head was looked at. */
export interface RecordBatch {
  /** Head and records. */
  readonly bytes: Buffer
  readonly attributes: number
  readonly firstOffset: number
  /** Offset after the last record. */
  readonly next: number
  readonly producerId: bigint
}

/** The batches of an answer. Brokers cut the last one off where it does not fit. */
export function splitBatches(records: Buffer, {topic, partition}: TopicPartition): RecordBatch[] {
  const batches: RecordBatch[] = []
  for (let at = 0; at + HEADER_BYTES <= records.length; ) {
    const end = at + PREFIX_BYTES + records.readInt32BE(at + LENGTH_AT)
    if (end > records.length) break
    const magic = records[at + MAGIC_AT]
    if (magic !== MAGIC) {
      throw new UnsupportedError(`partition ${partition} of topic '${topic}' has records in format ${magic} of before Kafka 0.11`, {
        remedy: ['copy the topic to a new one with a client of that time'],
      })
    }
    const firstOffset = Number(records.readBigInt64BE(at))
    batches.push({
      bytes: records.subarray(at, end),
      attributes: records.readInt16BE(at + ATTRIBUTES_AT),
      firstOffset,
      next: firstOffset + records.readInt32BE(at + LAST_OFFSET_DELTA_AT) + 1,
      producerId: records.readBigInt64BE(at + PRODUCER_ID_AT),
    })
    at = end
  }
  return batches
}

export function isControl({attributes}: RecordBatch): boolean {
  return (attributes & CONTROL) !== 0
}

export function isTransactional({attributes}: RecordBatch): boolean {
  return (attributes & TRANSACTIONAL) !== 0
}

/** Whether a control batch ends a transaction that was aborted: https://kafka.apache.org/documentation/#controlbatch */
export function isAbort(batch: RecordBatch): boolean {
  const {bytes} = batch
  // Behind the head of the only record: length, attributes, time, offset and length of the key, each one byte for what brokers write.
  const keyAt = HEADER_BYTES + 5
  return bytes.readInt16BE(keyAt + 2) === ABORT
}

export interface DecodeLimits {
  readonly maxRecords: number
  /** Of the values. */
  readonly maxBytes: number
  /** Take a first record that is larger than `maxBytes` all the same. */
  readonly atLeastOne: boolean
}

/** Goes through the records of one batch. */
export class RecordCursor {
  readonly #place: TopicPartition
  readonly #buffer: Buffer
  readonly #firstOffset: number
  readonly #firstTimestampMs: number
  /** Of all records, where the broker stamped them; else null. */
  readonly #appendedMs: number | null
  #at: number
  #left: number
  /** Whether the last call ended at a limit. */
  limited = false

  /** Decompresses. */
  constructor(batch: RecordBatch, place: TopicPartition) {
    const {bytes, attributes, firstOffset} = batch
    const compression = attributes & COMPRESSION
    this.#place = place
    this.#buffer = compression === 0 ? bytes : decompress(bytes.subarray(HEADER_BYTES), compression, place)
    this.#at = compression === 0 ? HEADER_BYTES : 0
    this.#left = bytes.readInt32BE(COUNT_AT)
    this.#firstOffset = firstOffset
    this.#firstTimestampMs = Number(bytes.readBigInt64BE(FIRST_TIMESTAMP_AT))
    this.#appendedMs = (attributes & LOG_APPEND_TIME) === 0 ? null : Number(bytes.readBigInt64BE(MAX_TIMESTAMP_AT))
  }

  get done(): boolean {
    return this.#left === 0
  }

  /** Appends the records at and behind offset `from` to `into`, up to a limit; returns the bytes of their values. */
  read(from: number, into: BusMessage[], {maxRecords, maxBytes, atLeastOne}: DecodeLimits): number {
    const {topic, partition} = this.#place
    const buffer = this.#buffer
    const fullAt = into.length + maxRecords
    let force = atLeastOne
    let bytes = 0
    this.limited = false
    while (this.#left > 0) {
      const start = this.#at
      const end = this.#varint() + this.#at
      if (end > buffer.length || end < this.#at) throw corrupt(this.#place)
      // Attributes, of which there are none.
      this.#at++
      const timestampDelta = this.#varint()
      const offset = this.#firstOffset + this.#varint()
      if (offset < from) {
        this.#at = end
        this.#left--
        continue
      }
      const key = this.#text()
      const valueBytes = this.#varint()
      const size = Math.max(valueBytes, 0)
      if (into.length >= fullAt || (bytes + size > maxBytes && !force)) {
        this.#at = start
        this.limited = true
        break
      }
      force = false
      bytes += size
      const value = valueBytes < 0 ? null : readValue(buffer, this.#at, this.#at + size)
      this.#at += size
      const count = this.#varint()
      const headers = count === 0 ? NO_HEADERS : this.#headers(count)
      into.push({topic, partition, offset, key, value, headers, timestampMs: this.#appendedMs ?? this.#firstTimestampMs + timestampDelta})
      this.#at = end
      this.#left--
    }
    return bytes
  }

  #headers(count: number): Headers {
    const entries: [string, string][] = []
    for (let index = 0; index < count; index++) entries.push([this.#text() ?? '', this.#text() ?? ''])
    return Object.fromEntries(entries)
  }

  #text(): string | null {
    const length = this.#varint()
    if (length < 0) return null
    const start = this.#at
    this.#at += length
    return this.#buffer.toString('utf8', start, this.#at)
  }

  /** A number in zigzag notation. Beyond 32 bits only differences of times go, in steps that a double keeps exactly. */
  #varint(): number {
    const buffer = this.#buffer
    const first = buffer[this.#at++] as number
    if (first < 0x80) return (first >>> 1) ^ -(first & 1)
    let value = first & 0x7f
    let shift = 7
    let byte: number
    do {
      if (this.#at >= buffer.length || shift > 63) throw corrupt(this.#place)
      byte = buffer[this.#at++] as number
      if (shift < 28) value |= (byte & 0x7f) << shift
      else value += (byte & 0x7f) * 2 ** shift
      shift += 7
    } while (byte >= 0x80)
    if (shift <= 28) return (value >>> 1) ^ -(value & 1)
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2
  }
}

function decompress(bytes: Buffer, compression: number, place: TopicPartition): Buffer {
  const algorithm = compressionsAlgorithmsByBitmask[compression]
  if (algorithm === undefined) {
    throw new UnsupportedError(
      `partition ${place.partition} of topic '${place.topic}' has records compressed in an unknown way (${compression})`,
    )
  }
  try {
    return algorithm.decompressSync(bytes) as Buffer
  } catch (error) {
    throw corrupt(place, error)
  }
}

function corrupt({topic, partition}: TopicPartition, cause?: unknown): KafkaError {
  return new KafkaError('CORRUPT_MESSAGE', `partition ${partition} of topic '${topic}' has records that cannot be read`, {
    cause,
    remedy: ['skip them: coinpipe groups reset, to an offset behind them'],
  })
}
