import type {OutgoingRecord, PublishResult, TopicConfig, Value} from '../../core/ports/bus.ts'
import {checkTopicName} from '../../core/topics.ts'
import {checkSize, headerText} from '../limits.ts'
import type {PackedBatch, PackedValues, Placed} from './protocol.ts'

export interface Packed {
  readonly batch: PackedBatch
  /** About what the batch takes in memory. */
  readonly bytes: number
}

/** Turns records into columns for the writer. Throws where a record can't be taken: it is refused before anything is written. */
export function pack(records: readonly OutgoingRecord[], configOf: (topic: string) => TopicConfig): Packed {
  const count = records.length
  const topics: string[] = []
  const topicOf = new Uint16Array(count)
  const partitions = new Int32Array(count).fill(-1)
  const keys = new Map<string, number>()
  const keyOf = new Int32Array(count).fill(-1)
  let headers: (string | null)[] | null = null
  let pinned = false
  let bytes = 0
  for (let index = 0; index < count; index++) {
    const record = records[index] as OutgoingRecord
    const {topic, partition, key, value} = record
    topicOf[index] = topics[0] === topic ? 0 : indexOf(topics, topic)
    if (partition !== undefined) {
      partitions[index] = partition
      pinned = true
    }
    if (key !== null) keyOf[index] = keys.get(key) ?? add(keys, key)
    const extra = headerText(record.headers)
    if (extra !== null) {
      headers ??= new Array<string | null>(count).fill(null)
      headers[index] = extra
    }
    bytes += checkSize(topic, key, value, extra)
  }
  return {
    batch: {
      topics: topics.map((name) => ({name, config: configOf(name)})),
      topicOf: topics.length > 1 ? topicOf : null,
      partitions: pinned ? partitions : null,
      keys: [...keys.keys()],
      keyOf,
      values: packValues(records),
      headers,
    },
    bytes,
  }
}

function add(keys: Map<string, number>, key: string): number {
  const index = keys.size
  keys.set(key, index)
  return index
}

function packValues(records: readonly OutgoingRecord[]): PackedValues {
  const lengths = new Uint32Array(records.length)
  let text = ''
  for (const [index, {value}] of records.entries()) {
    if (typeof value !== 'string')
      return {list: records.map((record) => (record.value instanceof Uint8Array ? tight(record.value) : record.value))}
    lengths[index] = value.length
    text += value
  }
  return {text, lengths}
}

/** The values of a batch, in order. */
export function unpackValues(values: PackedValues): (Value | null)[] {
  if ('list' in values) return [...values.list]
  let end = 0
  return Array.from(values.lengths, (length) => {
    end += length
    return values.text.slice(end - length, end)
  })
}

export function unpack(records: readonly OutgoingRecord[], placed: Placed): PublishResult[] {
  return records.map(({topic}, index) => ({topic, partition: placed.partitions[index] as number, offset: placed.offsets[index] as number}))
}

function indexOf(topics: string[], topic: string): number {
  const known = topics.indexOf(topic)
  if (known >= 0) return known
  checkTopicName(topic)
  return topics.push(topic) - 1
}

/** Cloning a view to another thread clones all of the buffer below it, which may be a shared pool. */
function tight(value: Uint8Array): Uint8Array {
  return value.byteLength === value.buffer.byteLength ? value : Uint8Array.prototype.slice.call(value)
}
