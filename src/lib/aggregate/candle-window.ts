import {DECIMAL_SCALE, fromScaled, PRODUCT_SCALE, toScaled} from '../core/decimal-math.ts'
import {recordId} from '../core/ids.ts'
import type {Candle, CandleInterval, Decimal, Micros, Trade} from '../core/records.ts'
import {compareTrades, type TradePoint} from './trade-order.ts'

/** A window as JSON: what is saved, and how windows that are over are kept in memory. */
export type SavedWindow = readonly [
  start: Micros,
  trades: number,
  flags: number,
  receivedTime: Micros,
  base: string,
  quote: string,
  high: string,
  low: string,
  first: SavedPoint,
  last: SavedPoint,
]
type SavedPoint = readonly [eventTime: Micros, tradeId: string, price: Decimal, sequence?: string]

const CLOSED = 1
const DIRTY = 2

/** A trade with its amounts in units of 10^-18, the product in 10^-36. */
export interface ScaledTrade {
  readonly trade: Trade
  readonly price: bigint
  readonly size: bigint
  readonly product: bigint
}

/** The trades of one market in one window, summed up. Merging two gives the same, whichever is merged into which. */
export class CandleWindow {
  readonly start: Micros
  trades: number
  base: bigint
  quote: bigint
  high: bigint
  low: bigint
  first: TradePoint
  last: TradePoint
  /** Latest of its trades. */
  receivedTime: Micros
  closed = false
  /** Changed since it was last emitted. */
  dirty = true

  constructor(start: Micros, from: Pick<CandleWindow, 'trades' | 'base' | 'quote' | 'high' | 'low' | 'first' | 'last' | 'receivedTime'>) {
    this.start = start
    this.trades = from.trades
    this.base = from.base
    this.quote = from.quote
    this.high = from.high
    this.low = from.low
    this.first = from.first
    this.last = from.last
    this.receivedTime = from.receivedTime
  }

  static ofTrade(start: Micros, {trade, price, size, product}: ScaledTrade): CandleWindow {
    const {receivedTime} = trade
    return new CandleWindow(start, {
      trades: 1,
      base: size,
      quote: product,
      high: price,
      low: price,
      first: trade,
      last: trade,
      receivedTime,
    })
  }

  /**
   * A published candle to go on from. Which trades were first and last is not known any more, so its open and close stay as they are.
   */
  static ofCandle(candle: Candle, lengthUs: number): CandleWindow {
    const {startTime: start, trades, open, close, receivedTime} = candle
    const base = toScaled(candle.volumeBase)
    const quote = toScaled(candle.volumeQuote) * 10n ** BigInt(PRODUCT_SCALE - DECIMAL_SCALE)
    const first = {eventTime: start - 1, tradeId: '', price: open}
    const last = {eventTime: start + lengthUs, tradeId: '', price: close}
    const high = toScaled(candle.high)
    const low = toScaled(candle.low)
    const window = new CandleWindow(start, {trades: trades ?? 0, base, quote, high, low, first, last, receivedTime})
    window.closed = candle.closed
    return window
  }

  /** Trades counted, and whether it is closed: rises with every change, and after a restart the same number means the same content. */
  get version(): number {
    return 2 * this.trades + (this.closed ? 1 : 0)
  }

  add({trade, price, size, product}: ScaledTrade): void {
    this.trades++
    this.base += size
    this.quote += product
    if (price > this.high) this.high = price
    if (price < this.low) this.low = price
    if (compareTrades(trade, this.first) < 0) this.first = trade
    if (compareTrades(trade, this.last) > 0) this.last = trade
    if (trade.receivedTime > this.receivedTime) this.receivedTime = trade.receivedTime
  }

  merge(other: CandleWindow): void {
    this.dirty = true
    this.trades += other.trades
    this.base += other.base
    this.quote += other.quote
    if (other.high > this.high) this.high = other.high
    if (other.low < this.low) this.low = other.low
    if (compareTrades(other.first, this.first) < 0) this.first = other.first
    if (compareTrades(other.last, this.last) > 0) this.last = other.last
    if (other.receivedTime > this.receivedTime) this.receivedTime = other.receivedTime
  }

  toCandle(exchange: string, symbol: string, interval: CandleInterval): Candle {
    return {
      type: 'candle',
      id: recordId('candle', exchange, symbol, `${interval}:${this.start}`),
      eventTime: this.start,
      receivedTime: this.receivedTime,
      exchange,
      symbol,
      interval,
      startTime: this.start,
      open: this.first.price,
      high: fromScaled(this.high),
      low: fromScaled(this.low),
      close: this.last.price,
      volumeBase: fromScaled(this.base, DECIMAL_SCALE),
      volumeQuote: fromScaled(this.quote, PRODUCT_SCALE),
      trades: this.trades,
      closed: this.closed,
      version: this.version,
      origin: 'ours',
    }
  }

  save(): string {
    const saved: SavedWindow = [
      this.start,
      this.trades,
      (this.closed ? CLOSED : 0) | (this.dirty ? DIRTY : 0),
      this.receivedTime,
      this.base.toString(),
      this.quote.toString(),
      this.high.toString(),
      this.low.toString(),
      savePoint(this.first),
      savePoint(this.last),
    ]
    return JSON.stringify(saved)
  }

  static restore(saved: SavedWindow): CandleWindow {
    const [start, trades, flags, receivedTime, base, quote, high, low, first, last] = saved
    const window = new CandleWindow(start, {
      trades,
      receivedTime,
      base: BigInt(base),
      quote: BigInt(quote),
      high: BigInt(high),
      low: BigInt(low),
      first: restorePoint(first),
      last: restorePoint(last),
    })
    window.closed = (flags & CLOSED) !== 0
    window.dirty = (flags & DIRTY) !== 0
    return window
  }
}

function savePoint({eventTime, tradeId, price, sequence}: TradePoint): SavedPoint {
  return sequence === undefined ? [eventTime, tradeId, price] : [eventTime, tradeId, price, sequence]
}

function restorePoint([eventTime, tradeId, price, sequence]: SavedPoint): TradePoint {
  return {eventTime, tradeId, price, ...(sequence === undefined ? {} : {sequence})}
}
