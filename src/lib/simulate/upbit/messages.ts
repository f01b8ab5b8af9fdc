import type {Candle} from './candles.ts'
import type {MarketWalk} from './market-walk.ts'
import {isoSeconds, numberText, utcDate, utcTime, volumeText} from './number-text.ts'
import type {OrderBook} from './order-book.ts'
import type {StreamType} from './trade-text.ts'

/** Ready JSON text: `Raw('1.0')` is written as it is, everything else as JSON. */
export class Raw {
  readonly text: string
  constructor(text: string) {
    this.text = text
  }
}

type Field = readonly [full: string, short: string, value: string | number | boolean | null | Raw]

/** `names` 0 takes the DEFAULT names, 1 the SIMPLE ones. */
function objectText(fields: readonly Field[], names: 0 | 1): string {
  return `{${fields.map((field) => `"${field[names]}":${field[2] instanceof Raw ? field[2].text : JSON.stringify(field[2])}`).join(',')}}`
}

const number = (value: number): Raw => new Raw(numberText(value))
const KST_MS = 9 * 3_600_000

/** Fields that a ticker has in the websocket and in REST alike, with the day's figures per UTC day (docs.upbit.com: ticker). */
function dayFields(walk: MarketWalk): Field[] {
  const {day} = walk
  const price = (units: number): Raw => new Raw(walk.textOf(units))
  const difference = walk.priceUnits - walk.prevCloseUnits
  const rate = Number((difference / walk.prevCloseUnits).toFixed(10))
  return [
    ['opening_price', 'op', price(day.openUnits)],
    ['high_price', 'hp', price(day.highUnits)],
    ['low_price', 'lp', price(day.lowUnits)],
    ['trade_price', 'tp', new Raw(walk.priceText)],
    ['prev_closing_price', 'pcp', new Raw(walk.prevCloseText)],
    ['change', 'c', walk.change],
    ['change_price', 'cp', new Raw(walk.changeText)],
    ['signed_change_price', 'scp', new Raw(`${difference < 0 ? '-' : ''}${walk.changeText}`)],
    ['change_rate', 'cr', number(Math.abs(rate))],
    ['signed_change_rate', 'scr', number(rate)],
    ['trade_volume', 'tv', new Raw(volumeText(walk.volumeUnits))],
    ['acc_trade_volume', 'atv', number(day.volume)],
    ['acc_trade_volume_24h', 'atv24h', number(day.volume)],
    ['acc_trade_price', 'atp', number(day.value)],
    ['acc_trade_price_24h', 'atp24h', number(day.value)],
  ]
}

function yearFields(walk: MarketWalk): Field[] {
  return [
    ['highest_52_week_price', 'h52wp', new Raw(walk.textOf(walk.market.startUnits * 2))],
    ['highest_52_week_date', 'h52wdt', '2025-07-14'],
    ['lowest_52_week_price', 'l52wp', new Raw(walk.textOf(Math.max(1, Math.round(walk.market.startUnits / 2))))],
    ['lowest_52_week_date', 'l52wdt', '2025-01-20'],
  ]
}

export function tickerText(walk: MarketWalk, nowMs: number, stream: StreamType, names: 0 | 1): string {
  return objectText(
    [
      ['type', 'ty', 'ticker'],
      ['code', 'cd', walk.market.code],
      ...dayFields(walk),
      ['trade_date', 'tdt', utcDate(walk.lastEventMs).replaceAll('-', '')],
      ['trade_time', 'ttm', utcTime(walk.lastEventMs).replaceAll(':', '')],
      ['trade_timestamp', 'ttms', walk.lastEventMs],
      ['ask_bid', 'ab', walk.askBid],
      ['acc_ask_volume', 'aav', number(walk.day.askVolume)],
      ['acc_bid_volume', 'abv', number(walk.day.bidVolume)],
      ...yearFields(walk),
      ['market_state', 'ms', 'ACTIVE'],
      ['is_trading_suspended', 'its', false],
      ['delisting_date', 'dd', null],
      ['market_warning', 'mw', 'NONE'],
      ['timestamp', 'tms', nowMs],
      ['stream_type', 'st', stream],
    ],
    names,
  )
}

