/**
 * The records that travel on the bus and land in stores: immutable, JSON-able, one flat object each.
 *
 * Times are integer microseconds since the epoch, UTC. Prices and sizes are canonical decimal strings: numerically equal to what the
 * exchange sent, no exponent, no trailing zeros, no leading `+` (`9.9E-7` is `0.00000099`, `127.0` is `127`). Ids are text.
 */

/** Canonical decimal text, for example `0.00000099`, `127`, `-3.5`. */
export type Decimal = string

/** Microseconds since the epoch, UTC, as an integer. */
export type Micros = number

export const RECORD_TYPES = ['trade', 'book', 'ticker', 'candle', 'gap', 'product', 'webEvent', 'adClick', 'lifecycle'] as const
export type RecordType = (typeof RECORD_TYPES)[number]

interface Envelope<T extends RecordType> {
  readonly type: T
  /** `type:exchange:symbol:key`. The same event has the same id from any connection, retry or back-fill. */
  readonly id: string
  /** When it happened, by the source's clock. */
  readonly eventTime: Micros
  /** When this process received it. */
  readonly receivedTime: Micros
}

interface MarketEnvelope<T extends RecordType> extends Envelope<T> {
  /** Exchange id as in flags, for example `upbit`. */
  readonly exchange: string
  /** Spot `BTC-KRW`, perpetual `BTC-USD-PERP`, dated `BTC-USD-20220527`. */
  readonly symbol: string
}

/** The taker's side. */
export type Side = 'buy' | 'sell'

export interface Trade extends MarketEnvelope<'trade'> {
  readonly price: Decimal
  readonly size: Decimal
  readonly side: Side
  readonly tradeId: string
  /** The exchange's sequence number as text, where it differs from the id or orders trades inside one event time. */
  readonly sequence?: string
}

export type Level = readonly [price: Decimal, size: Decimal]

export interface Book extends MarketEnvelope<'book'> {
  readonly kind: 'snapshot' | 'delta' | 'top'
  /** Best (highest) first. */
  readonly bids: readonly Level[]
  /** Best (lowest) first. */
  readonly asks: readonly Level[]
  readonly sequence?: string
  readonly checksum?: string
}

/** The period that a ticker's value is about. */
export type Basis = 'utc-day' | 'kst-day' | 'rolling-24h'

export interface BasedValue {
  readonly value: Decimal
  readonly basis: Basis
}

export interface Ticker extends MarketEnvelope<'ticker'> {
  readonly last: Decimal
  readonly open: BasedValue | null
  readonly high: BasedValue | null
  readonly low: BasedValue | null
  /** Signed share, `0.0125` is +1.25 %. */
  readonly changeRate: BasedValue | null
  readonly volumeBase24h: Decimal | null
  readonly volumeQuote24h: Decimal | null
}

export const CANDLE_INTERVALS = ['1s', '1m', '5m', '15m', '1h', '4h', '1d'] as const
export type CandleInterval = (typeof CANDLE_INTERVALS)[number]

export interface Candle extends MarketEnvelope<'candle'> {
  readonly interval: CandleInterval
  /** Start of the window (UTC boundary), equal to `eventTime`. */
  readonly startTime: Micros
  readonly open: Decimal
  readonly high: Decimal
  readonly low: Decimal
  readonly close: Decimal
  readonly volumeBase: Decimal
  readonly volumeQuote: Decimal
  /** Number of trades; null where an exchange's own candle does not tell. */
  readonly trades: number | null
  readonly closed: boolean
  /** Rises with every change of this candle; the highest wins. */
  readonly version: number
  /** `ours`: built from trades. `exchange`: sent by the exchange; the two never mix (an exchange candle's id ends in `:exchange`). */
  readonly origin: 'ours' | 'exchange'
}

export type MarketChannel = 'trade' | 'book' | 'ticker' | 'candle'

/** Data of one channel may be missing between two event times. A later record with the same id replaces an earlier one. */
export interface Gap extends MarketEnvelope<'gap'> {
  readonly channel: MarketChannel
  readonly reason: string
  readonly from: Micros
  readonly to: Micros | null
  readonly fromId?: string
  readonly toId?: string
  readonly state: 'open' | 'filled' | 'unfillable'
  /** Records found by back-fill. */
  readonly filled: number
}

export const PRODUCT_ERROR_CAUSES = [
  'NO PRODUCT INFO',
  'INVALID PRODUCT ID',
  'FETCH FAILED',
  'BLOCKED',
  'INVALID PRICE',
  'TRUNCATED PAGE',
] as const

export interface Product extends Envelope<'product'> {
  /** Product id as text (an Avro long). */
  readonly pid: string
  /** Integer KRW. */
  readonly price: Decimal | null
  readonly title: string | null
  readonly description: string | null
  readonly condition: 'used' | 'new' | 'unknown'
  readonly categoryPath: string | null
  readonly category1: string | null
  readonly category2: string | null
  readonly category3: string | null
  readonly category4: string | null
  readonly images: readonly string[]
  readonly sellerRef?: string
  readonly verifiedBy?: string
  readonly errorCause: (typeof PRODUCT_ERROR_CAUSES)[number] | null
  readonly scrapedAt: Micros
}

export interface WebEvent extends Envelope<'webEvent'> {
  readonly name: string
  readonly fields: Readonly<Record<string, string | number | boolean | null>>
}

export interface AdClick extends Envelope<'adClick'> {
  readonly ad_id: string
  readonly event_id: string
  /** Milliseconds since the epoch, as the click carries it. */
  readonly ts: number
  readonly user_id: string
  readonly ip: string
  readonly country: string
}

export interface Lifecycle extends Envelope<'lifecycle'> {
  readonly component: string
  readonly event: 'start' | 'progress' | 'fail' | 'finish' | 'alert'
  readonly message: string
  readonly details?: Readonly<Record<string, string | number | boolean | null>>
}

export type MarketRecord = Trade | Book | Ticker | Candle | Gap
export type CoinRecord = MarketRecord | Product | WebEvent | AdClick | Lifecycle

/** Partition key of a market record: all records of one symbol stay in order. */
export function marketKey(record: {readonly exchange: string; readonly symbol: string}): string {
  return `${record.exchange}:${record.symbol}`
}
