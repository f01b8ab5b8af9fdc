import cassandra from 'cassandra-driver'
import fc from 'fast-check'
import {describe, expect, it} from 'vitest'
import {canonicalDecimal} from '../../../../src/lib/core/decimal.ts'
import {DecimalRangeError, fitsDecimal} from '../../../../src/lib/core/decimal-math.ts'
import {decodeDecimal, encodeDecimal, MAX_DECIMAL_BYTES, writeDecimal} from '../../../../src/lib/store/cassandra/decimal.ts'

const {BigDecimal} = cassandra.types

/** Canonical decimals of every length that fits, on both sides of zero. */
const decimals = fc
  .tuple(
    fc.boolean(),
    fc.oneof(fc.stringMatching(/^[1-9]\d{0,19}$/), fc.constant('0')),
    fc.oneof(fc.stringMatching(/^\d{0,17}[1-9]$/), fc.constant('')),
  )
  .map(([negative, whole, fraction]) => {
    const text = fraction === '' ? whole : `${whole}.${fraction}`
    return negative && text !== '0' ? `-${text}` : text
  })

describe('decimals of Cassandra', () => {
  it('are the bytes that the driver makes of its own decimals', () => {
    fc.assert(
      fc.property(decimals, (text) => {
        expect(encodeDecimal(text).toString('hex')).toBe(BigDecimal.toBuffer(BigDecimal.fromString(text)).toString('hex'))
      }),
      {numRuns: 3000},
    )
  })

  it('come back as the same text', () => {
    fc.assert(
      fc.property(decimals, (text) => {
        expect(decodeDecimal(encodeDecimal(text))).toBe(text)
      }),
      {numRuns: 3000},
    )
  })

  it.each([
    '0',
    '-1',
    '127',
    '128',
    '-128',
    '-129',
    '255',
    '32767',
    '32768',
    '-32768',
    '8388608',
    '2147483647',
    '2147483648',
    '-2147483648',
  ])('hold %s, at the edge of a byte', (text) => {
    expect(encodeDecimal(text).toString('hex')).toBe(BigDecimal.toBuffer(BigDecimal.fromString(text)).toString('hex'))
    expect(decodeDecimal(encodeDecimal(text))).toBe(text)
  })

  it('hold the same texts as the other stores, and no others', () => {
    const nearly = fc.oneof(fc.stringMatching(/^-?\d{0,22}\.?\d{0,20}$/), fc.string({maxLength: 6}), decimals)
    fc.assert(
      fc.property(nearly, (text) => {
        expect(writeDecimal(text, Buffer.alloc(64), 0) >= 0).toBe(fitsDecimal(text))
      }),
      {numRuns: 5000},
    )
  })

  it('refuse what is no decimal by its text', () => {
    for (const text of ['', '-', '.', '1.', '.5', '01', '1.50', '-0', '+1', '1e3', 'NaN', ' 1', '1'.repeat(21), `0.${'1'.repeat(19)}`]) {
      expect(() => encodeDecimal(text)).toThrow(DecimalRangeError)
    }
  })

  it('never take more room than they ask for', () => {
    expect(encodeDecimal(`-${'9'.repeat(20)}.${'9'.repeat(18)}`).length).toBe(MAX_DECIMAL_BYTES)
  })

  it('that others wrote with zeros or exponents come back canonical', () => {
    for (const [unscaled, scale] of [
      [1500, 3],
      [100, -2],
      [0, 3],
      [1, -20],
      [-250, 2],
    ] as const) {
      expect(decodeDecimal(BigDecimal.toBuffer(new BigDecimal(unscaled, scale)))).toBe(canonicalDecimal(`${unscaled}e${-scale}`))
    }
    expect(() => decodeDecimal(Buffer.from([0x80, 0, 0, 0, 1]))).toThrow(DecimalRangeError)
  })
})
