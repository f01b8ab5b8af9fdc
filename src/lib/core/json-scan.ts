/** The fast reader of messages; see json-fields.ts. */
import {canonicalDecimal} from './decimal.ts'
import {hashBytes, hashText} from './ids.ts'
import {addToHash, type Cells, type Fields, type FieldTable, FOUND, numberKind, type Rows} from './json-fields.ts'

/** Scratch space in bytes; frames that might not fit take the exact reader. */
const MIN_SCRATCH = 16 * 1024
const MAX_SCRATCH = 256 * 1024
const MAX_FAST_NUMBER = 60

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

/**
 * Positions are byte offsets into the loaded frame; every method that reads returns the next position, or -1 for "give up".
 * A zero byte follows the frame: nothing that is looked for matches it, so no loop runs past the end.
 */
export class FastScanner {
  private text = ''
  private buffer: Buffer = Buffer.allocUnsafeSlow(0)
  private bytes: Uint8Array = this.buffer
  private view = new DataView(this.buffer.buffer)
  /** End of the number read last, without a fraction's trailing zeros; -1 where its text isn't canonical when sliced. */
  private canonicalEnd = 0
  /** Its kind, where `canonicalEnd` is not -1. */
  private kind: number = FOUND.nothing
  /** Start, end and slot of each number of a list's first row. */
  private readonly shape: number[] = []

  /** Takes a frame in; false where it isn't plain ASCII, or is too long. */
  load(text: string): boolean {
    const {length} = text
    // Room for the worst case: then as many bytes as characters means that all are ASCII.
    if (length * 3 >= this.buffer.length && !this.grow(length * 3 + 1)) return false
    this.text = text
    if (this.buffer.write(text) !== length) return false
    this.bytes[length] = 0
    return true
  }

  private grow(size: number): boolean {
    if (size > MAX_SCRATCH) return false
    this.buffer = Buffer.allocUnsafeSlow(Math.min(MAX_SCRATCH, Math.max(MIN_SCRATCH, size * 2)))
    this.bytes = this.buffer
    this.view = new DataView(this.buffer.buffer)
    return true
  }

  /** The byte at a position up to the end, which is 0. */
  byteAt(at: number): number {
    return this.bytes[at] as number
  }

  skipSpace(from: number): number {
    const {bytes} = this
    let at = from
    for (let byte = bytes[at] as number; byte <= SPACE && isSpace(byte); byte = bytes[at] as number) at++
    return at
  }

  /** Reads the object that starts at `from` into `out`, which must be reset. */
  object(from: number, table: FieldTable, out: Fields): number {
    return this.members(from, table, out, out, 0)
  }

  /** The members of an object into the cells from `base` on. */
  private members(from: number, table: FieldTable, out: Fields, cells: Cells, base: number): number {
    const {bytes} = this
    if (bytes[from] !== OPEN_BRACE) return -1
    let at = this.skipSpace(from + 1)
    if (bytes[at] === CLOSE_BRACE) return at + 1
    for (;;) {
      at = this.member(at, table, out, cells, base)
      if (at < 0) return -1
      at = this.skipSpace(at)
      const next = bytes[at]
      if (next === CLOSE_BRACE) return at + 1
      if (next !== COMMA) return -1
      at = this.skipSpace(at + 1)
    }
  }

  /** One name, colon and value. */
  private member(from: number, table: FieldTable, out: Fields, cells: Cells, base: number): number {
    const {bytes} = this
    if (bytes[from] !== QUOTE) return -1
    let hash = 0
    let end = from + 1
    for (let byte = bytes[end] as number; byte !== QUOTE; byte = bytes[++end] as number) {
      if (byte < SPACE || byte === BACKSLASH) return -1
      hash = addToHash(hash, byte)
    }
    let at = this.skipSpace(end + 1)
    if (bytes[at] !== COLON) return -1
    at = this.skipSpace(at + 1)
    const slot = table.slotAt(bytes, from + 1, end, hash)
    if (slot < 0) return this.skipScalar(at)
    const place = base + slot
    // A name that comes twice, or under both of its spellings: the exact reader decides.
    if (cells.kinds[place] !== FOUND.nothing) return -1
    if (cells === out.rows) return this.cell(at, out.rows, place, base === 0)
    const first = bytes[at]
    if (first === OPEN_BRACKET) return this.list(at, table.rows[slot], out, slot)
    return first === QUOTE ? this.textInto(at, cells, place) : this.numberInto(at, cells, place)
  }

  private textInto(from: number, cells: Cells, place: number): number {
    const end = this.skipText(from)
    if (end < 0) return -1
    cells.set(place, FOUND.text, this.text.slice(from + 1, end - 1))
    return end
  }

  private numberInto(from: number, cells: Cells, place: number): number {
    const end = this.skipNumber(from)
    if (end < 0) return -1
    if (this.canonicalEnd >= 0) {
      cells.set(place, this.kind, this.text.slice(from, this.canonicalEnd))
      return end
    }
    const decimal = canonicalDecimal(this.text.slice(from, end))
    if (decimal === undefined) return -1
    cells.set(place, numberKind(decimal), decimal)
    return end
  }

