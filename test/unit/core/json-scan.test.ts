import fc from 'fast-check'
import {describe, expect, it} from 'vitest'
import {fillFields, isExactObject, parseExact} from '../../../src/lib/core/json-exact.ts'
import {Fields, FieldTable, FOUND} from '../../../src/lib/core/json-fields.ts'
import {FastScanner} from '../../../src/lib/core/json-scan.ts'

const ROWS = new FieldTable([{names: ['p', 'price']}, {names: ['s']}])
const TABLE = new FieldTable([
  {names: ['id', 'identifier']},
  {names: ['n']},
  {names: ['rows'], rows: ROWS},
  {names: ['Aa']},
  {names: ['BB']},
])

const isNumber = (kind: number | undefined) => kind === FOUND.whole || kind === FOUND.fraction || kind === FOUND.negative

/** What was found, without what is stale. */
function found(fields: Fields): unknown {
  const take = (kinds: Uint8Array, texts: readonly string[], length: number) =>
    Array.from({length}, (_, place) => [kinds[place], isNumber(kinds[place]) || kinds[place] === FOUND.text ? texts[place] : ''])
  const rowCells = fields.kinds[TABLE.slotOf('rows')] === FOUND.rows ? fields.rows.count * ROWS.size : 0
  const {kinds, texts, lanes} = fields.rows
  // Only numbers of rows have hashes that anyone reads.
  const hashes = Array.from({length: rowCells}, (_, place) => (isNumber(kinds[place]) ? [lanes[2 * place], lanes[2 * place + 1]] : []))
  const cells = take(kinds, texts, rowCells)
  return [take(fields.kinds, fields.texts, TABLE.size), cells.map((cell, place) => [...cell, ...(hashes[place] ?? [])])]
}

const scanner = new FastScanner()

/** Undefined where the fast reader gives up. */
function fast(text: string): unknown {
  const fields = new Fields(TABLE)
  if (!scanner.load(text)) return undefined
  const end = scanner.object(scanner.skipSpace(0), TABLE, fields)
  return end >= 0 && scanner.skipSpace(end) === text.length ? found(fields) : undefined
}

/** Undefined where the text is no JSON object. */
function exact(text: string): unknown {
  const fields = new Fields(TABLE)
  try {
    const value = parseExact(text)
    if (!isExactObject(value)) return undefined
    fillFields(value, TABLE, fields)
    return found(fields)
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof RangeError) return undefined
    throw error
  }
}

const space = fc.constantFrom('', '', '', ' ', '\n', '\t', '\r', '  \n')
const number = fc.oneof(
  fc.double({noNaN: true, noDefaultInfinity: true}).map(String),
  fc.maxSafeNat().map(String),
  fc.bigInt({min: 0n, max: 10n ** 30n}).map(String),
  fc.constantFrom(
    '0',
    '-0',
    '0.0',
    '-0.00',
    '9.9E-7',
    '127.0',
    '1.50',
    '0.10',
    '1e3',
    '-1.5e+2',
    '1e400',
    '-12.340',
    '17'.repeat(20),
    `1.${'2'.repeat(70)}`,
  ),
)
const string = fc
  .oneof(
    fc.constantFrom('trade', 'KRW-BTC', ''),
    fc.string({unit: 'binary-ascii', maxLength: 8}),
    fc.string({unit: 'grapheme', maxLength: 4}),
  )
  .map((text) => JSON.stringify(text))
const scalar = fc.oneof(number, string, fc.constantFrom('null', 'true', 'false'))
const name = fc.oneof(
  fc.constantFrom('id', 'identifier', 'n', 'rows', 'Aa', 'BB', 'p', 'price', 's', 'unknown', '__proto__', 'C#', '\\u006e'),
  fc.string({maxLength: 3}).map((text) => JSON.stringify(text).slice(1, -1)),
)

const {object} = fc.letrec<{value: string; object: string; list: string}>((tie) => ({
  value: fc.oneof({depthSize: 'small', withCrossShrink: true}, scalar, tie('object'), tie('list')),
  object: fc
    .array(fc.tuple(space, name, space, space, tie('value'), space), {maxLength: 6})
    .map((members) => `{${members.map(([a, key, b, c, value, d]) => `${a}"${key}"${b}:${c}${value}${d}`).join(',')}}`),
  list: fc.array(fc.tuple(space, tie('value'), space), {maxLength: 4}).map((items) => `[${items.map((item) => item.join('')).join(',')}]`),
}))

