import type {OutgoingRecord, PublishResult, TopicConfig, Value} from '../../core/ports/bus.ts'
import {checkTopicName} from '../../core/topics.ts'
import {checkSize, headerText} from '../limits.ts'
import type {PackedBatch, Placed} from './protocol.ts'

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
  const keys: (string | null)[] = new Array(count)
  const values: (Value | null)[] = new Array(count)
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
    keys[index] = key
    values[index] = typeof value === 'string' || value === null ? value : tight(value)
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
      keys,
      values,
      headers,
    },
    bytes,
  }
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
