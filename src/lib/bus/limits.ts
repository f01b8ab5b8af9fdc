import {InvalidInputError, UnsupportedError} from '../core/errors.ts'
import type {Headers, OutgoingRecord, TopicChanges, TopicConfig, Value} from '../core/ports/bus.ts'
import {checkTopicName} from '../core/topics.ts'
import {recordTooLarge} from './errors.ts'

/** The largest record: value, key and headers together, as UTF-8. */
export const MAX_RECORD_BYTES = 16 * 1024 * 1024

/** Far above what one machine has use for; in the embedded log each is a table. */
const MAX_PARTITIONS = 1_000

/** Overhead of a record on its way, so that many empty ones count too. */
const RECORD_BYTES = 64

/** Checks topic names and sizes. Returns about what the records take in memory. */
export function checkRecords(records: readonly OutgoingRecord[]): number {
  let bytes = 0
  for (const {topic, key, value, headers} of records) {
    checkTopicName(topic)
    bytes += checkSize(topic, key, value, headerText(headers))
  }
  return bytes
}

/** Throws RecordTooLargeError. */
export function checkSize(topic: string, key: string | null, value: Value | null, headers: string | null): number {
  const size = (value?.length ?? 0) + (key?.length ?? 0) + (headers?.length ?? 0)
  // Up to three bytes of UTF-8 per unit of text: measured exactly only where it could matter.
  if (size * 3 > MAX_RECORD_BYTES) {
    const exact = Buffer.byteLength(value ?? '') + Buffer.byteLength(key ?? '') + Buffer.byteLength(headers ?? '')
    if (exact > MAX_RECORD_BYTES) throw recordTooLarge(topic, exact, MAX_RECORD_BYTES)
  }
  return size + RECORD_BYTES
}

/** Headers as JSON; null where there are none. */
export function headerText(headers: Headers | undefined): string | null {
  if (headers === undefined) return null
  const text = JSON.stringify(headers)
  return text === '{}' ? null : text
}

/** Throws InvalidInputError. */
export function checkTopicConfig(name: string, {partitions}: Pick<TopicConfig, 'partitions'>): void {
  if (Number.isInteger(partitions) && partitions >= 1 && partitions <= MAX_PARTITIONS) return
  throw new InvalidInputError(`topic '${name}' cannot have ${partitions} partitions: 1 to ${MAX_PARTITIONS} are possible`, {
    remedy: [`set topics.${name}.partitions in coinpipe.yaml`],
  })
}

/** For a log without Kafka's settings. Throws UnsupportedError for any of them, InvalidInputError for a retention that is none. */
export function checkTopicChanges(name: string, changes: TopicChanges): void {
  const [setting] = Object.keys(changes.settings ?? {})
  if (setting !== undefined) {
    throw new UnsupportedError(`topic '${name}' cannot get the setting '${setting}': the embedded log has no such settings`, {
      remedy: ['change its retention only, or use Kafka: --bus kafka'],
    })
  }
  checkRetention(name, changes)
}

/** Throws InvalidInputError. */
export function checkRetention(name: string, {retentionMs, retentionBytes}: Pick<TopicChanges, 'retentionMs' | 'retentionBytes'>): void {
  for (const [what, value] of Object.entries({retentionMs, retentionBytes})) {
    if (value === undefined || value === null || (Number.isSafeInteger(value) && value >= 0)) continue
    throw new InvalidInputError(
      `topic '${name}' cannot have ${what} = ${value}: a whole number from 0, or null for no limit, is possible`,
      {
        remedy: [`give a duration such as 24h, or a number of bytes`],
      },
    )
  }
}

/** For `addPartitions`. Throws InvalidInputError. */
export function checkMorePartitions(name: string, found: number, wanted: number): void {
  checkTopicConfig(name, {partitions: wanted})
  if (wanted > found) return
  throw new InvalidInputError(`topic '${name}' has ${found} partitions, and ${wanted} are not more: partitions can only be added`, {
    remedy: [`ask for ${found + 1} or more; for fewer, delete the topic and create it anew`],
  })
}
