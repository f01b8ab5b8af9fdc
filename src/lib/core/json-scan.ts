/**
 * Reads named fields out of JSON without a number ever becoming a double.
 *
 * Two readers fill the same {@link Fields}: {@link FastScanner} slices the texts out of a frame's bytes in one pass and gives up on anything
 * unusual; {@link parseExact} and {@link fillFields} take everything that is JSON, at about a seventh of the speed. Where the fast one
 * does not give up, both find the same (property test).
 */
import {canonicalDecimal} from './decimal.ts'

/** What was found for a field. `unusable` is a number that {@link canonicalDecimal} refuses, `other` a value of a type that no field has. */
export const FOUND = {nothing: 0, number: 1, text: 2, null: 3, rows: 4, unusable: 5, other: 6} as const

/** Nesting beyond this is refused: no message of an exchange comes near it, and a deep one could exhaust the stack. */
export const MAX_DEPTH = 64

/** Frames larger than this always take the exact reader, so that the scratch space of the fast one stays small. */
const MAX_FAST_LENGTH = 256 * 1024
const MAX_FAST_NUMBER = 60

/** One field: the names that it goes by, and the fields of its rows where it holds a list of objects. */
export interface FieldSpec {
  readonly names: readonly string[]
  readonly rows?: FieldTable
}

/** The fields to look for; a field's slot is its place in the list. At most one field has rows, and those have no rows of their own. */
export class FieldTable {
  readonly size: number
  /** Fields of the rows of each slot, undefined where it has none. */
  readonly rows: readonly (FieldTable | undefined)[]
  private readonly slots = new Map<string, number>()
  private readonly mask: number
  private readonly buckets: Int8Array
  private readonly bucketNames: string[]

  constructor(specs: readonly FieldSpec[]) {
    this.size = specs.length
    this.rows = specs.map((spec) => spec.rows)
    specs.forEach((spec, slot) => {
      for (const name of spec.names) this.slots.set(name, slot)
    })
    // A quarter full at most, so that most unknown names meet an empty bucket.
    this.mask = 2 ** Math.ceil(Math.log2(this.slots.size * 4)) - 1
    this.buckets = new Int8Array(this.mask + 1).fill(-1)
    this.bucketNames = new Array<string>(this.mask + 1).fill('')
    for (const [name, slot] of this.slots) this.place(name, slot)
  }

  /** The slot of a name, -1 where it is none of the fields. */
  slotOf(name: string): number {
    return this.slots.get(name) ?? -1
  }

  /** The same as {@link slotOf} for a name in bytes, with the hash of it that {@link nameHash} gives. */
  slotAt(bytes: Uint8Array, start: number, end: number, hash: number): number {
    for (let bucket = hash & this.mask; ; bucket = (bucket + 1) & this.mask) {
      const slot = this.buckets[bucket] as number
      if (slot < 0 || equals(this.bucketNames[bucket] as string, bytes, start, end)) return slot
    }
  }

  private place(name: string, slot: number): void {
    let hash = 0
    for (const byte of Buffer.from(name)) hash = nameHash(hash, byte)
    let bucket = hash & this.mask
    while ((this.buckets[bucket] as number) >= 0) bucket = (bucket + 1) & this.mask
    this.buckets[bucket] = slot
    this.bucketNames[bucket] = name
  }
}

function nameHash(hash: number, byte: number): number {
  return (Math.imul(hash, 31) + byte) | 0
}

function equals(name: string, bytes: Uint8Array, start: number, end: number): boolean {
  if (name.length !== end - start) return false
  for (let i = 0; i < name.length; i++) {
    if (name.charCodeAt(i) !== bytes[start + i]) return false
  }
  return true
}

/** What was read from one object. Reused from frame to frame: take what you need before the next. */
export class Fields {
  readonly kinds: Uint8Array
  /** Numbers in canonical form, strings without quotes; stale where `kinds` says nothing. */
  readonly texts: string[]
  rowCount = 0
  /** Slot `s` of row `r` is at `r * rowSize + s`. */
  rowKinds = new Uint8Array(256)
  readonly rowTexts: string[] = []

