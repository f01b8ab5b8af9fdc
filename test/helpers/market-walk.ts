import type {Book, Candle, CandleInterval, Level, Trade} from '../../src/lib/core/records.ts'
import * as records from './market-records.ts'
import {MemoryMarket} from './memory-market.ts'

const INTERVALS: readonly (readonly [CandleInterval, number])[] = [
  ['1s', 1e6],
  ['1m', 60e6],
  ['1h', 3_600e6],
  ['1d', 86_400e6],
]

export interface WalkOptions {
  readonly symbol: string
  readonly price: number
  readonly tick: number
  readonly seed: number
  readonly startUs: number
}

/** A seeded random walk of one market, stored trade by trade with its candles and book: a lively market for the page's tests. */
export class MarketWalk {
  readonly #market: MemoryMarket
  readonly #options: WalkOptions
  readonly #candles = new Map<string, Candle>()
  #state: number
  #ticks: number
  #number = 0
  #timeUs: number

  constructor(market: MemoryMarket, options: WalkOptions) {
    this.#market = market
    this.#options = options
    this.#state = options.seed
    this.#ticks = Math.round(options.price / options.tick)
    this.#timeUs = options.startUs
  }

  /** Stores `count` trades, `stepUs` apart. */
  advance(count: number, stepUs: number): void {
    for (let i = 0; i < count; i++) {
      this.#timeUs += Math.ceil(stepUs * (0.4 + 1.2 * this.#random()))
      this.#ticks += Math.round((this.#random() - 0.495) * 6)
      const trade = this.#trade()
      this.#market.store(trade)
      for (const [interval, lengthUs] of INTERVALS) this.#addToCandle(trade, interval, lengthUs)
    }
    this.#market.setCandles(...this.#candles.values())
    this.#market.setBook(this.#book())
  }

  #trade(): Trade {
    const {symbol} = this.#options
    const size = (this.#random() ** 4 * 0.8 + 0.0001).toFixed(8).replace(/0+$/, '')
    const side = this.#random() < 0.5 ? 'buy' : 'sell'
    return records.trade(String(++this.#number), {symbol, eventTime: this.#timeUs, price: this.#price(this.#ticks), size, side})
  }

  #addToCandle(trade: Trade, interval: CandleInterval, lengthUs: number): void {
    const startTime = Math.floor(trade.eventTime / lengthUs) * lengthUs
    const key = `${interval}:${startTime}`
    const {price} = trade
    const before =
      this.#candles.get(key) ??
      records.candle(startTime, 0, {
        symbol: trade.symbol,
        interval,
        open: price,
        high: price,
        low: price,
        volumeBase: '0',
        volumeQuote: '0',
      })
    this.#candles.set(key, {
      ...before,
      high: Number(price) > Number(before.high) ? price : before.high,
      low: Number(price) < Number(before.low) ? price : before.low,
      close: price,
      volumeBase: (Number(before.volumeBase) + Number(trade.size)).toFixed(8),
      volumeQuote: (Number(before.volumeQuote) + Number(trade.size) * Number(price)).toFixed(0),
      closed: false,
      version: before.version + 1,
    })
  }

  #book(): Book {
    const level = (ticks: number): Level => [this.#price(ticks), (this.#random() ** 2 * 2.5 + 0.01).toFixed(4).replace(/0+$/, '')]
    const steps = Array.from({length: 15}, (_, i) => i + 1)
    return records.book(this.#timeUs, {
      symbol: this.#options.symbol,
      asks: steps.map((step) => level(this.#ticks + step)),
      bids: steps.map((step) => level(this.#ticks - step)),
    })
  }

  #price(ticks: number): string {
    const decimals = Math.max(0, -Math.floor(Math.log10(this.#options.tick)))
    const text = (ticks * this.#options.tick).toFixed(decimals)
    return decimals === 0 ? text : text.replace(/\.?0+$/, '')
  }

  /** Park and Miller's generator: enough for a test. */
  #random(): number {
    this.#state = (this.#state * 48_271) % 2_147_483_647
    return this.#state / 2_147_483_647
  }
}

/** Two markets with two hours behind them. */
export function livelyMarket(nowUs: number) {
  const market = new MemoryMarket()
  const startUs = nowUs - 7_200e6
  const bitcoin = new MarketWalk(market, {symbol: 'BTC-KRW', price: 134_850_000, tick: 1_000, seed: 7, startUs})
  const ripple = new MarketWalk(market, {symbol: 'XRP-USDT', price: 2.3412, tick: 0.0001, seed: 11, startUs})
  bitcoin.advance(4_800, 1_500_000)
  ripple.advance(1_200, 6_000_000)
  return {market, bitcoin, ripple}
}
