import {isUtf8} from 'node:buffer'
import type {Value} from '../../core/ports/bus.ts'

/** What bytes that are not UTF-8 become; also a character of its own. */
const REPLACEMENT = '\uFFFD'

/** Kafka knows bytes only: what is UTF-8 comes back as text, all else as bytes, which are a view and not a copy. */
export function readValue(bytes: Buffer, start = 0, end = bytes.length): Value {
  const text = bytes.toString('utf8', start, end)
  // Looking at the bytes is for the few that may be none: it costs more than all the rest.
  return !text.includes(REPLACEMENT) || isUtf8(bytes.subarray(start, end)) ? text : bytes.subarray(start, end)
}