  constructor(table: FieldTable) {
    this.kinds = new Uint8Array(table.size)
    this.texts = new Array<string>(table.size).fill('')
  }

  clear(): void {
    this.kinds.fill(FOUND.nothing)
    this.rowCount = 0
  }

  /** Makes room for one more row and empties it; returns where it starts. */
  addRow(rowSize: number): number {
    const start = this.rowCount * rowSize
    if (start + rowSize > this.rowKinds.length) {
      const larger = new Uint8Array(this.rowKinds.length * 2)
      larger.set(this.rowKinds)
      this.rowKinds = larger
    }
    for (let i = start; i < start + rowSize; i++) {
      this.rowKinds[i] = FOUND.nothing
      this.rowTexts[i] = ''
    }
    this.rowCount++
    return start
  }
}

const QUOTE = 0x22
const BACKSLASH = 0x5c
const COMMA = 0x2c
const COLON = 0x3a
const OPEN_BRACE = 0x7b
const CLOSE_BRACE = 0x7d
const OPEN_BRACKET = 0x5b
const CLOSE_BRACKET = 0x5d
const MINUS = 0x2d
const PLUS = 0x2b
const POINT = 0x2e
const ZERO = 0x30
const NINE = 0x39
const SPACE = 0x20

/** Positions are byte offsets into the loaded frame; every method that reads returns the next position, or -1 for "give up". */
export class FastScanner {
  private text = ''
  private bytes: Buffer = Buffer.allocUnsafe(16 * 1024)
  private length = 0
  /** End of the number read last, without a fraction's trailing zeros; -1 where its text isn't canonical when sliced. */
  private canonicalEnd = 0

  /** Takes a frame in; false where it isn't plain ASCII, or is too long. */
  load(text: string): boolean {
    const length = text.length
    if (length * 3 > this.bytes.length && !this.grow(length * 3)) return false
    this.text = text
    this.length = length
    // With room for the worst case, as many bytes as characters means that all are ASCII.
    return this.bytes.write(text) === length
  }

  private grow(size: number): boolean {
    if (size > MAX_FAST_LENGTH) return false
    this.bytes = Buffer.allocUnsafe(Math.min(MAX_FAST_LENGTH, size * 2))
    return true
  }

  /** Skips spaces; the byte there is `byteAt` of the result. */
  skipSpace(from: number): number {
    let at = from
    while (at < this.length && isSpace(this.bytes[at] as number)) at++
    return at
  }

  /** The byte at a position, 0 past the end. */
  byteAt(at: number): number {
    return at < this.length ? (this.bytes[at] as number) : 0
  }

  /** Reads the object that starts at `from` into `out`, which must be clear. */
  object(from: number, table: FieldTable, out: Fields): number {
    return this.members(from, table, out, out.kinds, out.texts, 0)
  }

  private members(from: number, table: FieldTable, out: Fields, kinds: Uint8Array, texts: string[], base: number): number {
    if (this.byteAt(from) !== OPEN_BRACE) return -1
    let at = this.skipSpace(from + 1)
    if (this.byteAt(at) === CLOSE_BRACE) return at + 1
    for (;;) {
      at = this.member(at, table, out, kinds, texts, base)
      if (at < 0) return -1
      const next = this.byteAt(at)
      if (next === CLOSE_BRACE) return at + 1
      if (next !== COMMA) return -1
      at = this.skipSpace(at + 1)
    }
  }

