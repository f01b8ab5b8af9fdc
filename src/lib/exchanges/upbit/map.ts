/**
 * One message of Upbit's to one record. What each field means, and where that is written: docs in ./messages.md.
 */
import {recordId, TextHash} from '../../core/ids.ts'
import {type Fields, FOUND} from '../../core/json-fields.ts'
import type {
  BasedValue,
  Book,
  Candle,
  CandleInterval,
  Decimal,
  Level,
  MarketRecord,
  Micros,
  Side,
  Ticker,
  Trade,
} from '../../core/records.ts'
import {InvalidFieldError, UnknownMessageError} from '../errors.ts'
import {FIELD, fieldLabel, UNIT, UPBIT_UNITS} from './fields.ts'
import {symbolOfCode} from './symbols.ts'

const EXCHANGE = 'upbit'
const US_PER_MS = 1000
/** The year 2200: later times are garbage. */
const MAX_MS = 7_258_118_400_000
const SHOWN = 60
/** Stands between bids and asks in the hash of a book. */
const BETWEEN_SIDES = 'asks'

/** Upbit's minute units that are intervals of ours; it also has 3, 10 and 30 minutes. */
const INTERVALS: Readonly<Record<string, CandleInterval>> = {
  'candle.1s': '1s',
  'candle.1m': '1m',
  'candle.5m': '5m',
  'candle.15m': '15m',
  'candle.60m': '1h',
  'candle.240m': '4h',
}

/** Maps messages; keeps the symbols of the codes that it has seen. */
export class UpbitMapper {
  private readonly symbols = new Map<string, string>()

  /** Throws InvalidFieldError or UnknownMessageError. */
  map(fields: Fields, receivedTime: Micros): MarketRecord {
    const kind = fields.kinds[FIELD.type]
    if (kind === FOUND.nothing) return this.mapRest(fields, receivedTime)
    if (kind !== FOUND.text) throw invalid(fields, FIELD.type, 'a text')
    const type = fields.texts[FIELD.type] as string
    if (type === 'trade') return this.trade(fields, FIELD.tradeTimestamp, receivedTime)
    if (type === 'orderbook') return this.book(fields, receivedTime)
    if (type === 'ticker') return this.ticker(fields, receivedTime)
    if (type.startsWith('candle.')) return this.candle(fields, type, receivedTime)
    throw new UnknownMessageError(`upbit sent a message of type '${type.slice(0, SHOWN)}', which coinpipe does not read`)
  }

  /** REST items carry no type. */
  private mapRest(fields: Fields, receivedTime: Micros): MarketRecord {
    const {kinds} = fields
    if (kinds[FIELD.sequentialId] !== FOUND.nothing) return this.trade(fields, FIELD.timestamp, receivedTime)
    if (kinds[FIELD.units] !== FOUND.nothing) return this.book(fields, receivedTime)
    if (kinds[FIELD.tradePrice] !== FOUND.nothing && kinds[FIELD.tradeTimestamp] !== FOUND.nothing) return this.ticker(fields, receivedTime)
    throw new UnknownMessageError('upbit sent a message without a type that is no trade, order book or ticker of its REST answers')
  }

  private trade(fields: Fields, timeSlot: number, receivedTime: Micros): Trade {
    const symbol = this.symbol(fields)
    const tradeId = wholeNumber(fields, FIELD.sequentialId)
    return {
      type: 'trade',
      id: `trade:upbit:${symbol}:${tradeId}`,
      eventTime: time(fields, timeSlot),
      receivedTime,
      exchange: EXCHANGE,
      symbol,
      price: positive(fields, FIELD.tradePrice),
      size: notNegative(fields, FIELD.tradeVolume),
      side: side(fields),
      tradeId,
    }
  }

