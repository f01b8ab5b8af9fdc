/** How `tail` writes a record: kcat's format tokens and its JSON envelope. docs/tail.md says where they differ from kcat. */

import {isUtf8} from 'node:buffer'
import {InvalidInputError} from '../core/errors.ts'
import type {BusMessage, TopicDescription, Value} from '../core/ports/bus.ts'
import type {Decoded} from './tail-decode.ts'
import {unescapeBytes} from './unescape.ts'

/** What a line is put together from; bytes where it is no text. */
export type Piece = Value

export interface Shown {
  readonly message: BusMessage
  readonly payload: Decoded
}

/** Appends what is written of one record. */
export type Formatter = (shown: Shown, out: Piece[]) => void

/** What stands for a key or value that is null or empty, where it is asked for. */
const NULL_TEXT = 'NULL'
const TOKENS = '%s %S %R %k %K %T %h %t %p %o and %%'
/** What the envelope says where nobody knows the broker. */
const NO_BROKER = -1

/** A formatter for `-f`. Throws InvalidInputError, with the place, for a token that there is none of. */
export function parseTemplate(template: string, nulls: boolean): Formatter {
  const parts: Formatter[] = []
  let literalFrom = 0
  const literal = (to: number) => {
    const piece = unescapeText(template.slice(literalFrom, to))
    if (piece.length > 0) parts.push((_, out) => out.push(piece))
  }
  for (let at = template.indexOf('%'); at >= 0; at = template.indexOf('%', literalFrom)) {
    literal(at)
    parts.push(tokenFormatter(template, at, nulls))
    literalFrom = at + 2
  }
  literal(template.length)
  return joined(parts)
}

/** Key and payload between delimiters: how records are written where no format is given. */
export function delimited(delimiter: string, keyDelimiter: string | undefined, nulls: boolean): Formatter {
  const end = literalFormatter(delimiter)
  const payload = parseTemplate('%s', nulls)
  if (keyDelimiter === undefined) return joined([payload, end])
  return joined([parseTemplate('%k', nulls), literalFormatter(keyDelimiter), payload, end])
}

/** kcat's JSON envelope, one object and a delimiter for each record. `facts`: what is known about the topic by now. */
export function envelope(delimiter: string, facts: () => TopicDescription): Formatter {
  const end = literalFormatter(delimiter)
  return (shown, out) => {
    out.push(envelopeText(shown, facts()))
    end(shown, out)
  }
}

/** Text, or bytes where `\\xXX` makes it something else than UTF-8. */
function unescapeText(text: string): Piece {
  const bytes = unescapeBytes(text)
  return isUtf8(bytes) ? bytes.toString() : bytes
}

function literalFormatter(text: string): Formatter {
  const piece = unescapeText(text)
  return (_, out) => out.push(piece)
}

function joined(parts: readonly Formatter[]): Formatter {
  return (shown, out) => {
    for (const part of parts) part(shown, out)
  }
}

function tokenFormatter(template: string, at: number, nulls: boolean): Formatter {
  const empty = nulls ? NULL_TEXT : ''
  switch (template[at + 1]) {
    case 's':
      return ({payload}, out) => out.push(payload.shown === null || payload.shown.length === 0 ? empty : payload.shown)
    case 'S':
      return ({message}, out) => out.push(String(byteLength(message.value)))
    case 'R':
      return ({message}, out) => out.push(bigEndian(byteLength(message.value)))
    case 'k':
      return ({message}, out) => out.push(message.key || empty)
    case 'K':
      return ({message}, out) => out.push(String(byteLength(message.key)))
    case 'T':
      return ({message}, out) => out.push(String(message.timestampMs))
    case 'h':
      return ({message}, out) => out.push(headerText(message))
    case 't':
      return ({message}, out) => out.push(message.topic)
    case 'p':
      return ({message}, out) => out.push(String(message.partition))
    case 'o':
      return ({message}, out) => out.push(String(message.offset))
    case '%':
      return (_, out) => out.push('%')
    default:
      throw new InvalidInputError(`the format has an unknown token '${template.slice(at, at + 2)}' at character ${at + 1}`, {
        remedy: [template, `${' '.repeat(at)}^ there are ${TOKENS}`],
      })
  }
}

/** −1 for null, as kcat has it. */
function byteLength(value: Value | null): number {
  return value === null ? -1 : Buffer.byteLength(value)
}

function bigEndian(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32BE(value)
  return bytes
}

function headerText({headers}: BusMessage): string {
  return Object.entries(headers)
    .map(([name, value]) => `${name}=${value}`)
    .join(',')
}

function envelopeText({message, payload}: Shown, facts: TopicDescription): string {
  const {topic, partition, offset, timestampMs, headers, key} = message
  const fields = Object.entries({
    topic,
    partition,
    offset,
    tstype: timestampType(facts),
    ts: timestampMs,
    broker: facts.replication.find((entry) => entry.partition === partition)?.leader ?? NO_BROKER,
    ...(Object.keys(headers).length > 0 ? {headers: Object.entries(headers).flat()} : {}),
    key,
  }).map(([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`)
  return `{${[...fields, ...payloadFields(payload)].join(',')}}`
}

/** The embedded log stamps arrivals always, Kafka where the topic says so. */
function timestampType({replication, settings}: TopicDescription): 'logappend' | 'create' {
  return replication.length === 0 || settings['message.timestamp.type'] === 'LogAppendTime' ? 'logappend' : 'create'
}

function payloadFields({shown, json, schemaId, error}: Decoded): string[] {
  const schema = schemaId === null ? [] : [`"value_schema_id":${schemaId}`]
  if (error !== null) return ['"payload":null', `"payload_error":${JSON.stringify(error)}`, ...schema]
  // Outside of texts, which have none, JSON may have line ends wherever blanks may stand.
  if (json !== null) return [`"payload":${json.replace(/[\r\n]+/g, ' ')}`, ...schema]
  if (shown === null) return ['"payload":null']
  if (typeof shown === 'string') return [`"payload":${JSON.stringify(shown)}`, ...schema]
  return [`"payload":"${Buffer.from(shown.buffer, shown.byteOffset, shown.byteLength).toString('hex')}"`, '"payload_encoding":"hex"']
}