  /** One name, colon and value; the result is past the spaces that follow. */
  private member(from: number, table: FieldTable, out: Fields, kinds: Uint8Array, texts: string[], base: number): number {
    const bytes = this.bytes
    if (this.byteAt(from) !== QUOTE) return -1
    let hash = 0
    let end = from + 1
    for (let byte = this.byteAt(end); byte !== QUOTE; byte = this.byteAt(end)) {
      if (byte < SPACE || byte === BACKSLASH) return -1
      hash = nameHash(hash, byte)
      end++
    }
    let at = this.skipSpace(end + 1)
    if (this.byteAt(at) !== COLON) return -1
    at = this.skipSpace(at + 1)
    const slot = table.slotAt(bytes, from + 1, end, hash)
    at = slot < 0 ? this.skipScalar(at) : this.value(at, table, slot, out, kinds, texts, base)
    return at < 0 ? -1 : this.skipSpace(at)
  }

  private value(from: number, table: FieldTable, slot: number, out: Fields, kinds: Uint8Array, texts: string[], base: number): number {
    const place = base + slot
    // A name that comes twice, or under both of its spellings: the exact reader decides.
    if (kinds[place] !== FOUND.nothing) return -1
    const first = this.byteAt(from)
    if (first === QUOTE) {
      const end = this.skipText(from)
      if (end < 0) return -1
      kinds[place] = FOUND.text
      texts[place] = this.text.slice(from + 1, end - 1)
      return end
    }
    if (first === OPEN_BRACKET) {
      const rows = table.rows[slot]
      kinds[place] = FOUND.rows
      return rows ? this.rows(from, rows, out) : -1
    }
    const end = this.skipNumber(from)
    if (end < 0) return -1
    kinds[place] = FOUND.number
    if (this.canonicalEnd >= 0) {
      texts[place] = this.text.slice(from, this.canonicalEnd)
      return end
    }
    const decimal = canonicalDecimal(this.text.slice(from, end))
    if (decimal === undefined) return -1
    texts[place] = decimal
    return end
  }

  private rows(from: number, table: FieldTable, out: Fields): number {
    let at = this.skipSpace(from + 1)
    if (this.byteAt(at) === CLOSE_BRACKET) return at + 1
    for (;;) {
      const base = out.addRow(table.size)
      at = this.members(at, table, out, out.rowKinds, out.rowTexts, base)
      if (at < 0) return -1
      at = this.skipSpace(at)
      const next = this.byteAt(at)
      if (next === CLOSE_BRACKET) return at + 1
      if (next !== COMMA) return -1
      at = this.skipSpace(at + 1)
    }
  }

  private skipScalar(from: number): number {
    const first = this.byteAt(from)
    if (first === QUOTE) return this.skipText(from)
    if (first === 0x74) return this.skipWord(from, 'true')
    if (first === 0x66) return this.skipWord(from, 'false')
    if (first === 0x6e) return this.skipWord(from, 'null')
    return this.skipNumber(from)
  }

  private skipWord(from: number, word: string): number {
    return this.text.startsWith(word, from) ? from + word.length : -1
  }

  private skipText(from: number): number {
    let at = from + 1
    for (let byte = this.byteAt(at); byte !== QUOTE; byte = this.byteAt(at)) {
      if (byte < SPACE || byte === BACKSLASH) return -1
      at++
    }
    return at + 1
  }

  /** By JSON's grammar; sets `canonicalEnd`. */
  private skipNumber(from: number): number {
    const bytes = this.bytes
    const length = this.length
    let at = from
    const negative = bytes[at] === MINUS
    if (negative) at++
    const first = this.byteAt(at)
    if (!isDigit(first)) return -1
    at++
    while (at < length && isDigit(bytes[at] as number)) at++
    if (first === ZERO && at - from > (negative ? 2 : 1)) return -1
    this.canonicalEnd = at
    if (at < length && bytes[at] === POINT) {
      const point = at++
      let lastUseful = point
      while (at < length && isDigit(bytes[at] as number)) {
        if (bytes[at] !== ZERO) lastUseful = at
        at++
      }
      if (at === point + 1) return -1
      if (lastUseful > point) this.canonicalEnd = lastUseful + 1
    }
    const exponent = (this.byteAt(at) | SPACE) === 0x65
    const minusZero = negative && first === ZERO && this.canonicalEnd === from + 2
    if (exponent || minusZero || at - from > MAX_FAST_NUMBER) this.canonicalEnd = -1
    return exponent ? this.skipExponent(at + 1) : at
  }

