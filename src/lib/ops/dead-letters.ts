/** Dead letters as they lie in their topics; lib/pipeline/dead-letter.ts writes them. */

import {AbortedError, InvalidInputError} from '../core/errors.ts'
import type {BusAdmin, BusMessage, Headers, PartitionOffsets, TopicPartition, Value} from '../core/ports/bus.ts'

const SUFFIX = '.dlq'
const READ_RECORDS = 200
/** What letters without a code are counted under. */
const NO_CODE = 'unknown'

/** What the refusal added to the record's own headers. */
const ADDED = [
  'error-code',
  'error-message',
  'attempts',
  'source-topic',
  'source-partition',
  'source-offset',
  'frame-bytes',
  'received-time',
] as const

export interface DeadLetter extends TopicPartition {
  readonly offset: number
  /** When it was set aside, milliseconds since the epoch. */
  readonly timestampMs: number
  readonly code: string
  readonly reason: string | null
  readonly attempts: number | null
  /** Where it came from; null for what never was a record. The partition and offset are null where it was not yet on the bus. */
  readonly source: {readonly topic: string; readonly partition: number | null; readonly offset: number | null} | null
  /** How many bytes it had at first, where not all of it was kept. */
  readonly cutFrom: number | null
  readonly key: string | null
  readonly value: Value | null
  /** The record's own. */
  readonly headers: Headers
}

/** One line of `dlq list`. */
export interface DeadLetterSummary {
  readonly topic: string
  readonly records: number
  /** How many of each error code. */
  readonly codes: Readonly<Record<string, number>>
  /** Milliseconds since the epoch; null where there are none. */
  readonly oldestMs: number | null
  readonly newestMs: number | null
}

/** Names of the topics that hold dead letters. */
export async function deadLetterTopics(admin: BusAdmin): Promise<readonly string[]> {
  return (await admin.listTopics()).filter((topic) => topic.endsWith(SUFFIX)).sort()
}

/** Throws InvalidInputError for a topic of records: what the dlq commands do is not for those. */
export function checkDeadLetterTopic(topic: string): void {
  if (topic.endsWith(SUFFIX)) return
  throw new InvalidInputError(`'${topic}' holds no dead letters: topics that do end in ${SUFFIX}`, {
    remedy: ['all of them: coinpipe dlq list'],
  })
}

/** Reads all letters of the topic to count them. */
export async function summarize(admin: BusAdmin, topic: string, signal: AbortSignal): Promise<DeadLetterSummary> {
  const codes = new Map<string, number>()
  const times = {oldestMs: Number.POSITIVE_INFINITY, newestMs: Number.NEGATIVE_INFINITY}
  let records = 0
  for await (const {code, timestampMs} of readLetters(admin, topic, signal)) {
    records += 1
    codes.set(code, (codes.get(code) ?? 0) + 1)
    times.oldestMs = Math.min(times.oldestMs, timestampMs)
    times.newestMs = Math.max(times.newestMs, timestampMs)
  }
  const {oldestMs, newestMs} = records === 0 ? {oldestMs: null, newestMs: null} : times
  return {topic, records, codes: Object.fromEntries([...codes].sort(([a], [b]) => (a < b ? -1 : 1))), oldestMs, newestMs}
}

/** The newest `last` letters, oldest first. */
export async function newestLetters(
  admin: BusAdmin,
  topic: string,
  {last, code}: {readonly last: number; readonly code?: string | undefined},
  signal: AbortSignal,
): Promise<readonly DeadLetter[]> {
  let letters: DeadLetter[] = []
  for await (const letter of readLetters(admin, topic, signal)) {
    if (code !== undefined && letter.code !== code) continue
    letters.push(letter)
    if (letters.length >= 2 * last) letters = newest(letters, last)
  }
  return newest(letters, last)
}

/** All letters that are there now, partition by partition. Rejects with AbortedError once the signal aborts. */
export async function* readLetters(admin: BusAdmin, topic: string, signal: AbortSignal): AsyncGenerator<DeadLetter> {
  const {offsets} = await admin.describeTopic(topic)
  for (const partition of offsets) yield* readPartition(admin, partition, signal)
}

async function* readPartition(
  admin: BusAdmin,
  {topic, partition, earliest, latest}: PartitionOffsets,
  signal: AbortSignal,
): AsyncGenerator<DeadLetter> {
  for (let offset = earliest; offset < latest; ) {
    if (signal.aborted) throw new AbortedError()
    const messages = await admin.read({topic, partition, offset}, READ_RECORDS)
    const last = messages.at(-1)
    if (last === undefined) return
    for (const message of messages) if (message.offset < latest) yield letterOf(message)
    offset = last.offset + 1
  }
}

export function letterOf({topic, partition, offset, timestampMs, key, value, headers}: BusMessage): DeadLetter {
  const bytes = numberOf(headers['frame-bytes'])
  return {
    ...{topic, partition, offset, timestampMs},
    code: headers['error-code'] ?? NO_CODE,
    reason: headers['error-message'] ?? null,
    attempts: numberOf(headers.attempts),
    source: sourceOf(headers),
    cutFrom: bytes !== null && bytes > Buffer.byteLength(value ?? '') ? bytes : null,
    ...{key, value},
    headers: Object.fromEntries(Object.entries(headers).filter(([name]) => !(ADDED as readonly string[]).includes(name))),
  }
}

function sourceOf(headers: Headers): DeadLetter['source'] {
  const topic = headers['source-topic']
  if (topic === undefined) return null
  return {topic, partition: numberOf(headers['source-partition']), offset: numberOf(headers['source-offset'])}
}

function numberOf(text: string | undefined): number | null {
  return text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : null
}

function newest(letters: readonly DeadLetter[], last: number): DeadLetter[] {
  return [...letters].sort((a, b) => a.timestampMs - b.timestampMs || a.partition - b.partition || a.offset - b.offset).slice(-last)
}
