import {describe, expect, it} from 'vitest'
import {InvalidInputError} from '../../../../src/lib/core/errors.ts'
import {codesOf, createSubscription, splitCodes, subscriptionMessage} from '../../../../src/lib/exchanges/upbit/subscription.ts'

describe('subscriptionMessage', () => {
  const codes = ['KRW-BTC', 'BTC-ETH']

  it('asks for every channel in one request, snapshots included', () => {
    const subscription = createSubscription({
      channels: ['trade', 'book', 'ticker', 'candle'],
      depth: 15,
      candleIntervals: ['1s', '1h'],
      format: 'SIMPLE_LIST',
    })
    expect(JSON.parse(subscriptionMessage(subscription, codes, 'ticket-1'))).toEqual([
      {ticket: 'ticket-1'},
      {type: 'trade', codes},
      {type: 'orderbook', codes: ['KRW-BTC.15', 'BTC-ETH.15']},
      {type: 'ticker', codes},
      {type: 'candle.1s', codes},
      {type: 'candle.60m', codes},
      {format: 'SIMPLE_LIST'},
    ])
  })

  it('leaves the depth to the exchange where none is asked for', () => {
    const subscription = createSubscription({channels: ['book'], candleIntervals: [], format: 'DEFAULT'})
    expect(JSON.parse(subscriptionMessage(subscription, codes, 't'))[1]).toEqual({type: 'orderbook', codes})
  })
})

describe('createSubscription', () => {
  const options = {channels: ['trade'], candleIntervals: [], format: 'SIMPLE'} as const

  it.each([
    ['a day of candles', {...options, candleIntervals: ['1d'] as const}, 'use one of 1s, 1m, 5m, 15m, 1h, 4h'],
    ['a depth between those offered', {...options, depth: 10 as 15}, 'use one of 1, 5, 15, 30'],
    ['an unknown format', {...options, format: 'XML' as 'SIMPLE'}, 'use one of DEFAULT, SIMPLE, JSON_LIST, SIMPLE_LIST'],
  ])('refuses %s, and says what there is', (_name, asked, remedy) => {
    const error = (() => {
      try {
        return createSubscription(asked)
      } catch (reason) {
        return reason
      }
    })()
    expect(error).toBeInstanceOf(InvalidInputError)
    expect((error as InvalidInputError).remedy).toEqual([remedy])
  })
})

describe('codesOf', () => {
  it('turns symbols around, each once', () => {
    expect(codesOf(['BTC-KRW', 'ETH-BTC', 'BTC-KRW'])).toEqual(['KRW-BTC', 'BTC-ETH'])
  })

  it.each(['btc-krw', 'BTC', 'BTC/KRW', ''])('refuses %j, naming it', (symbol) => {
    expect(() => codesOf([symbol])).toThrow(`'${symbol}' is no market of upbit`)
  })
})

describe('splitCodes', () => {
  const codes = Array.from({length: 10}, (_, index) => `KRW-C${index}`)

  it.each([1, 3, 10])('deals every code out once to %i connections, evenly', (parts) => {
    const split = splitCodes(codes, parts)
    expect(split).toHaveLength(parts)
    expect(split.flat().sort()).toEqual(codes)
    const sizes = split.map((part) => part.length)
    expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1)
  })

  it('opens no connection without a code', () => {
    expect(splitCodes(['KRW-BTC'], 4)).toEqual([['KRW-BTC']])
  })
})
