import {MAX_DECIMAL_BYTES, writeDecimal} from './decimal.ts'
import {CassandraRecordError} from './errors.ts'

/** Cassandra's own limit for a value of a key (CQL: 64 KB - 1). */
export const MAX_KEY_BYTES = 65_535
const CHUNK_BYTES = 256 * 1024
const SHOWN = 80
/** Longer texts are faster through the engine's own encoder. */
const SHORT_TEXT = 24
const TWO_32 = 2 ** 32
const LENGTH_BYTES = 4
const NULL = -1
const UNSET = -2

/** Where values were written. The bytes stay as they are: a chunk is never written to again. */
export interface Span {
  readonly chunk: Buffer
  readonly start: number
  readonly end: number
}

/** Most bytes of a level of a book: lengths of the tuple and both decimals. */
const LEVEL_BYTES = 3 * LENGTH_BYTES + 2 * MAX_DECIMAL_BYTES

/**
 * Values as requests of the CQL protocol have them: a length in four bytes, then the value; -1 for null, -2 for unset. They are written one behind the
 * other into chunks, so that a row costs neither a Buffer of its own nor one of each value. What no column can hold is CassandraRecordError.
 */
export class ValueWriter {
  #chunk: Buffer
  #view: DataView
  #at = 0
  #start = 0

  constructor() {
    this.#chunk = Buffer.allocUnsafeSlow(CHUNK_BYTES)
    this.#view = viewOf(this.#chunk)
  }

  /** Starts a row; one that was not ended is forgotten. */
  begin(): void {
    this.#at = this.#start
  }

  end(): Span {
    const {chunk, start, end} = {chunk: this.#chunk, start: this.#start, end: this.#at}
    this.#start = end
    return {chunk, start, end}
  }

  get length(): number {
    return this.#at - this.#start
  }

  /** What was written of the row since its first `from` bytes. */
  copy(from: number): Buffer {
    return Buffer.from(this.#chunk.subarray(this.#start + from, this.#at))
  }

  /** Values that were written elsewhere. */
  raw(bytes: Uint8Array): void {
    this.#room(bytes.length)
    this.#chunk.set(bytes, this.#at)
    this.#at += bytes.length
  }

  absent(kind: 'null' | 'unset'): void {
    this.#room(LENGTH_BYTES)
    this.#length(kind === 'null' ? NULL : UNSET)
  }

  text(text: unknown, name: string): void {
    if (typeof text !== 'string') throw new CassandraRecordError(`${name} is ${shown(text)}: not a text`)
    this.#room(LENGTH_BYTES + 3 * text.length)
    this.#text(text)
  }

  /** A text that rows are found by: not empty, at most 65535 bytes, and the same when read again. */
  key(text: unknown, name: string): void {
    if (typeof text !== 'string' || text === '') throw new CassandraRecordError(`${name} is ${shown(text)}: rows cannot be found by it`)
    if (text.length * 3 > MAX_KEY_BYTES && Buffer.byteLength(text) > MAX_KEY_BYTES) {
      throw new CassandraRecordError(`${name} is ${Buffer.byteLength(text)} bytes long: Cassandra takes ${MAX_KEY_BYTES} of a key`)
    }
    if (!text.isWellFormed()) throw new CassandraRecordError(`${name} is ${shown(text)}: half of a surrogate pair is no text`)
    this.#room(LENGTH_BYTES + 3 * text.length)
    this.#text(text)
  }

  /** An integer of eight bytes. */
  bigint(value: number): void {
    this.#room(LENGTH_BYTES + 8)
    this.#length(8)
    this.#view.setInt32(this.#at, Math.floor(value / TWO_32))
    this.#view.setInt32(this.#at + 4, value | 0)
    this.#at += 8
  }

  int(value: number): void {
    this.#room(LENGTH_BYTES + 4)
    this.#length(4)
    this.#length(value)
  }

  boolean(value: boolean): void {
    this.#room(LENGTH_BYTES + 1)
    this.#length(1)
    this.#chunk[this.#at++] = value ? 1 : 0
  }

  decimal(text: unknown, name: string): void {
    this.#room(LENGTH_BYTES + MAX_DECIMAL_BYTES)
    this.#decimal(text, name)
  }

  /** A price or an amount: a decimal from zero. */
  amount(text: unknown, name: string): void {
    if (typeof text === 'string' && text.charCodeAt(0) === 0x2d) throw notDecimal(text, name)
    this.decimal(text, name)
  }

  /** `list<tuple<decimal, decimal>>` of the first `count` levels. */
  levels(levels: unknown, count: number, name: string): void {
    if (!Array.isArray(levels)) throw new CassandraRecordError(`${name} is ${shown(levels)}: not a list of levels`)
    const used = Math.min(levels.length, count)
    this.#room(2 * LENGTH_BYTES + used * LEVEL_BYTES)
    const start = this.#at
    this.#at += LENGTH_BYTES
    this.#length(used)
    for (let i = 0; i < used; i++) this.#level(levels[i], name)
    this.#fillLength(start)
  }

  /** `list<text>` */
  texts(texts: unknown, name: string): void {
    if (!Array.isArray(texts)) throw new CassandraRecordError(`${name} is ${shown(texts)}: not a list of texts`)
    this.#room(2 * LENGTH_BYTES)
    const rowStart = this.#start
    const start = this.#at - rowStart
    this.#at += LENGTH_BYTES
    this.#length(texts.length)
    for (const text of texts) this.text(text, name)
    // The row may have moved to another chunk meanwhile.
    this.#fillLength(this.#start + start)
  }

  #level(level: unknown, name: string): void {
    const [price, size] = (Array.isArray(level) ? level : []) as readonly unknown[]
    const start = this.#at
    this.#at += LENGTH_BYTES
    this.#decimal(price, name)
    this.#decimal(size, name)
    this.#fillLength(start)
  }

  #decimal(text: unknown, name: string): void {
    const start = this.#at + LENGTH_BYTES
    const end = typeof text === 'string' ? writeDecimal(text, this.#chunk, start) : -1
    if (end < 0) throw notDecimal(text, name)
    this.#length(end - start)
    this.#at = end
  }

  #text(text: string): void {
    const start = this.#at + LENGTH_BYTES
    const end = text.length > SHORT_TEXT ? -1 : this.#ascii(text, start)
    if (end >= 0) {
      this.#length(text.length)
      this.#at = end
    } else {
      const size = this.#chunk.write(text, start)
      this.#length(size)
      this.#at = start + size
    }
  }