describe('the fast reader', () => {
  it('reads numbers as canonical text, strings and rows', () => {
    expect(fast('{"n":127.0,"id":"x","rows":[{"p":9.9E-7,"s":16186782620000031},{"s":1}],"else":null,"BB":-1.50}')).toEqual([
      [
        [FOUND.text, 'x'],
        [FOUND.whole, '127'],
        [FOUND.rows, ''],
        [FOUND.nothing, ''],
        [FOUND.negative, '-1.5'],
      ],
      [
        [FOUND.fraction, '0.00000099', expect.any(Number), expect.any(Number)],
        [FOUND.whole, '16186782620000031', expect.any(Number), expect.any(Number)],
        [FOUND.nothing, ''],
        [FOUND.whole, '1', expect.any(Number), expect.any(Number)],
      ],
    ])
  })

  it('finds what the exact reader finds, in any order and spacing, or gives up', () => {
    let read = 0
    fc.assert(
      fc.property(fc.tuple(space, object, space), (parts) => {
        const text = parts.join('')
        const result = fast(text)
        if (result === undefined) return
        read++
        expect(result).toEqual(exact(text))
      }),
      {numRuns: 3000},
    )
    // Else the property would hold for a reader that always gives up.
    expect(read).toBeGreaterThan(300)
  })

  it('finds the same in rows that are all written alike, and in rows that differ somewhere', () => {
    const row = fc.tuple(space, space, fc.constantFrom('', '"x":1,', '"x":"\\u0041",')).map(
      ([before, after, extra]) =>
        (p: string, s: string) =>
          `{${extra}"p"${before}:${p}${after},"s":${s}}`,
    )
    const rows = fc
      .tuple(row, fc.array(fc.tuple(number, number), {minLength: 1, maxLength: 5}), space)
      .map(([write, values, gap]) => `{"rows":[${values.map(([p, s]) => write(p, s)).join(`${gap},`)}]}`)
    const damage = fc.option(fc.tuple(fc.nat(), fc.nat(2), fc.constantFrom('', ',', '"', '}', ' ', '0', '.', 'null', '"s":2,')), {freq: 1})
    let read = 0
    fc.assert(
      fc.property(rows, damage, (text, change) => {
        const [place, length, insert] = change ?? [0, 0, '']
        const at = place % text.length
        const changed = text.slice(0, at) + insert + text.slice(at + length)
        const result = fast(changed)
        if (result === undefined) return
        read++
        expect(result).toEqual(exact(changed))
      }),
      {numRuns: 3000},
    )
    expect(read).toBeGreaterThan(300)
  })

  it('never takes what is not JSON', () => {
    const cut = fc.tuple(object, fc.nat(), fc.nat(3), fc.constantFrom('', ',', '"', '}', ']', '0', '-', '.', 'e', '\\', '\u0001', 'é', ':'))
    fc.assert(
      fc.property(cut, ([text, place, length, insert]) => {
        const at = place % (text.length + 1)
        const damaged = text.slice(0, at) + insert + text.slice(at + length)
        const result = fast(damaged)
        if (result !== undefined) expect(result).toEqual(exact(damaged))
      }),
      {numRuns: 3000},
    )
  })

  it.each([
    '{"n":01}',
    '{"n":1.}',
    '{"n":-}',
    '{"n":1e}',
    '{"n":+1}',
    '{"n":NaN}',
    '{"n":1,}',
    '{"n" 1}',
    '{n:1}',
    '{"n":1',
    '{"n":1}}',
    "{'n':1}",
    '{"x":tru}',
    '{"x":.5}',
  ])('gives up on %s', (text) => {
    expect(fast(text)).toBeUndefined()
    expect(exact(text)).toBeUndefined()
  })

  it('leaves a name that comes twice, under one spelling or two, to the exact reader', () => {
    expect(fast('{"n":1,"n":2}')).toBeUndefined()
    expect(fast('{"id":1,"identifier":2}')).toBeUndefined()
    expect(exact('{"n":1,"n":2}')).toMatchObject([{1: [FOUND.whole, '2']}, []])
  })

  it('does not see the rest of an earlier, longer frame', () => {
    expect(fast('{"n":123456789,"id":"abcdefgh"}')).toBeDefined()
    expect(fast('{"n":1')).toBeUndefined()
    expect(fast('{"id":"a')).toBeUndefined()
  })

  it('leaves frames that are very long to the exact reader', () => {
    expect(fast(`{"n":1,"x":"${'x'.repeat(50_000)}"}`)).toBeDefined()
    expect(fast(`{"n":1,"x":"${'x'.repeat(300_000)}"}`)).toBeUndefined()
  })
})

describe('the exact reader', () => {
  it('tells apart numbers that it cannot use, null and other types', () => {
    expect(exact('{"id":1e400,"n":null,"Aa":true,"BB":[],"rows":{}}')).toEqual([
      [
        [FOUND.unusable, ''],
        [FOUND.null, ''],
        [FOUND.other, ''],
        [FOUND.other, ''],
        [FOUND.other, ''],
      ],
      [],
    ])
    expect(exact('{"rows":[{"p":1},2]}')).toMatchObject([{2: [FOUND.other, '']}, []])
  })

  it('reads escapes and any script', () => {
    expect(exact('{"\\u0069d":"비트\\n코인"}')).toMatchObject([{0: [FOUND.text, '비트\n코인']}, []])
  })

  it('refuses deep nesting before it parses', () => {
    const nested = (depth: number) => `${'['.repeat(depth)}1${']'.repeat(depth)}`
    expect(parseExact(nested(64))).toBeDefined()
    expect(() => parseExact(nested(65))).toThrow(RangeError)
    expect(() => parseExact(nested(1_000_000))).toThrow('nested deeper than 64 levels')
    expect(parseExact(`"${'['.repeat(100)}\\"${'['.repeat(100)}"`)).toBeTypeOf('string')
  })
})
