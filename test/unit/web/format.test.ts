import fc from 'fast-check'
import {describe, expect, it} from 'vitest'
import {decimalsOf, formatChange, formatCompact, formatDecimal, formatSymbol, quoteOf, subtract} from '../../../src/lib/web/page/format.ts'
import {defaultMarket, marketOf, nameOf} from '../../../src/lib/web/page/market-name.ts'

/** Canonical decimals with more digits than a double holds. */
const decimal = fc.tuple(fc.boolean(), fc.bigInt({min: 0n, max: 10n ** 25n}), fc.nat({max: 18})).map(([negative, digits, scale]) => {
  const text = String(digits).padStart(scale + 1, '0')
  const value = scale === 0 ? text : `${text.slice(0, -scale)}.${text.slice(-scale)}`.replace(/\.?0+$/, '')
  return negative && value !== '0' ? `-${value}` : value
})

function scaled(value: string): bigint {
  const [whole = '0', fraction = ''] = value.split('.')
  return BigInt(whole + fraction.padEnd(18, '0'))
}

describe('formatDecimal', () => {
  it.each([
    ['145313000', 0, '145,313,000'],
    ['999', 0, '999'],
    ['0.00000099', 0, '0.00000099'],
    ['1234.5', 3, '1,234.500'],
    ['-1234567.25', 0, '−1,234,567.25'],
    ['127', 2, '127.00'],
  ])('writes %s with %d decimals as %s', (value, decimals, text) => {
    expect(formatDecimal(value, decimals)).toBe(text)
  })

  it('loses and invents no digit', () => {
    fc.assert(
      fc.property(decimal, fc.nat({max: 20}), (value, decimals) => {
        const text = formatDecimal(value, decimals)
        expect(
          scaled(
            text
              .replaceAll(',', '')
              .replace('−', '-')
              .replace(/(\.\d*?)0+$/, '$1'),
          ),
        ).toBe(scaled(value))
        expect(decimalsOf(text)).toBe(Math.max(decimals, decimalsOf(value)))
      }),
    )
  })
})

describe('subtract', () => {
  it('is exact, and canonical', () => {
    expect(subtract('0.3', '0.1')).toBe('0.2')
    expect(subtract('1', '1.000000000000000001')).toBe('-0.000000000000000001')
    expect(subtract('100', '50')).toBe('50')
    fc.assert(
      fc.property(decimal, decimal, (a, b) => {
        const difference = subtract(a, b)
        expect(scaled(difference)).toBe(scaled(a) - scaled(b))
        expect(difference).toMatch(/^(0|-?(0|[1-9]\d*)(\.\d*[1-9])?)$/)
      }),
    )
  })
})

describe('formatChange', () => {
  it.each([
    [0.0125, 'up', '▲ 1.25%'],
    [-0.5, 'down', '▼ 50.00%'],
    [0.00001, 'flat', '0.00%'],
    [-0.00001, 'flat', '0.00%'],
    [Number.NaN, 'flat', '0.00%'],
    [Number.POSITIVE_INFINITY, 'flat', '0.00%'],
  ])('shows %d as %s: %s', (rate, direction, text) => {
    expect(formatChange(rate)).toEqual({direction, text})
  })
})

describe('formatCompact', () => {
  it("uses the language's own units", () => {
    expect(formatCompact('97560000000', 'en-US')).toBe('97.56B')
    expect(formatCompact('97560000000', 'ko-KR')).toBe('975.6억')
  })
})

describe('market names', () => {
  it('are read as they are written', () => {
    const market = {exchange: 'binance-us', symbol: 'BTC-USD-PERP'}
    expect(marketOf(nameOf(market))).toEqual(market)
    expect([formatSymbol(market.symbol), quoteOf(market.symbol)]).toEqual(['BTC/USD-PERP', 'USD'])
  })

  it.each([null, '', 'upbit', 'upbit:', ':BTC-KRW', 'upbit:btc', 'up bit:BTC-KRW', 'upbit:BTC-KRW&x=1'])('refuse %s', (name) => {
    expect(marketOf(name)).toBeUndefined()
  })

  it('fall back to Bitcoin, else to whatever is there', () => {
    const ether = {exchange: 'upbit', symbol: 'ETH-KRW'}
    const bitcoin = {exchange: 'binance', symbol: 'BTC-USDT'}
    expect(defaultMarket([ether, bitcoin])).toBe(bitcoin)
    expect(defaultMarket([ether])).toBe(ether)
    expect(defaultMarket([])).toBeUndefined()
  })
})
