import {describe, expect, it} from 'vitest'
import {Exchange, type LedgerTrade, ledgerTrade} from '../../../../src/lib/simulate/upbit/exchange.ts'
import {DEFAULT_SYMBOLS, marketsFor} from '../../../../src/lib/simulate/upbit/markets.ts'

const NOW_MS = 1_763_700_000_000
const QUIET = {full: false, short: false}

function exchangeOf(seed: number, symbols: readonly string[] = DEFAULT_SYMBOLS, lateShare = 0): Exchange {
  return new Exchange({seed, markets: marketsFor(symbols), historyTrades: 100_000, lateShare, startMs: NOW_MS})
}

function tradesOf(exchange: Exchange, count: number, nowMs = NOW_MS): LedgerTrade[] {
  const trades: LedgerTrade[] = []
  exchange.makeTrades(count, nowMs, QUIET, (trade) => trades.push(trade))
  return trades
}

const walkOf = (trades: readonly LedgerTrade[]) => trades.map(({market, price, volume, askBid}) => [market, price, volume, askBid])

describe('Exchange', () => {
  it('makes the same trades for the same seed, whatever the clock and whoever listens', () => {
    const one = tradesOf(exchangeOf(42), 2000)
    const other = exchangeOf(42)
    const late: LedgerTrade[] = []
    for (let i = 0; i < 20; i++) {
      other.makeTrades(100, NOW_MS + 7_777 * i, {full: true, short: i % 2 === 0}, (trade) => late.push(trade))
      other.states[i % 8]?.book.update(NOW_MS)
    }
    expect(walkOf(late)).toEqual(walkOf(one))
    expect(walkOf(tradesOf(exchangeOf(43), 2000))).not.toEqual(walkOf(one))
  })

  it('gives ids that are unique in a market and shared between markets', () => {
    const exchange = exchangeOf(1)
    const trades = [0, 1000, 2500, 4100].flatMap((laterMs) => tradesOf(exchange, 1000, NOW_MS + laterMs))
    const keys = new Set(trades.map(({market, sequentialId}) => `${market} ${sequentialId}`))
    expect(keys.size).toBe(trades.length)
    expect(new Set(trades.map(({sequentialId}) => sequentialId)).size).toBeLessThan(trades.length)
  })

  it('keeps prices near where they started, on the grid of the market', () => {
    const exchange = exchangeOf(5)
    for (let i = 0; i < 100; i++) exchange.makeTrades(1000, NOW_MS + i, QUIET)
    for (const {market, walk} of exchange.states) {
      expect(walk.priceUnits % market.tickUnits).toBe(0)
      expect(walk.priceUnits / market.startUnits).toBeGreaterThan(0.5)
      expect(walk.priceUnits / market.startUnits).toBeLessThan(1.5)
    }
  })

  it('remembers in its history what it made', () => {
    const exchange = exchangeOf(3, ['BTC-KRW', 'SHIB-KRW', 'XRP-BTC', 'SHIB-BTC', 'BTC-USDT'])
    const made = tradesOf(exchange, 500)
    for (const {market, history} of exchange.states) {
      const remembered = Array.from({length: history.count}, (_, i) => ledgerTrade(market, history.at(i)))
      expect(remembered).toEqual(made.filter((trade) => trade.market === market.code))
    }
  })

  it('writes numbers as the exchange does', () => {
    const made = tradesOf(exchangeOf(3, ['BTC-KRW', 'SHIB-BTC', 'USDT-KRW']), 300)
    expect(made.find((trade) => trade.market === 'KRW-BTC')?.price).toMatch(/^145\d{6}\.0$/)
    expect(made.find((trade) => trade.market === 'BTC-SHIB')?.price).toMatch(/^\dE-\d$/)
  })

  it('sends frames of both styles that say the same', () => {
    const batch = exchangeOf(9).makeTrades(50, NOW_MS, {full: true, short: true})
    expect(batch.full).toHaveLength(50)
    batch.full.forEach((text, i) => {
      const full = JSON.parse(text)
      const short = JSON.parse(batch.short[i] ?? '')
      expect(Object.values(short)).toEqual(Object.values(full))
      expect(full.change_price).toBeCloseTo(Math.abs(full.trade_price - full.prev_closing_price), 7)
      expect(full.best_ask_price).toBeGreaterThan(full.best_bid_price)
      expect(full.trade_price).toBe(full.ask_bid === 'BID' ? full.best_ask_price : full.best_bid_price)
    })
  })

  it('dates a share of the trades back by up to 2 s', () => {
    const lags = tradesOf(exchangeOf(1, DEFAULT_SYMBOLS, 0.1), 5000).map((trade) => NOW_MS - trade.timestampMs)
    expect(lags.every((lag) => lag >= 0 && lag < 2000)).toBe(true)
    expect(lags.filter((lag) => lag > 0).length).toBeGreaterThan(350)
    expect(lags.filter((lag) => lag > 0).length).toBeLessThan(650)
  })
})

describe('marketsFor', () => {
  it('knows the three quote currencies and makes up unknown coins', () => {
    const markets = marketsFor(['BTC-KRW', 'ETH-BTC', 'DOGE-USDT', 'NEVERHEARD-KRW', 'BTC-KRW'])
    expect(markets.map(({code}) => code)).toEqual(['KRW-BTC', 'BTC-ETH', 'USDT-DOGE', 'KRW-NEVERHEARD'])
    expect(marketsFor(['NEVERHEARD-KRW'])).toEqual([markets[3]])
  })

  it.each([[[]], [['KRW-BTC']], [['BTC']], [['btc-krw']], [['BTC-BTC']], [['BTC-EUR']]])('refuses %o', (symbols) => {
    expect(() => marketsFor(symbols)).toThrow(expect.objectContaining({code: 'COINPIPE_INVALID_INPUT'}))
  })
})