  /** Where the text ends; -1 where it is not ASCII. */
  #ascii(text: string, start: number): number {
    const chunk = this.#chunk
    const {length} = text
    for (let i = 0; i < length; i++) {
      const code = text.charCodeAt(i)
      if (code > 0x7f) return -1
      chunk[start + i] = code
    }
    return start + length
  }

  #length(value: number): void {
    this.#view.setInt32(this.#at, value)
    this.#at += LENGTH_BYTES
  }

  #fillLength(start: number): void {
    this.#view.setInt32(start, this.#at - start - LENGTH_BYTES)
  }

  /** Moves what there is of the row to a new chunk where this one has no room for `bytes` more. */
  #room(bytes: number): void {
    if (this.#at + bytes <= this.#chunk.length) return
    const begun = this.#chunk.subarray(this.#start, this.#at)
    this.#chunk = Buffer.allocUnsafeSlow(Math.max(CHUNK_BYTES, 2 * (begun.length + bytes)))
    this.#view = viewOf(this.#chunk)
    this.#chunk.set(begun)
    this.#start = 0
    this.#at = begun.length
  }
}

function viewOf(chunk: Buffer): DataView {
  return new DataView(chunk.buffer, chunk.byteOffset, chunk.length)
}

function notDecimal(value: unknown, name: string): CassandraRecordError {
  return new CassandraRecordError(`${name} is ${shown(value)}: not a decimal of at most 20 digits before and 18 after the point`)
}

/** A value as messages show it. */
export function shown(value: unknown): string {
  return typeof value === 'string' ? `'${value.slice(0, SHOWN)}'` : String(JSON.stringify(value) ?? value).slice(0, SHOWN)
}
