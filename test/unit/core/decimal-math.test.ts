import fc from 'fast-check'
import {describe, expect, it} from 'vitest'
import {
  DecimalRangeError,
  fitsDecimal,
  fitsSum,
  fromScaled,
  PRODUCT_SCALE,
  productFits,
  toScaled,
} from '../../../src/lib/core/decimal-math.ts'

const LARGEST = '99999999999999999999.999999999999999999'

describe('scaled decimals', () => {
  it.each([
    ['0', 0n],
    ['1', 10n ** 18n],
    ['-0.5', -5n * 10n ** 17n],
    ['0.000000000000000001', 1n],
    [LARGEST, 10n ** 38n - 1n],
  ])('%s is exact both ways', (text, scaled) => {
    expect(toScaled(text)).toBe(scaled)
    expect(fromScaled(scaled)).toBe(text)
  })

  it.each(['', 'NaN', '1e5', '1.0', '+1', '01', '.5', '100000000000000000000', '0.0000000000000000001', '-0'])('refuses %j', (text) => {
    expect(fitsDecimal(text)).toBe(false)
    expect(() => toScaled(text)).toThrow(DecimalRangeError)
  })

  it('goes there and back for any value that fits', () => {
    fc.assert(
      fc.property(fc.bigInt({min: -(10n ** 38n) + 1n, max: 10n ** 38n - 1n}), (value) => {
        const text = fromScaled(value)
        expect(fitsDecimal(text)).toBe(true)
        expect(toScaled(text)).toBe(value)
      }),
    )
  })

  it('gives products without a rounding, or not at all', () => {
    const product = toScaled('0.000000001') * toScaled('0.000000001')
    expect(productFits(product)).toBe(true)
    expect(fromScaled(product, PRODUCT_SCALE)).toBe('0.000000000000000001')
    const tooFine = product / 10n
    expect(productFits(tooFine)).toBe(false)
    expect(() => fromScaled(tooFine, PRODUCT_SCALE)).toThrow(DecimalRangeError)
    const tooLarge = 10n ** 56n
    expect(productFits(tooLarge)).toBe(false)
    expect(() => fromScaled(tooLarge, PRODUCT_SCALE)).toThrow(DecimalRangeError)
  })

  it('tells sums that fit', () => {
    expect(fitsSum(10n ** 38n - 1n, 10n ** 56n - 1n)).toBe(true)
    expect(fitsSum(10n ** 38n, 0n)).toBe(false)
    expect(fitsSum(0n, 10n ** 56n)).toBe(false)
  })
})
