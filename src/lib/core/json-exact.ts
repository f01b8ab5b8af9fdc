/** The exact reader of messages: takes all that is JSON; see json-fields.ts. */
import {canonicalDecimal} from './decimal.ts'
import {hashText} from './ids.ts'
import {type Cells, type Fields, type FieldTable, FOUND, numberKind, type Rows} from './json-fields.ts'

const QUOTE = 0x22
const BACKSLASH = 0x5c
const OPEN_BRACE = 0x7b
const CLOSE_BRACE = 0x7d
const OPEN_BRACKET = 0x5b
const CLOSE_BRACKET = 0x5d

/** Nesting beyond this is refused: no message of an exchange comes near it, and a deep one could exhaust the stack. */
export const MAX_DEPTH = 64

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

/** Reads an object's fields into `out`, which must be reset. */
export function fillFields(object: {readonly [name: string]: ExactValue}, table: FieldTable, out: Fields): void {
  for (const [name, value] of Object.entries(object)) {
    const slot = table.slotOf(name)
    if (slot < 0) continue
    const rows = table.rows[slot]
    if (rows && Array.isArray(value)) out.kinds[slot] = fillRows(value, rows, out.rows)
    else setCell(value, slot, out)
  }
}

function fillRows(values: readonly ExactValue[], table: FieldTable, rows: Rows): number {
  rows.count = 0
  for (const value of values) {
    if (!isExactObject(value)) return FOUND.other
    const base = rows.add(table.size)
    for (const [name, cell] of Object.entries(value)) {
      const slot = table.slotOf(name)
      if (slot < 0) continue
      setCell(cell, base + slot, rows)
      hashText(rows.texts[base + slot] as string, rows.lanes, base + slot)
    }
  }
  return FOUND.rows
}

function setCell(value: ExactValue, place: number, cells: Cells): void {
  if (value instanceof NumberText) {
    const decimal = canonicalDecimal(value.source)
    if (decimal === undefined) cells.set(place, FOUND.unusable, value.source)
    else cells.set(place, numberKind(decimal), decimal)
  } else if (typeof value === 'string') cells.set(place, FOUND.text, value)
  else cells.kinds[place] = value === null ? FOUND.null : FOUND.other
}
