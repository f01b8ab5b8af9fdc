import {recordId} from '../../src/lib/core/ids.ts'
import type {BusMessage} from '../../src/lib/core/ports/bus.ts'
import type {SinkItem} from '../../src/lib/core/ports/sink.ts'
import type {Book, Candle, CoinRecord, Gap, Ticker, Trade} from '../../src/lib/core/records.ts'

/** 2026-01-01T00:00:00Z in microseconds. */
export const T0 = 1_767_225_600_000_000

const MARKET = {exchange: 'upbit', symbol: 'BTC-KRW'}

export function trade(tradeId: string, fields: Partial<Trade> = {}): Trade {
  const {exchange, symbol} = {...MARKET, ...fields}
  const eventTime = fields.eventTime ?? T0
  return {
    type: 'trade',
    id: recordId('trade', exchange, symbol, tradeId),
    eventTime,
    receivedTime: eventTime + 3000,
    exchange,
    symbol,
    price: '50000000',
    size: '0.01',
    side: 'buy',
    tradeId,
    ...fields,
  }
}

export function book(eventTime: number, fields: Partial<Book> = {}): Book {
  const {exchange, symbol} = {...MARKET, ...fields}
  return {
    type: 'book',
    id: recordId('book', exchange, symbol, String(eventTime)),
    eventTime,
    receivedTime: eventTime + 3000,
    exchange,
    symbol,
    kind: 'snapshot',
    bids: [['49999000', '1.5']],
    asks: [['50001000', '0.5']],
    ...fields,
  }
}

export function ticker(eventTime: number, fields: Partial<Ticker> = {}): Ticker {
  const {exchange, symbol} = {...MARKET, ...fields}
  return {
    type: 'ticker',
    id: recordId('ticker', exchange, symbol, String(eventTime)),
    eventTime,
    receivedTime: eventTime + 3000,
    exchange,
    symbol,
    last: '50000000',
    open: {value: '49000000', basis: 'utc-day'},
    high: null,
    low: null,
    changeRate: null,
    volumeBase24h: '123.4',
    volumeQuote24h: null,
    ...fields,
  }
}

export function candle(startTime: number, version: number, fields: Partial<Candle> = {}): Candle {
  const {exchange, symbol, interval, origin} = {...MARKET, interval: '1m' as const, origin: 'ours' as const, ...fields}
  return {
    type: 'candle',
    id: recordId('candle', exchange, symbol, `${interval}:${startTime}${origin === 'exchange' ? ':exchange' : ''}`),
    eventTime: startTime,
    receivedTime: startTime + 1,
    exchange,
    symbol,
    interval,
    startTime,
    open: '1',
    high: '3',
    low: '0.5',
    close: '2',
    volumeBase: '10',
    volumeQuote: '20',
    trades: 7,
    closed: true,
    version,
    origin,
    ...fields,
  }
}

export function gap(from: number, fields: Partial<Gap> = {}): Gap {
  return {
    type: 'gap',
    id: recordId('gap', MARKET.exchange, MARKET.symbol, `trade:${from}`),
    eventTime: from,
    receivedTime: from + 1,
    ...MARKET,
    channel: 'trade',
    reason: 'reconnect',
    from,
    to: null,
    state: 'open',
    filled: 0,
    ...fields,
  }
}

/** Records as a sink gets them, with the messages they would have come in. */
export function sinkItems(records: readonly CoinRecord[], topic = 'market.trade'): SinkItem[] {
  return records.map((record, offset) => ({record, message: messageOf(record, topic, offset)}))
}

function messageOf(record: CoinRecord, topic: string, offset: number): BusMessage {
  return {
    topic,
    partition: 0,
    offset,
    key: null,
    value: JSON.stringify(record),
    headers: {},
    timestampMs: Math.floor(record.receivedTime / 1000),
  }
}
