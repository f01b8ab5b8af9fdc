import {describe, expect, it} from 'vitest'
import {NotConnectedError} from '../../src/lib/core/errors.ts'
import type {MarketReader} from '../../src/lib/core/ports/market-reader.ts'
import type {CoinRecord, Trade} from '../../src/lib/core/records.ts'
import {book, candle, T0, ticker, trade} from '../helpers/market-records.ts'

export interface ReaderHarness {
  /** Stores records, in this order. */
  write(records: readonly CoinRecord[]): Promise<void>
  /** A connected reader of what was written. */
  readonly reader: MarketReader
}

const BTC = {exchange: 'upbit', symbol: 'BTC-KRW'}
const NOBODY = {exchange: 'upbit', symbol: 'NOBODY-KRW'}
const MINUTE_US = 60_000_000

export interface ReaderTraits {
  /** How trades that were stored between two looks follow one another: as they arrived, or by event time where the store knows no arrival. */
  readonly order: 'arrival' | 'event time'
}

/** What the page and `query` rely on, from whichever store. `open` makes a fresh, empty store. */
export function marketReaderContract(name: string, {order}: ReaderTraits, open: () => Promise<ReaderHarness>): void {
  describe(`${name} as a MarketReader`, () => {
    it('lists the markets that have data', async () => {
      const {write, reader} = await open()
      expect(await reader.markets()).toEqual([])
      await write([trade('1'), trade('1', {symbol: 'ETH-KRW'}), book(T0, {symbol: 'XRP-KRW'})])
      expect(await reader.markets()).toEqual(['BTC-KRW', 'ETH-KRW', 'XRP-KRW'].map((symbol) => ({exchange: 'upbit', symbol})))
    })

    it('answers for a market it does not know', async () => {
      const {reader} = await open()
      expect((await reader.trades({...NOBODY, limit: 5})).trades).toEqual([])
      expect(await reader.book(NOBODY)).toBeNull()
      expect(await reader.ticker(NOBODY)).toBeNull()
      expect(await reader.candles({...NOBODY, interval: '1m', limit: 5})).toEqual([])
      expect(await reader.volume({from: 0, to: T0})).toEqual([])
    })

    it('gives back a trade as it was, ids beyond 2^53 and 18 decimals included', async () => {
      const {write, reader} = await open()
      const exact = trade('16234567890123457', {price: '0.000000000000000001', size: '99999999999999999999', side: 'sell', sequence: '007'})
      await write([exact])
      expect((await reader.trades({...BTC, limit: 1})).trades).toEqual([exact])
    })

    it('gives the newest trades by event time, however late some arrived', async () => {
      const {write, reader} = await open()
      const at = (second: number) => trade(`t${second}`, {eventTime: T0 + second * 1_000_000})
      await write([at(10), at(12), at(11), at(13)])
      await write([1, 2, 3, 4, 5, 6].map(at))
      expect(tradeIds((await reader.trades({...BTC, limit: 3})).trades)).toEqual(['t13', 't12', 't11'])
      expect(tradeIds((await reader.trades({...BTC, limit: 6})).trades)).toEqual(['t13', 't12', 't11', 't10', 't6', 't5'])
      expect((await reader.trades({...BTC, limit: 100})).trades).toHaveLength(10)
    })

    it('goes on after a cursor: each later trade once, oldest first', async () => {
      const {write, reader} = await open()
      await write([trade('1'), trade('2')])
      const {cursor} = await reader.trades({...BTC, limit: 1})
      await write([trade('3'), trade('4', {eventTime: T0 - 5}), trade('x', {symbol: 'ETH-KRW'}), trade('5')])
      const first = await reader.trades({...BTC, limit: 2, after: cursor})
      const second = await reader.trades({...BTC, limit: 2, after: first.cursor})
      const third = await reader.trades({...BTC, limit: 2, after: second.cursor})
      const both = order === 'arrival' ? ['3', '4'] : ['4', '3']
      expect([first, second, third].map(({trades}) => tradeIds(trades))).toEqual([both, ['5'], []])
      await write([trade('6')])
      expect(tradeIds((await reader.trades({...BTC, limit: 2, after: third.cursor})).trades)).toEqual(['6'])
    })

    it('has a cursor before the first trade, too', async () => {
      const {write, reader} = await open()
      const {cursor} = await reader.trades({...BTC, limit: 1})
      await write([trade('1')])
      expect(tradeIds((await reader.trades({...BTC, limit: 9, after: cursor})).trades)).toEqual(['1'])
    })

    it('keeps the newest book and ticker, whatever comes late', async () => {
      const {write, reader} = await open()
      const newest = book(T0 + 2, {bids: [['3', '1']]})
      await write([book(T0 + 1), newest, ticker(T0 + 9, {last: '9'})])
      await write([book(T0), ticker(T0 + 8, {last: '8'})])
      expect(await reader.book(BTC)).toEqual(newest)
      expect(await reader.ticker(BTC)).toEqual(ticker(T0 + 9, {last: '9'}))
    })

    it('gives the highest version of each candle, oldest first, the origins apart', async () => {
      const {write, reader} = await open()
      const minutes = [0, 1, 2].map((minute) => T0 + minute * MINUTE_US)
      await write(minutes.map((start) => candle(start, 3)))
      await write([candle(T0, 5, {close: '5'}), candle(T0 + MINUTE_US, 2, {close: '6'}), candle(T0, 9, {origin: 'exchange', trades: null})])
      const answer = await reader.candles({...BTC, interval: '1m', limit: 10})
      expect(answer).toEqual([candle(T0, 5, {close: '5'}), candle(T0 + MINUTE_US, 3), candle(T0 + 2 * MINUTE_US, 3)])
      const theirs = await reader.candles({...BTC, interval: '1m', limit: 10, origin: 'exchange'})
      expect(theirs).toEqual([candle(T0, 9, {origin: 'exchange', trades: null})])
    })

    it('limits candles to a range: the first ones from a start on, else the last ones', async () => {
      const {write, reader} = await open()
      await write([0, 1, 2, 3, 4].map((minute) => candle(T0 + minute * MINUTE_US, 1)))
      const minutes = async (range: {from?: number; to?: number; limit: number}) => {
        const candles = await reader.candles({...BTC, interval: '1m', ...range})
        return candles.map(({startTime}) => (startTime - T0) / MINUTE_US)
      }
      expect(await minutes({limit: 2})).toEqual([3, 4])
      expect(await minutes({to: T0 + 3 * MINUTE_US, limit: 2})).toEqual([1, 2])
      expect(await minutes({from: T0 + MINUTE_US, limit: 2})).toEqual([1, 2])
      expect(await minutes({from: T0 + MINUTE_US, to: T0 + 2 * MINUTE_US, limit: 9})).toEqual([1])
    })

    it('sums volumes exactly, from inclusive to exclusive', async () => {
      const {write, reader} = await open()
      await write([
        trade('1', {eventTime: T0 - 1, size: '1000'}),
        trade('2', {price: '0.1', size: '0.1'}),
        trade('3', {price: '0.2', size: '0.2'}),
        trade('4', {exchange: 'bithumb', price: '123456789012345678', size: '10'}),
        trade('5', {eventTime: T0 + 1, size: '1000'}),
      ])
      const upbit = {...BTC, volumeBase: '0.3', volumeQuote: '0.05', trades: 2}
      const bithumb = {exchange: 'bithumb', symbol: 'BTC-KRW', volumeBase: '10', volumeQuote: '1234567890123456780', trades: 1}
      expect(await reader.volume({from: T0, to: T0 + 1})).toEqual([bithumb, upbit])
      expect(await reader.volume({exchange: 'upbit', from: T0, to: T0 + 1})).toEqual([upbit])
    })

    it('refuses to answer after close, and closes twice', async () => {
      const {reader} = await open()
      await reader.check()
      await reader.close()
      await reader.close()
      await expect(reader.markets()).rejects.toBeInstanceOf(NotConnectedError)
    })
  })
}

function tradeIds(trades: readonly Trade[]): string[] {
  return trades.map(({tradeId}) => tradeId)
}
