import {isUtf8} from 'node:buffer'
import {InvalidInputError} from '../core/errors.ts'
import type {Headers, OutgoingRecord, Value} from '../core/ports/bus.ts'

export interface LineOptions {
  readonly topic: string
  readonly partition?: number | undefined
  readonly headers: Headers
  /** What stands between key and value; without it there are no keys. */
  readonly keyDelimiter?: Uint8Array | undefined
  /** Whether, where a key delimiter stands, nothing before or after it means null. */
  readonly nulls: boolean
}

/** A line as a record, by kcat's rules: one without the key delimiter is all value. Throws InvalidInputError where the key is no text. */
export function recordOfLine(line: Buffer, options: LineOptions): OutgoingRecord {
  const {topic, partition, headers, keyDelimiter, nulls} = options
  const at = keyDelimiter === undefined ? -1 : line.indexOf(keyDelimiter)
  const common = {topic, ...(partition === undefined ? {} : {partition}), headers}
  if (at < 0 || keyDelimiter === undefined) return {...common, key: null, value: textOrBytes(line)}
  const [key, value] = [keyOf(line.subarray(0, at)), textOrBytes(line.subarray(at + keyDelimiter.length))]
  return {...common, key: nulls && key === '' ? null : key, value: nulls && value.length === 0 ? null : value}
}

/** `name=value` texts by name. Throws InvalidInputError where there is no name, or one twice. */
export function parseHeaders(texts: readonly string[]): Headers {
  const headers: Record<string, string> = {}
  for (const text of texts) {
    const at = text.indexOf('=')
    if (at <= 0) throw new InvalidInputError(`'${text}' is not a header`, {remedy: ['write name=value, for example source=backfill']})
    const name = text.slice(0, at)
    if (Object.hasOwn(headers, name)) throw new InvalidInputError(`header '${name}' is given twice`, {remedy: ['leave one of them away']})
    headers[name] = text.slice(at + 1)
  }
  return headers
}

function keyOf(bytes: Buffer): string {
  if (isUtf8(bytes)) return bytes.toString()
  throw new InvalidInputError('a key must be UTF-8', {remedy: ['check the encoding of the input, and --key-delimiter']})
}

/** Text where it is that. Bytes are copied: the line is a view of a larger chunk. */
export function textOrBytes(bytes: Buffer): Value {
  return isUtf8(bytes) ? bytes.toString() : Uint8Array.from(bytes)
}
