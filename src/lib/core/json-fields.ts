/**
 * The fields to look for in the JSON of a message, and what was found for them: numbers as canonical text, never as doubles.
 *
 * Two readers fill the same {@link Fields}. FastScanner in json-scan.ts slices the texts out of a frame's bytes in one pass and gives up
 * on anything unusual; json-exact.ts takes everything that is JSON, several times slower. Where the fast one does not give up, both find the
 * same (property test).
 */

import type {Decimal} from './records.ts'

/**
 * What was found for a field. Numbers: `whole` from 0, `fraction` above 0, `negative` below 0, `unusable` where canonicalDecimal refuses them.
 * `other` is a value of a type that no field has.
 */
export const FOUND = {nothing: 0, whole: 1, fraction: 2, negative: 3, unusable: 4, text: 5, null: 6, rows: 7, other: 8} as const

/** What kind of number a canonical decimal is. */
export function numberKind(decimal: Decimal): number {
  if (decimal.startsWith('-')) return FOUND.negative
  return decimal.includes('.') ? FOUND.fraction : FOUND.whole
}

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
  /** The name in each bucket. */
  private readonly names: Uint8Array[]

  constructor(specs: readonly FieldSpec[]) {
    this.size = specs.length
    this.rows = specs.map((spec) => spec.rows)
    specs.forEach((spec, slot) => {
      for (const name of spec.names) this.slots.set(name, slot)
    })
    // A quarter full at most, so that most unknown names meet an empty bucket.
    this.mask = 2 ** Math.ceil(Math.log2(this.slots.size * 4)) - 1
    this.buckets = new Int8Array(this.mask + 1).fill(-1)
    this.names = Array.from(this.buckets, () => new Uint8Array())
    for (const [name, slot] of this.slots) this.place(new TextEncoder().encode(name), slot)
  }

  /** The slot of a name, -1 where it is none of the fields. */
  slotOf(name: string): number {
    return this.slots.get(name) ?? -1
  }

  /** The same for a name in bytes, with the hash of it that {@link addToHash} gives. */
  slotAt(bytes: Uint8Array, start: number, end: number, hash: number): number {
    for (let bucket = hash & this.mask; ; bucket = (bucket + 1) & this.mask) {
      const slot = this.buckets[bucket] as number
      if (slot < 0 || equals(this.names[bucket] as Uint8Array, bytes, start, end)) return slot
    }
  }

  private place(name: Uint8Array, slot: number): void {
    let bucket = name.reduce(addToHash, 0) & this.mask
    while ((this.buckets[bucket] as number) >= 0) bucket = (bucket + 1) & this.mask
    this.buckets[bucket] = slot
    this.names[bucket] = name
  }
}

/** The hash of a name, byte by byte from 0. */
export function addToHash(hash: number, byte: number): number {
  return (Math.imul(hash, 31) + byte) | 0
}

function equals(name: Uint8Array, bytes: Uint8Array, start: number, end: number): boolean {
  if (name.length !== end - start) return false
  for (let i = 0; i < name.length; i++) {
    if (name[i] !== bytes[start + i]) return false
  }
  return true
}

/** Values by place. Reused from frame to frame: take what you need before the next. */
export class Cells {
  kinds: Uint8Array
  /** Numbers in canonical form, strings without quotes; stale where `kinds` says nothing. */
  readonly texts: string[]

  constructor(size: number) {
    this.kinds = new Uint8Array(size)
    this.texts = new Array<string>(size).fill('')
  }

  /** Empties the places from `start` to `end`. */
  clear(start: number, end: number): void {
    for (let place = start; place < end; place++) this.kinds[place] = FOUND.nothing
  }

  set(place: number, kind: number, text: string): void {
    this.kinds[place] = kind
    this.texts[place] = text
  }
}

/** The rows of a field: slot `s` of row `r` is at `r * rowSize + s`. */
export class Rows extends Cells {
  count = 0
  /** The hash of each number, as core/ids.ts leaves it. */
  lanes = new Int32Array(2 * FIRST_CELLS)

  constructor() {
    super(FIRST_CELLS)
  }

  /** Makes room for one more row; returns where it starts. */
  add(rowSize: number): number {
    const start = this.count++ * rowSize
    if (start + rowSize > this.kinds.length) this.grow(2 * (start + rowSize))
    this.clear(start, start + rowSize)
    return start
  }

  private grow(size: number): void {
    const {kinds, lanes} = this
    this.kinds = new Uint8Array(size)
    this.kinds.set(kinds)
    this.lanes = new Int32Array(2 * size)
    this.lanes.set(lanes)
  }
}

/** Room for the 30 levels of an order book. */
const FIRST_CELLS = 128

/** What was read from one object. */
export class Fields extends Cells {
  readonly rows = new Rows()

  constructor(table: FieldTable) {
    super(table.size)
  }

  reset(): void {
    this.clear(0, this.kinds.length)
    this.rows.count = 0
  }
}
