import {describe, expect, it} from 'vitest'
import {parseRequest} from '../../../../src/lib/simulate/upbit/subscription.ts'

const ticket = {ticket: 'a'}
const trade = {type: 'trade', codes: ['KRW-BTC']}
const parse = (...parts: unknown[]) => parseRequest(JSON.stringify(parts))

describe('parseRequest', () => {
  it('reads formats', () => {
    expect(parse(ticket, trade)).toMatchObject({ok: true, subscription: {ticket: 'a', fullNames: true, list: false}})
    expect(parse(ticket, trade, {format: 'SIMPLE'})).toMatchObject({subscription: {fullNames: false, list: false}})
    expect(parse(ticket, trade, {format: 'JSON_LIST'})).toMatchObject({subscription: {fullNames: true, list: true}})
    expect(parse({format: 'SIMPLE_LIST'}, ticket, trade)).toMatchObject({subscription: {fullNames: false, list: true}})
  })

  it('reads depth and price grouping of books', () => {
    const codes = ['KRW-BTC', 'KRW-BTC.1', 'KRW-BTC.5', 'KRW-BTC.15', 'KRW-BTC.7']
    expect(parse(ticket, {type: 'orderbook', codes, level: 1000})).toMatchObject({
      subscription: {wants: [{type: 'orderbook', codes: [30, 1, 5, 15, 30].map((depth) => ({code: 'KRW-BTC', depth, level: 1000}))}]},
    })
  })

  it.each([
    [{}, {snapshot: true, realtime: true}],
    [{is_only_realtime: true}, {snapshot: false, realtime: true}],
    [{isOnlyRealtime: true}, {snapshot: false, realtime: true}],
    [{is_only_snapshot: true}, {snapshot: true, realtime: false}],
  ])('reads %o', (flags, expected) => {
    expect(parse(ticket, {...trade, ...flags})).toMatchObject({subscription: {wants: [expected]}})
  })

  it.each([
    ['WRONG_FORMAT', [1, 2]],
    ['WRONG_FORMAT', [ticket, trade, {format: 'XML'}]],
    ['NO_TICKET', [trade]],
    ['NO_TICKET', [{ticket: ''}, trade]],
    ['NO_TYPE', [ticket]],
    ['NO_TYPE', [ticket, {codes: ['KRW-BTC']}]],
    ['NO_CODES', [ticket, {type: 'trade'}]],
    ['NO_CODES', [ticket, {type: 'trade', codes: []}]],
    ['INVALID_PARAM', [ticket, {type: 'rumour', codes: ['KRW-BTC']}]],
    ['INVALID_PARAM', [ticket, {type: 'trade', codes: [1]}]],
    ['INVALID_PARAM', [ticket, {type: 'candle.2m', codes: ['KRW-BTC']}]],
    ['INVALID_PARAM', [ticket, {type: 'orderbook', codes: ['KRW-BTC'], level: -1}]],
  ])('answers %s to %j', (error, parts) => {
    expect(parse(...parts)).toEqual({ok: false, error})
  })

  it('answers WRONG_FORMAT to text that is not JSON', () => {
    expect(parseRequest('hello')).toEqual({ok: false, error: 'WRONG_FORMAT'})
  })
})
