import {isUtf8} from 'node:buffer'
import type {Value} from '../../core/ports/bus.ts'

/** Kafka knows bytes only: what is UTF-8 comes back as text, all else as bytes, which are a view and not a copy. */
export function readValue(bytes: Uint8Array): Value {
  return isUtf8(bytes) ? Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString() : bytes
}