  private skipExponent(from: number): number {
    let at = from
    const sign = this.byteAt(at)
    if (sign === PLUS || sign === MINUS) at++
    const digits = at
    while (isDigit(this.byteAt(at))) at++
    return at === digits ? -1 : at
  }
}

function isSpace(byte: number): boolean {
  return byte === SPACE || byte === 0x0a || byte === 0x0d || byte === 0x09
}

function isDigit(byte: number): boolean {
  return byte >= ZERO && byte <= NINE
}

/** A JSON number, as it stood in the text. */
export class NumberText {
  readonly source: string
  constructor(source: string) {
    this.source = source
  }
}

export type ExactValue = null | boolean | string | NumberText | readonly ExactValue[] | {readonly [name: string]: ExactValue}

type SourceReviver = (this: unknown, name: string, value: unknown, context: {readonly source?: string}) => unknown
const keepNumbers: SourceReviver = (_name, value, context) =>
  typeof value === 'number' ? new NumberText(context.source ?? String(value)) : value

/** Parses any JSON, numbers as their text. Throws SyntaxError where it isn't JSON, RangeError where it nests deeper than {@link MAX_DEPTH}. */
export function parseExact(text: string): ExactValue {
  if (depthOf(text) > MAX_DEPTH) throw new RangeError(`nested deeper than ${MAX_DEPTH} levels`)
  return JSON.parse(text, keepNumbers as Parameters<typeof JSON.parse>[1]) as ExactValue
}

/** How deep brackets nest outside of strings, as far as `MAX_DEPTH + 1`. */
function depthOf(text: string): number {
  let depth = 0
  let deepest = 0
  let inText = false
  for (let i = 0; i < text.length && deepest <= MAX_DEPTH; i++) {
    const unit = text.charCodeAt(i)
    if (inText) {
      if (unit === BACKSLASH) i++
      else if (unit === QUOTE) inText = false
    } else if (unit === QUOTE) inText = true
    else if (unit === OPEN_BRACE || unit === OPEN_BRACKET) deepest = Math.max(deepest, ++depth)
    else if (unit === CLOSE_BRACE || unit === CLOSE_BRACKET) depth--
  }
  return deepest
}

/** True for what JSON calls an object. */
export function isExactObject(value: ExactValue | undefined): value is {readonly [name: string]: ExactValue} {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof NumberText)
}

/** Reads an object's fields into `out`, which must be clear. */
export function fillFields(object: {readonly [name: string]: ExactValue}, table: FieldTable, out: Fields): void {
  for (const [name, value] of Object.entries(object)) {
    const slot = table.slotOf(name)
    if (slot < 0) continue
    const rows = table.rows[slot]
    if (rows && Array.isArray(value)) out.kinds[slot] = fillRows(value, rows, out)
    else setField(value, slot, out.kinds, out.texts)
  }
}

function fillRows(values: readonly ExactValue[], table: FieldTable, out: Fields): number {
  out.rowCount = 0
  for (const value of values) {
    if (!isExactObject(value)) return FOUND.other
    const base = out.addRow(table.size)
    for (const [name, cell] of Object.entries(value)) {
      const slot = table.slotOf(name)
      if (slot >= 0) setField(cell, base + slot, out.rowKinds, out.rowTexts)
    }
  }
  return FOUND.rows
}

function setField(value: ExactValue, place: number, kinds: Uint8Array, texts: string[]): void {
  if (value instanceof NumberText) {
    const decimal = canonicalDecimal(value.source)
    kinds[place] = decimal === undefined ? FOUND.unusable : FOUND.number
    texts[place] = decimal ?? value.source
  } else if (typeof value === 'string') {
    kinds[place] = FOUND.text
    texts[place] = value
  } else kinds[place] = value === null ? FOUND.null : FOUND.other
}