  private book(fields: Fields, receivedTime: Micros): Book {
    const symbol = this.symbol(fields)
    const eventTime = time(fields, FIELD.timestamp)
    if (fields.kinds[FIELD.units] !== FOUND.rows) throw invalid(fields, FIELD.units, 'a list of levels')
    const hash = new TextHash()
    const bids = levels(fields, UNIT.bidPrice, UNIT.bidSize, hash)
    hash.add(BETWEEN_SIDES)
    const asks = levels(fields, UNIT.askPrice, UNIT.askSize, hash)
    return {
      type: 'book',
      id: recordId('book', EXCHANGE, symbol, `${eventTime}-${hash.digest()}`),
      eventTime,
      receivedTime,
      exchange: EXCHANGE,
      symbol,
      kind: 'snapshot',
      bids,
      asks,
    }
  }

  private ticker(fields: Fields, receivedTime: Micros): Ticker {
    const symbol = this.symbol(fields)
    const eventTime = time(fields, FIELD.tradeTimestamp)
    const last = positive(fields, FIELD.tradePrice)
    const open = optional(fields, FIELD.open)
    const high = optional(fields, FIELD.high)
    const low = optional(fields, FIELD.low)
    const changeRate = optional(fields, FIELD.changeRate)
    const volumeBase24h = optional(fields, FIELD.volumeBase24h)
    const volumeQuote24h = optional(fields, FIELD.volumeQuote24h)
    const hash = new TextHash()
    for (const value of [last, open, high, low, changeRate, volumeBase24h, volumeQuote24h]) hash.add(value ?? '')
    return {
      type: 'ticker',
      id: recordId('ticker', EXCHANGE, symbol, `${eventTime}-${hash.digest()}`),
      eventTime,
      receivedTime,
      exchange: EXCHANGE,
      symbol,
      last,
      open: perUtcDay(open),
      high: perUtcDay(high),
      low: perUtcDay(low),
      changeRate: perUtcDay(changeRate),
      volumeBase24h,
      volumeQuote24h,
    }
  }

  private candle(fields: Fields, type: string, receivedTime: Micros): Candle {
    const interval = INTERVALS[type]
    if (interval === undefined) {
      throw new UnknownMessageError(`upbit sent a '${type.slice(0, SHOWN)}'; coinpipe reads ${Object.keys(INTERVALS).join(', ')}`)
    }
    const symbol = this.symbol(fields)
    const startTime = candleTime(fields)
    return {
      type: 'candle',
      id: recordId('candle', EXCHANGE, symbol, `${interval}:${startTime}:exchange`),
      eventTime: startTime,
      receivedTime,
      exchange: EXCHANGE,
      symbol,
      interval,
      startTime,
      open: positive(fields, FIELD.open),
      high: positive(fields, FIELD.high),
      low: positive(fields, FIELD.low),
      close: positive(fields, FIELD.tradePrice),
      volumeBase: notNegative(fields, FIELD.candleVolumeBase),
      volumeQuote: notNegative(fields, FIELD.candleVolumeQuote),
      trades: null,
      // Upbit sends a candle again whenever it changes and never says that one is finished.
      closed: false,
      version: time(fields, FIELD.timestamp) / US_PER_MS,
      origin: 'exchange',
    }
  }

  private symbol(fields: Fields): string {
    if (fields.kinds[FIELD.code] !== FOUND.text) throw invalid(fields, FIELD.code, 'a market code')
    const code = fields.texts[FIELD.code] as string
    const known = this.symbols.get(code)
    if (known !== undefined) return known
    const symbol = symbolOfCode(code)
    if (symbol === undefined) throw invalid(fields, FIELD.code, 'a market code such as KRW-BTC')
    // Upbit lists some hundred markets; past this it isn't Upbit that is talking.
    if (this.symbols.size >= 10_000) this.symbols.clear()
    this.symbols.set(code, symbol)
    return symbol
  }
}

