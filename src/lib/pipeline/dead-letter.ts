import type {Context} from '../core/context.ts'
import type {Bus, BusMessage, Headers, OutgoingRecord, Value} from '../core/ports/bus.ts'
import type {RejectedFrame} from '../core/ports/source.ts'
import {frameDeadLetterTopic, sinkDeadLetterTopic} from '../core/topics.ts'

/** A frame is kept up to here; its full length is in the headers. */
const FRAME_BYTES = 64 * 1024
const MESSAGE_CHARS = 1000

export interface Refusal {
  readonly code: string
  readonly message: string
  readonly attempts: number
}

/** A frame that never became a record: its first 64 KiB and its length. */
export function frameDeadLetter(exchange: string, rejected: RejectedFrame): OutgoingRecord {
  const bytes = byteLength(rejected.frame)
  return {
    topic: frameDeadLetterTopic(exchange),
    key: exchange,
    value: truncate(rejected.frame),
    headers: {...refusalHeaders({...rejected, attempts: 1}), 'frame-bytes': String(bytes), 'received-time': String(rejected.receivedTime)},
  }
}

/** A record that the bus refuses for what it is, cut to what a dead-letter topic takes. */
export function recordDeadLetter(exchange: string, record: OutgoingRecord, refusal: Refusal): OutgoingRecord {
  return {
    topic: frameDeadLetterTopic(exchange),
    key: record.key,
    value: record.value === null ? null : truncate(record.value),
    headers: {
      ...refusalHeaders(refusal),
      'source-topic': record.topic,
      'frame-bytes': String(record.value === null ? 0 : byteLength(record.value)),
    },
  }
}

/** A message that a sink refused: the original value and headers, where it came from, and why. */
export function messageDeadLetter(group: string, message: BusMessage, refusal: Refusal): OutgoingRecord {
  return {
    topic: sinkDeadLetterTopic(message.topic, group),
    key: message.key,
    value: message.value,
    headers: {
      ...message.headers,
      ...refusalHeaders(refusal),
      'source-topic': message.topic,
      'source-partition': String(message.partition),
      'source-offset': String(message.offset),
    },
  }
}

/** Publishes and waits; the caller commits only after this. */
export async function setAside(bus: Bus, letters: readonly OutgoingRecord[]): Promise<void> {
  if (letters.length > 0) await bus.publish(letters)
}

/** Counts and logs letters about records of the bus, once they are safe. */
export function countDeadLetters(letters: readonly OutgoingRecord[], component: string, context: Context): void {
  for (const {headers = {}} of letters) {
    const code = headers['error-code'] ?? 'unknown'
    context.metrics.counter('coinpipe_dead_letters_total').add(1, {component, code})
    context.logger.warn(
      {
        component,
        code,
        reason: headers['error-message'],
        topic: headers['source-topic'],
        partition: headers['source-partition'],
        offset: headers['source-offset'],
      },
      'record set aside as a dead letter',
    )
  }
}

function refusalHeaders({code, message, attempts}: Refusal): Headers {
  return {'error-code': code, 'error-message': message.slice(0, MESSAGE_CHARS), attempts: String(attempts)}
}

function truncate(value: Value): Value {
  if (typeof value !== 'string') return value.subarray(0, FRAME_BYTES)
  return byteLength(value) <= FRAME_BYTES ? value : Buffer.from(value, 'utf8').subarray(0, FRAME_BYTES)
}

function byteLength(value: Value): number {
  return typeof value === 'string' ? Buffer.byteLength(value) : value.byteLength
}
