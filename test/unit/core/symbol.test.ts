import {expect, it} from 'vitest'
import {splitSpotSymbol, spotSymbol} from '../../../src/lib/core/symbol.ts'

it('joins and splits spot symbols', () => {
  expect(spotSymbol('BTC', 'KRW')).toBe('BTC-KRW')
  expect(splitSpotSymbol('BTC-KRW')).toEqual({base: 'BTC', quote: 'KRW'})
  expect(splitSpotSymbol('1INCH-USDT')).toEqual({base: '1INCH', quote: 'USDT'})
})

it.each(['BTC', 'btc-krw', 'BTC-USD-PERP', 'BTC-USD-20220527', '-KRW', 'BTC-', '', 'BTC-KRW '])('is not taken in by %j', (text) => {
  expect(splitSpotSymbol(text)).toBeUndefined()
})