  /** A number of a row, with its hash; of the first row, where it stands is kept for {@link sameShape}. */
  private cell(from: number, rows: Rows, place: number, first: boolean): number {
    const end = this.numberInto(from, rows, place)
    if (end < 0) return -1
    if (this.canonicalEnd < 0) hashText(rows.texts[place] as string, rows.lanes, place)
    else hashBytes(this.view, from, this.canonicalEnd, rows.lanes, place)
    if (first) this.shape.push(from, end, place)
    return end
  }

  private list(from: number, table: FieldTable | undefined, out: Fields, slot: number): number {
    if (!table) return -1
    const {bytes} = this
    const {rows} = out
    out.kinds[slot] = FOUND.rows
    this.shape.length = 0
    const firstRow = this.skipSpace(from + 1)
    if (bytes[firstRow] === CLOSE_BRACKET) return firstRow + 1
    let at = this.members(firstRow, table, out, rows, rows.add(table.size))
    for (let firstEnd = at; at >= 0; ) {
      at = this.skipSpace(at)
      const next = bytes[at]
      if (next === CLOSE_BRACKET) return at + 1
      if (next !== COMMA) return -1
      at = this.row(this.skipSpace(at + 1), table, out, firstRow, firstEnd)
    }
    return -1
  }

  private row(from: number, table: FieldTable, out: Fields, firstRow: number, firstEnd: number): number {
    const base = out.rows.add(table.size)
    const end = this.sameShape(from, out.rows, base, firstRow, firstEnd)
    if (end >= 0) return end
    out.rows.clear(base, base + table.size)
    return this.members(from, table, out, out.rows, base)
  }

  /**
   * Reads a row that is written as the first one was, byte for byte but for its numbers: what stands between the numbers needs no second look then.
   * Rows of real messages always are, and this halves the work.
   */
  private sameShape(from: number, rows: Rows, base: number, firstRow: number, firstEnd: number): number {
    const {shape} = this
    let at = from
    let known = firstRow
    for (let i = 0; i < shape.length; i += 3) {
      const number = shape[i] as number
      if (!this.same(known, number, at)) return -1
      at = this.cell(at + number - known, rows, base + (shape[i + 2] as number), false)
      if (at < 0) return -1
      known = shape[i + 1] as number
    }
    return this.same(known, firstEnd, at) ? at + firstEnd - known : -1
  }

  /** Whether the bytes at `at` are those from `start` to `end`. */
  private same(start: number, end: number, at: number): boolean {
    const {bytes} = this
    const distance = at - start
    for (let i = start; i < end; i++) if (bytes[i] !== bytes[i + distance]) return false
    return true
  }

  private skipScalar(from: number): number {
    const first = this.bytes[from]
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
    const {bytes} = this
    let at = from + 1
    for (let byte = bytes[at] as number; byte !== QUOTE; byte = bytes[++at] as number) {
      if (byte < SPACE || byte === BACKSLASH) return -1
    }
    return at + 1
  }

  /** By JSON's grammar; sets `canonicalEnd` and `kind`. */
  private skipNumber(from: number): number {
    const {bytes} = this
    const start = bytes[from] === MINUS ? from + 1 : from
    if (!isDigit(bytes[start] as number)) return -1
    let at = start + 1
    while (isDigit(bytes[at] as number)) at++
    if (bytes[start] === ZERO && at > start + 1) return -1
    const whole = at
    let canonicalEnd = at
    if (bytes[at] === POINT) {
      const fraction = at + 1
      at = fraction
      for (let byte = bytes[at] as number; isDigit(byte); byte = bytes[at] as number) {
        at++
        if (byte !== ZERO) canonicalEnd = at
      }
      if (at === fraction) return -1
    }
    this.kind = start !== from ? FOUND.negative : canonicalEnd === whole ? FOUND.whole : FOUND.fraction
    const exponent = ((bytes[at] as number) | SPACE) === 0x65
    const minusZero = start !== from && bytes[start] === ZERO && canonicalEnd === start + 1
    this.canonicalEnd = exponent || minusZero || at - from > MAX_FAST_NUMBER ? -1 : canonicalEnd
    return exponent ? this.skipExponent(at + 1) : at
  }

  private skipExponent(from: number): number {
    const {bytes} = this
    const digits = bytes[from] === PLUS || bytes[from] === MINUS ? from + 1 : from
    let at = digits
    while (isDigit(bytes[at] as number)) at++
    return at === digits ? -1 : at
  }
}

function isSpace(byte: number): boolean {
  return byte === SPACE || byte === 0x0a || byte === 0x0d || byte === 0x09
}

function isDigit(byte: number): boolean {
  return byte >= ZERO && byte <= NINE
}
