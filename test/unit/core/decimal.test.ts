import fc from 'fast-check'
import {describe, expect, it} from 'vitest'
import {canonicalDecimal, isCanonicalDecimal} from '../../../src/lib/core/decimal.ts'

/** A number as digits times a power of ten, in any spelling that JSON allows. */
const spelled = fc
  .record({
    negative: fc.boolean(),
    digits: fc.bigInt({min: 0n, max: 10n ** 24n}),
    scale: fc.integer({min: 0, max: 24}),
    exponent: fc.option(fc.integer({min: -12, max: 12}), {nil: undefined}),
    mark: fc.constantFrom('e', 'E', 'e+', 'E+'),
    zeros: fc.integer({min: 0, max: 4}),
  })
  .map(({negative, digits, scale, exponent, mark, zeros}) => {
    const padded = digits.toString().padStart(scale + 1, '0')
    const fraction = padded.slice(padded.length - scale) + '0'.repeat(zeros)
    const point = scale + zeros === 0 ? '' : `.${fraction}`
    const power = exponent === undefined ? '' : `${exponent < 0 ? mark[0] : mark}${exponent}`
    return {
      text: `${negative ? '-' : ''}${padded.slice(0, padded.length - scale)}${point}${power}`,
      value: scaled(negative ? -digits : digits, scale - (exponent ?? 0)),
    }
  })

const SCALE = 40

/** `digits / 10^scale` as an integer of 10^-40. */
function scaled(digits: bigint, scale: number): bigint {
  return digits * 10n ** BigInt(SCALE - scale)
}

function unscaled(decimal: string): bigint {
  const [whole = '', fraction = ''] = decimal.split('.')
  const magnitude = BigInt(whole.replace('-', '') + fraction.padEnd(SCALE, '0'))
  return decimal.startsWith('-') ? -magnitude : magnitude
}

describe('canonicalDecimal', () => {
  it.each([
    ['9.9E-7', '0.00000099'],
    ['127.0', '127'],
    ['1618678262000003', '1618678262000003'],
    ['16186782620000031', '16186782620000031'],
    ['-0', '0'],
    ['-0.0E5', '0'],
    ['1e3', '1000'],
    ['1.50E+1', '15'],
    ['-12.340', '-12.34'],
    ['0.10', '0.1'],
    ['007', '7'],
  ])('writes %s as %s', (text, expected) => {
    expect(canonicalDecimal(text)).toBe(expected)
  })

  it.each([
    '',
    ' ',
    'NaN',
    'Infinity',
    '-Infinity',
    '-',
    '.5',
    '5.',
    '1e',
    '1e+',
    '+1',
    '0x10',
    '1_000',
    '1,5',
    '1 ',
    '１',
    '1e400',
    '1e-400',
    '9'.repeat(65),
  ])('refuses %j', (text) => {
    expect(canonicalDecimal(text)).toBeUndefined()
  })

  it('equals the number that was written, in the one canonical form', () => {
    fc.assert(
      fc.property(spelled, ({text, value}) => {
        const decimal = canonicalDecimal(text)
        expect(decimal).toSatisfy(isCanonicalDecimal)
        expect(unscaled(decimal ?? '')).toBe(value)
        expect(canonicalDecimal(decimal ?? '')).toBe(decimal)
      }),
    )
  })

  it('never takes what JSON does not take, but for leading zeros', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[-+0-9.eE]{1,12}$/), (text) => {
        const decimal = canonicalDecimal(text.replace(/^(-?)0+(?=\d)/, '$1'))
        if (decimal !== undefined) expect(Number(decimal)).toBeCloseTo(JSON.parse(text.replace(/^(-?)0+(?=\d)/, '$1')) as number, 9)
      }),
    )
  })
})

describe('isCanonicalDecimal', () => {
  it.each(['0', '127', '0.00000099', '-3.5'])('takes %s', (text) => expect(isCanonicalDecimal(text)).toBe(true))
  it.each(['-0', '1.0', '01', '1.', '.1', '1e3', '', 'NaN', '+1'])('refuses %j', (text) => expect(isCanonicalDecimal(text)).toBe(false))
})
