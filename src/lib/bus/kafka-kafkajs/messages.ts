import type {BusMessage, Headers, TopicPartition} from '../../core/ports/bus.ts'
import {readValue} from '../kafka/values.ts'
import type {FetchedMessage} from './wire.ts'

const NO_HEADERS: Headers = Object.freeze({})

export function toBusMessage({topic, partition}: TopicPartition, {offset, key, value, headers, timestamp}: FetchedMessage): BusMessage {
  return {
    topic,
    partition,
    offset: Number(offset),
    key: key === null ? null : key.toString(),
    value: value === null ? null : readValue(value),
    headers: toHeaders(headers),
    timestampMs: Number(timestamp),
  }
}

/** Kafka has lists of headers: of several with one name the last one counts. One without a value is an empty text. */
function toHeaders(headers: FetchedMessage['headers']): Headers {
  const names = Object.keys(headers)
  if (names.length === 0) return NO_HEADERS
  return Object.fromEntries(
    names.map((name) => {
      const found = headers[name]
      const value = Array.isArray(found) ? (found as readonly (Buffer | string)[]).at(-1) : found
      return [name, value?.toString() ?? '']
    }),
  )
}
