import fc from 'fast-check'
import {describe, expect, it} from 'vitest'
import {type CoinpipeError, InvalidInputError} from '../../../src/lib/core/errors.ts'
import type {BusMessage} from '../../../src/lib/core/ports/bus.ts'
import {holds} from '../../../src/lib/ops/tail-filter.ts'
import {parseFilter} from '../../../src/lib/ops/tail-filter-parser.ts'

const TRADE = {
  type: 'trade',
  price: '101.5',
  size: '0.10',
  symbol: 'BTC-KRW',
  tradeId: '17653921384756123',
  exact: 9007199254740992,
  closed: true,
  open: false,
  nothing: null,
  bids: [['99', '1']],
  'odd name': {deep: 1},
}

function wanted(expression: string, value: unknown = TRADE, over: Partial<BusMessage> = {}): boolean {
  const text = typeof value === 'string' ? value : JSON.stringify(value)
  const message = {
    topic: 't',
    partition: 3,
    offset: 42,
    key: 'upbit:BTC-KRW',
    value: text,
    headers: {'error-code': 'X', a: '7'},
    timestampMs: 1000,
    ...over,
  }
  return holds(parseFilter(expression), {message, payload: {shown: message.value, json: null, schemaId: null, error: null}})
}

function refusal(expression: string): CoinpipeError {
  try {
    parseFilter(expression)
  } catch (error) {
    expect(error).toBeInstanceOf(InvalidInputError)
    return error as CoinpipeError
  }
  throw new Error(`was taken: ${expression}`)
}

describe('a filter', () => {
  it.each([
    '.price > 101.49',
    '.price >= "101.50"',
    '.size == 0.1',
    '.size == .size',
    '.symbol == "BTC-KRW"',
    ".symbol != 'ETH-KRW'",
    '.tradeId > 17653921384756122 && .tradeId < 17653921384756124',
    '.exact < 9007199254740993',
    '.bids[0][0] == 99',
    '.bids[-1][1] == 1',
    '."odd name".deep == 1',
    '.closed && !.open',
    '.closed == true',
    '.nothing == null',
    '.price != null',
    '.symbol =~ /^btc-/i',
    'value =~ /"side"|"price"/',
    'key =~ /upbit:/ && partition == 3 && offset >= 42 && topic == "t" && timestamp == 1000',
    'headers.error-code == "X" && headers."a" == 7',
    'headers.a',
    '.open || .closed && .open || .closed',
    '!(.price < 100 || .price > 200)',
    '.price == 1.015e2',
  ])('lets through: %s', (expression) => expect(wanted(expression)).toBe(true))

  it.each([
    '.missing == 1',
    '.missing != 1',
    '.missing',
    '.price.deeper == 1',
    '.bids[7] == 1',
    'headers.none != "x"',
    '.constructor',
    '.__proto__',
    'headers.constructor',
    '.nothing',
    '.open',
    '.bids == 1',
    '.closed > 0',
    '.symbol > 5 && .symbol < 5',
    '.bids =~ /9/',
    '.exact == 9007199254740993',
  ])('keeps back: %s', (expression) => expect(wanted(expression)).toBe(false))

  it('takes a payload that is no JSON for one without fields', () => {
    expect(wanted('.price > 1', 'plain text')).toBe(false)
    expect(wanted('value == "plain text"', 'plain text')).toBe(true)
    expect(wanted('.price', `${'['.repeat(100)}${']'.repeat(100)}`)).toBe(false)
    expect(wanted('.a', TRADE, {value: null})).toBe(false)
    expect(wanted('key == null && value == null', TRADE, {key: null, value: null})).toBe(true)
  })

  it('gives ! more strength than &&, and && more than ||', () => {
    fc.assert(
      fc.property(fc.boolean(), fc.boolean(), fc.boolean(), (a, b, c) => {
        expect(wanted('!.a && .b || .c', {a, b, c})).toBe((!a && b) || c)
        expect(wanted('.a || .b && !.c', {a, b, c})).toBe(a || (b && !c))
        expect(wanted('!(.a || .b) && .c', {a, b, c})).toBe(!(a || b) && c)
      }),
    )
  })

  it('compares decimals exactly, however they are written', () => {
    const scaled = fc.tuple(fc.bigInt({min: -(10n ** 30n), max: 10n ** 30n}), fc.nat(18))
    const write = (value: bigint, scale: number) => `${value}e-${scale}`
    fc.assert(
      fc.property(scaled, scaled, fc.boolean(), ([a, scaleA], [b, scaleB], asText) => {
        const [left, right] = [a * 10n ** BigInt(18 - scaleA), b * 10n ** BigInt(18 - scaleB)]
        const literal = asText ? JSON.stringify(write(b, scaleB)) : write(b, scaleB)
        const document = `{"n":${write(a, scaleA)}}`
        expect(wanted(`.n < ${literal}`, document)).toBe(left < right)
        expect(wanted(`.n >= ${literal}`, document)).toBe(left >= right)
        expect(wanted(`.n == ${literal}`, document)).toBe(left === right)
        expect(wanted(`.n != ${literal}`, document)).toBe(left !== right)
      }),
    )
  })

  it('finds any text that is written as a literal', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        const literal = `'${text.replace(/[\\']/g, '\\$&')}'`
        expect(wanted(`.a == ${literal}`, {a: text})).toBe(true)
      }),
    )
  })

  it('answers any text with a filter or with a place in it', () => {
    const words = fc.constantFrom(
      '.a',
      'key',
      'headers.',
      '==',
      '=~',
      '/x/',
      '/(/',
      '(',
      ')',
      '!',
      '&&',
      '||',
      '"',
      "'t'",
      '1',
      '-',
      '.',
      '[0]',
      ' ',
    )
    fc.assert(
      fc.property(
        fc.oneof(
          fc.array(words).map((parts) => parts.join('')),
          fc.string(),
        ),
        (expression) => {
          try {
            parseFilter(expression)
          } catch (error) {
            expect(error).toBeInstanceOf(InvalidInputError)
            const [excerpt = '', caret = ''] = (error as CoinpipeError).remedy
            expect(caret.trimStart()).toBe('^')
            expect(caret.length).toBeLessThanOrEqual(excerpt.length + 1)
          }
        },
      ),
    )
  })

  it.each([
    ['.price >', 9, 'a field (.price)'],
    ['.price > > 1', 10, 'a field (.price)'],
    ['price > 1', 1, 'a field (.price)'],
    ['(.a == 1', 9, ')'],
    ['.a == 1 .b', 9, '&&, || or the end'],
    ['.a =~ x', 7, 'a pattern'],
    ['.a =~ /(/', 7, 'a pattern that can be used'],
    ['.a =~ /x/g', 10, 'only i, m, s or u'],
    ['.a == "x', 7, 'ends with the quote'],
    ['headers. == 1', 9, 'the name of a header'],
    ['5', 2, '==, !='],
    ['', 1, 'a field (.price)'],
    ['!'.repeat(200), 101, 'less than 100'],
  ])('points at what is wrong with %s', (expression, place, expected) => {
    const {message, remedy} = refusal(expression)
    expect(message).toContain(`at character ${place}: expected`)
    expect(message).toContain(expected)
    expect(remedy[1]?.length).toBe(Math.min(place, 61))
  })
})
