import {isUtf8} from 'node:buffer'
import type {Value} from '../../core/ports/bus.ts'

/**
 * Kafka knows bytes only, a bus tells text from bytes. Text travels as UTF-8 and nothing else; bytes that could be taken for text carry this header,
 * empty, which is hidden from readers. So what others write is text where it is valid UTF-8, and bytes where not.
 */
export const BYTES_HEADER = 'coinpipe-bytes'

/** Whether a value has to travel with {@link BYTES_HEADER}. */
export function needsBytesHeader(value: Value | null): value is Uint8Array {
  return value !== null && typeof value !== 'string' && isUtf8(value)
}

/** The value as it was published; `marked`: its record has {@link BYTES_HEADER}. The bytes are a view, not a copy. */
export function readValue(bytes: Uint8Array, marked: boolean): Value {
  return marked || !isUtf8(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString()
}
