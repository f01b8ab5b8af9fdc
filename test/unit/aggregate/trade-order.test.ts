import fc from 'fast-check'
import {describe, expect, it} from 'vitest'
import {compareTrades, type TradePoint} from '../../../src/lib/aggregate/trade-order.ts'

const point = (fields: Partial<TradePoint>): TradePoint => ({eventTime: 1, tradeId: '1', price: '1', ...fields})

describe('compareTrades', () => {
  it.each([
    ['event time first', {eventTime: 1, sequence: '9'}, {eventTime: 2, sequence: '1'}],
    ['then the sequence by number', {sequence: '9', tradeId: 'z'}, {sequence: '10', tradeId: 'a'}],
    ['beyond 2^53, too', {sequence: '9007199254740992'}, {sequence: '9007199254740993'}],
    ['the trade id in its place', {tradeId: '9'}, {tradeId: '10'}],
    ['numbers before texts', {tradeId: '9'}, {tradeId: '1a'}],
    ['texts by code unit', {tradeId: '1a'}, {tradeId: '1b'}],
    ['then the trade id', {sequence: '1', tradeId: 'a'}, {sequence: '01', tradeId: 'b'}],
  ])('%s', (_name, less, more) => {
    expect(Math.sign(compareTrades(point(less), point(more)))).toBe(-1)
    expect(Math.sign(compareTrades(point(more), point(less)))).toBe(1)
  })

  it('is a total order', () => {
    const key = fc.oneof(fc.constantFrom('9', '10', '1a', '01', '1', 'a', ''), fc.nat(20).map(String))
    const any = fc.record({eventTime: fc.nat(1), tradeId: key, sequence: key}).map(point)
    fc.assert(
      fc.property(any, any, any, (a, b, c) => {
        expect(Math.sign(compareTrades(a, b))).toBe(-Math.sign(compareTrades(b, a)) + 0)
        if (compareTrades(a, b) <= 0 && compareTrades(b, c) <= 0) expect(compareTrades(a, c)).toBeLessThanOrEqual(0)
      }),
    )
  })
})
