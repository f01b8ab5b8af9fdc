/** What a payload says: text, JSON, or Avro in Confluent's framing (a zero byte, the schema's id as 4 bytes, then Avro). */

import {isUtf8} from 'node:buffer'
import {InvalidInputError} from '../core/errors.ts'
import type {BusMessage, Value} from '../core/ports/bus.ts'
import type {SchemaRegistry} from './schema-registry.ts'

export const DECODINGS = ['auto', 'json', 'avro', 'text', 'hex'] as const
export type Decoding = (typeof DECODINGS)[number]

export interface Decoded {
  /** What `%s` prints; null for a tombstone. */
  readonly shown: Value | null
  /** Where the payload is to be told as JSON and not as text with JSON in it. */
  readonly json: string | null
  readonly schemaId: number | null
  /** Why it could not be decoded as asked; `shown` is then as it is without. */
  readonly error: string | null
}

export type Decode = (message: BusMessage) => Decoded | Promise<Decoded>

const FRAME_BYTES = 5

/** A decoder. `auto` takes a frame with a schema's id for Avro and all else as it is. Throws InvalidInputError where Avro is asked for without a registry. */
export function createDecode(decoding: Decoding, registry: SchemaRegistry | undefined): Decode {
  if (decoding === 'avro' && registry === undefined) {
    throw new InvalidInputError('Avro cannot be decoded without its schemas', {remedy: ['say where they are: --registry http://host:8081']})
  }
  return ({value}) => {
    if (value === null) return plain(null)
    if (decoding === 'hex') return plain(hexOf(value))
    if (decoding === 'json') return asJson(value)
    if (decoding === 'text') return plain(value)
    const framed = frameOf(value)
    if (framed !== undefined) return registry === undefined ? unread(value, framed.schemaId) : decodeFrame(registry, value, framed)
    return decoding === 'auto' ? plain(asText(value)) : {...plain(asText(value)), error: 'not framed: no zero byte and schema id'}
  }
}

interface Frame {
  readonly schemaId: number
  readonly body: Buffer
}

function frameOf(value: Value): Frame | undefined {
  if (typeof value === 'string' ? !value.startsWith('\0') : value[0] !== 0) return undefined
  const bytes = bytesOf(value)
  return bytes.length < FRAME_BYTES ? undefined : {schemaId: bytes.readUInt32BE(1), body: bytes.subarray(FRAME_BYTES)}
}

async function decodeFrame(registry: SchemaRegistry, value: Value, {schemaId, body}: Frame): Promise<Decoded> {
  const reader = await registry.reader(schemaId)
  try {
    if (reader.kind === 'unreadable') return {...unread(value, schemaId), error: reader.reason}
    const json = reader.toJson(body)
    return {shown: json, json, schemaId, error: null}
  } catch (error) {
    return {...unread(value, schemaId), error: `does not fit schema ${schemaId}: ${(error as Error).message}`}
  }
}

function asJson(value: Value): Decoded {
  const text = asText(value)
  try {
    JSON.parse(typeof text === 'string' ? text : '')
    return {shown: text, json: text as string, schemaId: null, error: null}
  } catch (error) {
    return {...plain(text), error: `not JSON: ${(error as Error).message}`}
  }
}

function plain(shown: Value | null): Decoded {
  return {shown, json: null, schemaId: null, error: null}
}

function unread(value: Value, schemaId: number): Decoded {
  return {...plain(hexOf(value)), schemaId}
}

function asText(value: Value): Value {
  if (typeof value === 'string') return value
  return isUtf8(value) ? bytesOf(value).toString() : value
}

function hexOf(value: Value): string {
  return bytesOf(value).toString('hex')
}

function bytesOf(value: Value): Buffer {
  return typeof value === 'string' ? Buffer.from(value) : Buffer.from(value.buffer, value.byteOffset, value.byteLength)
}
