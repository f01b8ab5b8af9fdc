import type cassandra from 'cassandra-driver'
import {recordId} from '../../core/ids.ts'
import type {MarketId} from '../../core/ports/market-reader.ts'
import type {BasedValue, Book, Candle, CandleInterval, Decimal, Level, Micros, Ticker, Trade} from '../../core/records.ts'
import {decodeDecimal} from './decimal.ts'
import type {Row} from './session.ts'

type BigDecimal = cassandra.types.BigDecimal

const US_PER_MS = 1000

/** Which candles a row is of. */
export interface CandleSeries extends MarketId {
  readonly interval: CandleInterval
  readonly origin: Candle['origin']
}

/** Makes records of rows: the reverse of rows.ts. The driver comes from outside, because it is loaded only where it is needed. */
export class RowDecoder {
  readonly #toBuffer: (value: BigDecimal) => Buffer

  constructor({types}: Pick<typeof cassandra, 'types'>) {
    this.#toBuffer = types.BigDecimal.toBuffer
  }

  trade({exchange, symbol}: MarketId, row: Row): Trade {
    const tradeId: string = row.get('id')
    const sequence: string | null = row.get('sequence')
    return {
      type: 'trade',
      id: recordId('trade', exchange, symbol, tradeId),
      eventTime: micros(row, 'event_us'),
      receivedTime: micros(row, 'received_us'),
      exchange,
      symbol,
      price: this.decimal(row.get('price')),
      size: this.decimal(row.get('size')),
      side: row.get('side') === 'buy' ? 'buy' : 'sell',
      tradeId,
      ...(sequence === null ? {} : {sequence}),
    }
  }

  book({exchange, symbol}: MarketId, row: Row): Book {
    const sequence: string | null = row.get('sequence')
    const checksum: string | null = row.get('checksum')
    return {
      type: 'book',
      id: recordId('book', exchange, symbol, row.get('id')),
      eventTime: micros(row, 'event_us'),
      receivedTime: micros(row, 'received_us'),
      exchange,
      symbol,
      kind: row.get('kind') as Book['kind'],
      bids: this.#levels(row.get('bids')),
      asks: this.#levels(row.get('asks')),
      ...(sequence === null ? {} : {sequence}),
      ...(checksum === null ? {} : {checksum}),
    }
  }

  ticker({exchange, symbol}: MarketId, row: Row): Ticker {
    return {
      type: 'ticker',
      id: recordId('ticker', exchange, symbol, row.get('id')),
      eventTime: micros(row, 'event_us'),
      receivedTime: micros(row, 'received_us'),
      exchange,
      symbol,
      last: this.decimal(row.get('last')),
      open: this.#based(row, 'open'),
      high: this.#based(row, 'high'),
      low: this.#based(row, 'low'),
      changeRate: this.#based(row, 'change_rate'),
      volumeBase24h: this.#optional(row.get('volume_base_24h')),
      volumeQuote24h: this.#optional(row.get('volume_quote_24h')),
    }
  }

  candle({exchange, symbol, interval, origin}: CandleSeries, row: Row): Candle {
    const startTime = timeMs(row, 'start_time') * US_PER_MS
    const trades: cassandra.types.Long | null = row.get('trades')
    return {
      type: 'candle',
      id: recordId('candle', exchange, symbol, `${interval}:${startTime}${origin === 'exchange' ? ':exchange' : ''}`),
      eventTime: startTime,
      receivedTime: micros(row, 'received_us'),
      exchange,
      symbol,
      interval,
      startTime,
      open: this.decimal(row.get('open')),
      high: this.decimal(row.get('high')),
      low: this.decimal(row.get('low')),
      close: this.decimal(row.get('close')),
      volumeBase: this.decimal(row.get('volume_base')),
      volumeQuote: this.decimal(row.get('volume_quote')),
      trades: trades === null ? null : trades.toNumber(),
      closed: row.get('closed') === true,
      version: micros(row, 'version'),
      origin,
    }
  }

  /** Canonical text. The driver's own text keeps trailing zeros, and takes ten times as long. */
  decimal(value: BigDecimal): Decimal {
    return decodeDecimal(this.#toBuffer(value))
  }

  #optional(value: BigDecimal | null): Decimal | null {
    return value === null ? null : this.decimal(value)
  }

  #based(row: Row, column: string): BasedValue | null {
    const value: BigDecimal | null = row.get(column)
    return value === null ? null : {value: this.decimal(value), basis: row.get(`${column}_basis`) as BasedValue['basis']}
  }

  /** Cassandra knows no empty list: it is null. */
  #levels(tuples: readonly cassandra.types.Tuple[] | null): Level[] {
    return (tuples ?? []).map((tuple) => [this.decimal(tuple.get(0)), this.decimal(tuple.get(1))])
  }
}

/** A `bigint` column; ours hold what JavaScript holds exactly. */
export function micros(row: Row, column: string): Micros {
  return (row.get(column) as cassandra.types.Long).toNumber()
}

/** A `timestamp` column, milliseconds. */
export function timeMs(row: Row, column: string): number {
  return (row.get(column) as Date).getTime()
}
