import type {Type} from 'avsc'
import {Agent, request} from 'undici'
import {EXIT, InvalidInputError} from '../core/errors.ts'
import {avroJson, readLongsExactly} from './avro-json.ts'
import {RegistryError} from './errors.ts'

const TIMEOUT_MS = 10_000
const MAX_SCHEMA_BYTES = 8 * 1024 * 1024
/** A topic has a handful; with more than this many it begins anew. */
const MAX_CACHED = 1000

/** How payloads of one schema are read. */
export type SchemaReader =
  /** Throws where the bytes do not fit. */
  {readonly kind: 'readable'; readonly toJson: (body: Buffer) => string} | {readonly kind: 'unreadable'; readonly reason: string}

interface Answer {
  readonly schema?: unknown
  readonly schemaType?: unknown
  readonly references?: unknown
}

/** Schemas by id, each fetched once, from a registry with Confluent's interface. */
export class SchemaRegistry {
  readonly #base: URL
  readonly #signal: AbortSignal
  readonly #readers = new Map<number, Promise<SchemaReader>>()
  readonly #agent = new Agent({connections: 2, headersTimeout: TIMEOUT_MS, bodyTimeout: TIMEOUT_MS, connect: {timeout: TIMEOUT_MS}})

  /** Throws InvalidInputError where `url` is no http URL. */
  constructor(url: string, signal: AbortSignal) {
    const parsed = URL.parse(url)
    if (parsed === null || !/^https?:$/.test(parsed.protocol)) {
      throw new InvalidInputError(`'${url}' is not the address of a schema registry`, {remedy: ['write it such as http://127.0.0.1:8081']})
    }
    parsed.pathname = parsed.pathname.replace(/\/*$/, '/')
    this.#base = parsed
    this.#signal = signal
  }

  /** Rejects with RegistryError where the registry does not answer; that it has no such schema is an answer. */
  reader(id: number): Promise<SchemaReader> {
    const known = this.#readers.get(id)
    if (known !== undefined) return known
    if (this.#readers.size >= MAX_CACHED) this.#readers.clear()
    const reader = this.#fetch(id)
    this.#readers.set(id, reader)
    // A registry that is back may be asked again.
    reader.catch(() => this.#readers.delete(id))
    return reader
  }

  async close(): Promise<void> {
    await this.#agent.destroy()
  }

  async #fetch(id: number): Promise<SchemaReader> {
    const {statusCode, text} = await this.#get(new URL(`schemas/ids/${id}`, this.#base))
    if (statusCode === 404) return {kind: 'unreadable', reason: `the registry has no schema ${id}`}
    if (statusCode !== 200) throw this.#failed(`answered ${statusCode} when asked for schema ${id}`)
    const {schema, schemaType = 'AVRO', references = []} = parseAnswer(text) ?? {}
    if (typeof schema !== 'string') throw this.#failed(`did not answer with a schema when asked for schema ${id}`)
    if (schemaType === 'JSON') return {kind: 'readable', toJson: jsonText}
    if (schemaType !== 'AVRO') return {kind: 'unreadable', reason: `schema ${id} is of the type ${String(schemaType)}`}
    if (Array.isArray(references) && references.length > 0) return {kind: 'unreadable', reason: `schema ${id} refers to other schemas`}
    return avroReader(id, schema)
  }

  async #get(url: URL): Promise<{readonly statusCode: number; readonly text: string}> {
    try {
      const signal = AbortSignal.any([this.#signal, AbortSignal.timeout(TIMEOUT_MS)])
      const {statusCode, body} = await request(url, {dispatcher: this.#agent, signal, headers: {accept: 'application/json'}})
      let bytes = Buffer.alloc(0)
      for await (const chunk of body) {
        bytes = Buffer.concat([bytes, chunk as Buffer])
        if (bytes.length > MAX_SCHEMA_BYTES) throw this.#failed(`answered with more than ${MAX_SCHEMA_BYTES} bytes`)
      }
      return {statusCode, text: bytes.toString()}
    } catch (cause) {
      this.#signal.throwIfAborted()
      if (cause instanceof RegistryError) throw cause
      throw this.#failed(`could not be asked: ${(cause as Error).message}`, cause)
    }
  }

  /** Without what the address may hold of names and passwords. */
  #failed(what: string, cause?: unknown): RegistryError {
    return new RegistryError(`the schema registry at ${this.#base.origin} ${what}`, {
      cause,
      exitCode: EXIT.unavailable,
      remedy: ['check --registry, and whether the registry runs', 'or see the bytes: --decode hex'],
    })
  }
}

function parseAnswer(text: string): Answer | undefined {
  try {
    const answer: unknown = JSON.parse(text)
    return typeof answer === 'object' && answer !== null ? answer : undefined
  } catch {
    return undefined
  }
}

/** avsc is loaded only where it is needed. */
async function avroReader(id: number, schema: string): Promise<SchemaReader> {
  const {default: avsc} = await import('avsc')
  let type: Type
  try {
    type = avsc.Type.forSchema(JSON.parse(schema), readLongsExactly(avsc))
  } catch (error) {
    return {kind: 'unreadable', reason: `schema ${id} is no Avro schema that can be read: ${(error as Error).message}`}
  }
  return {kind: 'readable', toJson: (body) => avroJson(type.fromBuffer(body))}
}

function jsonText(body: Buffer): string {
  const text = body.toString()
  JSON.parse(text)
  return text
}
