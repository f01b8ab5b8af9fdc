import type {Book, Candle, CandleInterval, Decimal, Micros, Ticker, Trade} from '../records.ts'
import type {Component} from './component.ts'

export interface MarketId {
  readonly exchange: string
  readonly symbol: string
}

export interface TradesQuery extends MarketId {
  /** Most trades to return. */
  readonly limit: number
  /** Only trades stored after this cursor, oldest first; without it the newest, newest first by event time. */
  readonly after?: string
}

export interface TradesPage {
  readonly trades: readonly Trade[]
  /** Pass as `after` to go on from here; opaque, never goes back. */
  readonly cursor: string
}

export interface CandlesQuery extends MarketId {
  readonly interval: CandleInterval
  /** Inclusive start, µs. Default: as far back as `limit` reaches. */
  readonly from?: Micros
  /** Exclusive end, µs. */
  readonly to?: Micros
  readonly limit: number
  readonly origin?: Candle['origin']
}

export interface VolumeRow extends MarketId {
  readonly volumeBase: Decimal
  readonly volumeQuote: Decimal
  readonly trades: number
}

/** Read-only answers about the market, the same from whichever store: all that the page and `query` see. */
export interface MarketReader extends Component {
  /** Every market with data. */
  markets(): Promise<readonly MarketId[]>
  trades(query: TradesQuery): Promise<TradesPage>
  book(market: MarketId): Promise<Book | null>
  ticker(market: MarketId): Promise<Ticker | null>
  /** Oldest first; the highest version of each. */
  candles(query: CandlesQuery): Promise<readonly Candle[]>
  /** Sums of trades with `from <= eventTime < to`, per market. */
  volume(query: {readonly exchange?: string; readonly from: Micros; readonly to: Micros}): Promise<readonly VolumeRow[]>
}