export function restTickerText(walk: MarketWalk, nowMs: number): string {
  const kstMs = walk.lastEventMs + KST_MS
  return objectText(
    [
      ['market', '', walk.market.code],
      ['trade_date', '', utcDate(walk.lastEventMs).replaceAll('-', '')],
      ['trade_time', '', utcTime(walk.lastEventMs).replaceAll(':', '')],
      ['trade_date_kst', '', utcDate(kstMs).replaceAll('-', '')],
      ['trade_time_kst', '', utcTime(kstMs).replaceAll(':', '')],
      ['trade_timestamp', '', walk.lastEventMs],
      ...dayFields(walk),
      ...yearFields(walk),
      ['timestamp', '', nowMs],
    ],
    0,
  )
}

function bookFields(book: OrderBook, depth: number, level: number, names: 0 | 1): Field[] {
  const units = book.levels(depth, level).map((at) =>
    objectText(
      [
        ['ask_price', 'ap', new Raw(at.askPrice)],
        ['bid_price', 'bp', new Raw(at.bidPrice)],
        ['ask_size', 'as', new Raw(at.askSize)],
        ['bid_size', 'bs', new Raw(at.bidSize)],
      ],
      names,
    ),
  )
  return [
    ['total_ask_size', 'tas', new Raw(book.totalText('ask'))],
    ['total_bid_size', 'tbs', new Raw(book.totalText('bid'))],
    ['orderbook_units', 'obu', new Raw(`[${units.join(',')}]`)],
    ['level', 'lv', level],
  ]
}

export interface BookView {
  readonly code: string
  readonly depth: number
  readonly level: number
}

export function bookText(book: OrderBook, view: BookView, stream: StreamType, names: 0 | 1): string {
  return objectText(
    [
      ['type', 'ty', 'orderbook'],
      ['code', 'cd', view.code],
      ['timestamp', 'tms', book.updatedMs],
      ...bookFields(book, view.depth, view.level, names),
      ['stream_type', 'st', stream],
    ],
    names,
  )
}

export function restBookText(book: OrderBook, view: BookView): string {
  return objectText([['market', '', view.code], ['timestamp', '', book.updatedMs], ...bookFields(book, view.depth, view.level, 0)], 0)
}

function candleFields(candle: Candle): Field[] {
  return [
    ['candle_date_time_utc', 'cdttmu', isoSeconds(candle.startMs)],
    ['candle_date_time_kst', 'cdttmk', isoSeconds(candle.startMs + KST_MS)],
    ['opening_price', 'op', number(candle.open)],
    ['high_price', 'hp', number(candle.high)],
    ['low_price', 'lp', number(candle.low)],
    ['trade_price', 'tp', number(candle.close)],
  ]
}

export function candleText(type: string, code: string, candle: Candle, nowMs: number, stream: StreamType, names: 0 | 1): string {
  return objectText(
    [
      ['type', 'ty', type],
      ['code', 'cd', code],
      ...candleFields(candle),
      ['candle_acc_trade_volume', 'catv', number(candle.volume)],
      ['candle_acc_trade_price', 'catp', number(candle.value)],
      ['timestamp', 'tms', nowMs],
      ['stream_type', 'st', stream],
    ],
    names,
  )
}

/** `unit` is in minutes; null for candles of a second, which REST sends without one. */
export function restCandleText(code: string, candle: Candle, unit: number | null): string {
  return objectText(
    [
      ['market', '', code],
      ...candleFields(candle),
      ['timestamp', '', candle.lastMs],
      ['candle_acc_trade_price', '', number(candle.value)],
      ['candle_acc_trade_volume', '', number(candle.volume)],
      ...(unit === null ? [] : ([['unit', '', unit]] satisfies Field[])),
    ],
    0,
  )
}