function levels({rows}: Fields, priceSlot: number, sizeSlot: number, hash: TextHash): readonly Level[] {
  const result: Level[] = []
  const end = rows.count * UPBIT_UNITS.size
  for (let row = 0; row < end; row += UPBIT_UNITS.size) {
    const price = cell(rows, row + priceSlot)
    const size = cell(rows, row + sizeSlot)
    if (price !== '0') {
      result.push([price, size])
      hash.addLanes(rows.lanes, row + priceSlot).addLanes(rows.lanes, row + sizeSlot)
      // A side with fewer levels than the other is filled up with zeros.
    } else if (size !== '0') throw new InvalidFieldError(`upbit sent an order book level of ${size} at price 0`)
  }
  return result
}

function cell(rows: Fields['rows'], place: number): Decimal {
  const kind = rows.kinds[place]
  const text = rows.texts[place] as string
  if (kind === FOUND.whole || kind === FOUND.fraction) return text
  throw new InvalidFieldError(`upbit sent ${seen(kind, text)} in an order book level, where a number from 0 should be`)
}

function time(fields: Fields, slot: number): Micros {
  const ms = fields.kinds[slot] === FOUND.whole ? Number(fields.texts[slot]) : 0
  if (ms > 0 && ms <= MAX_MS) return ms * US_PER_MS
  throw invalid(fields, slot, 'milliseconds since 1970')
}

const CANDLE_TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d$/

function candleTime(fields: Fields): Micros {
  const text = fields.kinds[FIELD.candleTime] === FOUND.text ? (fields.texts[FIELD.candleTime] as string) : ''
  const ms = CANDLE_TIME.test(text) ? Date.parse(`${text}Z`) : Number.NaN
  if (ms > 0 && ms <= MAX_MS) return ms * US_PER_MS
  throw invalid(fields, FIELD.candleTime, 'a UTC time such as 2025-01-31T09:00:00')
}

function side(fields: Fields): Side {
  if (fields.kinds[FIELD.askBid] === FOUND.text) {
    // The side of the taker: https://docs.upbit.com/kr/docs/faq-order
    if (fields.texts[FIELD.askBid] === 'BID') return 'buy'
    if (fields.texts[FIELD.askBid] === 'ASK') return 'sell'
  }
  throw invalid(fields, FIELD.askBid, 'ASK or BID')
}

function wholeNumber(fields: Fields, slot: number): string {
  if (fields.kinds[slot] === FOUND.whole) return fields.texts[slot] as string
  throw invalid(fields, slot, 'a whole number')
}

function notNegative(fields: Fields, slot: number): Decimal {
  const kind = fields.kinds[slot]
  if (kind === FOUND.whole || kind === FOUND.fraction) return fields.texts[slot] as string
  throw invalid(fields, slot, 'a number from 0')
}

function positive(fields: Fields, slot: number): Decimal {
  const kind = fields.kinds[slot]
  const text = fields.texts[slot] as string
  if (kind === FOUND.fraction || (kind === FOUND.whole && text !== '0')) return text
  throw invalid(fields, slot, 'a number above 0')
}

function optional(fields: Fields, slot: number): Decimal | null {
  const kind = fields.kinds[slot]
  if (kind === FOUND.whole || kind === FOUND.fraction || kind === FOUND.negative) return fields.texts[slot] as string
  if (kind === FOUND.nothing || kind === FOUND.null) return null
  throw invalid(fields, slot, 'a number or null')
}

/** Upbit's opening, high and low prices and its change count from 00:00 UTC: https://docs.upbit.com/kr/reference/list-tickers */
function perUtcDay(value: Decimal | null): BasedValue | null {
  return value === null ? null : {value, basis: 'utc-day'}
}

function invalid(fields: Fields, slot: number, wanted: string): InvalidFieldError {
  const value = seen(fields.kinds[slot], fields.texts[slot] ?? '')
  return new InvalidFieldError(`upbit sent ${value} as ${fieldLabel(slot)}, where ${wanted} should be`)
}

function seen(kind: number | undefined, text: string): string {
  if (kind === FOUND.text) return `'${text.slice(0, SHOWN)}'`
  if (kind === FOUND.null) return 'null'
  if (kind === FOUND.nothing) return 'nothing'
  return kind === FOUND.rows || kind === FOUND.other ? 'a value of another type' : text.slice(0, SHOWN)
}
