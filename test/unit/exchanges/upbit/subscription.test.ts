import {describe, expect, it} from 'vitest'
import {InvalidInputError} from '../../../../src/lib/core/errors.ts'
import {codesOf, splitCodes, subscriptionMessage} from '../../../../src/lib/exchanges/upbit/subscription.ts'

describe('subscriptionMessage', () => {
  const codes = ['KRW-BTC', 'BTC-ETH']

  it('asks for every channel in one request, snapshots included', () => {
    const message = subscriptionMessage(
      {channels: ['trade', 'book', 'ticker', 'candle'], depth: 15, candleIntervals: ['1s', '1h'], format: 'SIMPLE_LIST'},
      codes,
      'ticket-1',
    )
    expect(JSON.parse(message)).toEqual([
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
    const message = subscriptionMessage({channels: ['book'], candleIntervals: [], format: 'DEFAULT'}, codes, 't')
    expect(JSON.parse(message)[1]).toEqual({type: 'orderbook', codes})
  })

  it('refuses candles of a day, which Upbit does not send', () => {
    const ask = () => subscriptionMessage({channels: ['candle'], candleIntervals: ['1d'], format: 'DEFAULT'}, codes, 't')
    expect(ask).toThrow(InvalidInputError)
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
