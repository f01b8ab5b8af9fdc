/**
 * The tables, each made for one question. Times are kept twice: as `timestamp` (milliseconds), which is what Grafana reads, and as the record's
 * microseconds. `id` is the part of the record's id behind `type:exchange:symbol:`. Prices and sizes are `decimal`, exact.
 */

import {CANDLE_INTERVALS, type CandleInterval, type Micros, type RecordType} from '../../core/records.ts'
import {type Bucket, LAST_EXPIRY_SECONDS, MAX_TTL_SECONDS, type TableOptions} from './options.ts'

export type CqlType =
  | 'text'
  | 'decimal'
  | 'timestamp'
  | 'bigint'
  | 'int'
  | 'boolean'
  | 'frozen<list<frozen<tuple<decimal, decimal>>>>'
  | 'frozen<list<text>>'

export interface Column {
  readonly name: string
  readonly type: CqlType
}

export interface ClusteringColumn extends Column {
  readonly order: 'asc' | 'desc'
}

/** Besides records: where readers find them. */
export type IndexRecord = 'market' | 'tradeBucket' | 'candleBucket'
export type TableRecord = RecordType | IndexRecord

export interface Table {
  readonly name: string
  /** What its rows are; null for coinpipe's own bookkeeping, which has no TTL. */
  readonly record: TableRecord | null
  /**
   * `events` are written once and expire whole, by TimeWindowCompactionStrategy. `state` is overwritten: each write carries a timestamp of its own
   * (USING TIMESTAMP), so that a replay or another machine's clock never puts an older state over a newer one.
   */
  readonly kind: 'events' | 'state'
  /** What the write timestamps of a `state` are; default: times, in microseconds. */
  readonly timestamps?: 'versions'
  readonly partition: readonly Column[]
  readonly clustering: readonly ClusteringColumn[]
  readonly columns: readonly Column[]
  readonly comment: string
}

/** Version of these tables; a higher one in the keyspace is of a newer coinpipe. */
export const TABLES_VERSION = 1

const HOUR_US = 3_600_000_000
const BUCKET_US: Readonly<Record<Bucket, number>> = {hour: HOUR_US, day: 24 * HOUR_US}

const text = (...names: string[]): Column[] => names.map((name) => ({name, type: 'text'}))
const bigint = (...names: string[]): Column[] => names.map((name) => ({name, type: 'bigint'}))
const decimal = (...names: string[]): Column[] => names.map((name) => ({name, type: 'decimal'}))
const timestamp = (name: string): Column => ({name, type: 'timestamp'})
const ordered = (order: 'asc' | 'desc', ...columns: Column[]): ClusteringColumn[] => columns.map((column) => ({...column, order}))

const MARKET = text('exchange', 'symbol')
const NEWEST_FIRST = [...ordered('desc', timestamp('event_time')), ...ordered('asc', ...text('id'))]
const LEVELS = 'frozen<list<frozen<tuple<decimal, decimal>>>>'

/** The column that names the bucket: `bucket_hour` or `bucket_day`. */
export function bucketColumn(bucket: Bucket): Column {
  return timestamp(`bucket_${bucket}`)
}

/** Start of the bucket that `time` falls in, milliseconds. */
export function bucketOf(time: Micros, bucket: Bucket): number {
  const length = BUCKET_US[bucket]
  return (Math.floor(time / length) * length) / 1000
}

/** Candles in one partition: a day of minutes and a half, an hour of seconds. */
export const CANDLES_PER_BUCKET = 3600

const INTERVAL_US: Readonly<Record<CandleInterval, number>> = {
  '1s': 1e6,
  '1m': 60e6,
  '5m': 300e6,
  '15m': 900e6,
  '1h': HOUR_US,
  '4h': 4 * HOUR_US,
  '1d': 24 * HOUR_US,
}

/** Start of the bucket that a candle falls in, milliseconds. */
export function candleBucketOf(startTime: Micros, interval: CandleInterval): number {
  const length = candleBucketMs(interval)
  return Math.floor(startTime / 1000 / length) * length
}

export function candleBucketMs(interval: CandleInterval): number {
  return (INTERVAL_US[interval] / 1000) * CANDLES_PER_BUCKET
}

/** Whether a text is an interval that candles have. */
export function isInterval(text: string): text is CandleInterval {
  return (CANDLE_INTERVALS as readonly string[]).includes(text)
}

/** All that market readers have to know which markets there are: one partition. */
export const ALL_MARKETS = 'all'

/** Every table for a bucket length. */
export function tablesFor(bucket: Bucket): readonly Table[] {
  const inBucket = bucketColumn(bucket)
  return [
    {
      name: 'trade_by_symbol',
      record: 'trade',
      kind: 'events',
      partition: [...MARKET, inBucket],
      clustering: NEWEST_FIRST,
      columns: [...bigint('event_us', 'received_us'), ...decimal('price', 'size'), ...text('side', 'sequence')],
      comment: 'Trades of a market, newest first. id is the trade id.',
    },
    {
      name: 'book_by_symbol',
      record: 'book',
      kind: 'state',
      partition: MARKET,
      clustering: [],
      columns: [
        timestamp('event_time'),
        ...bigint('event_us', 'received_us'),
        ...text('id', 'kind'),
        {name: 'bids', type: LEVELS},
        {name: 'asks', type: LEVELS},
        ...text('sequence', 'checksum'),
      ],
      comment: 'The newest order book of a market, best levels first.',
    },
    {
      name: 'ticker_by_symbol',
      record: 'ticker',
      kind: 'state',
      partition: MARKET,
      clustering: [],
      columns: [
        timestamp('event_time'),
        ...bigint('event_us', 'received_us'),
        ...text('id'),
        ...decimal('last', 'open', 'high', 'low', 'change_rate'),
        ...text('open_basis', 'high_basis', 'low_basis', 'change_rate_basis'),
        ...decimal('volume_base_24h', 'volume_quote_24h'),
      ],
      comment: 'The newest ticker of a market. A basis is utc-day, kst-day or rolling-24h.',
    },
    {
      name: 'candle_by_symbol',
      record: 'candle',
      kind: 'state',
      timestamps: 'versions',
      partition: [...MARKET, ...text('interval', 'origin'), timestamp('bucket')],
      clustering: ordered('desc', timestamp('start_time')),
      columns: [
        ...bigint('received_us'),
        ...decimal('open', 'high', 'low', 'close', 'volume_base', 'volume_quote'),
        ...bigint('trades', 'version'),
        {name: 'closed', type: 'boolean'},
      ],
      comment: `Candles of a market, newest first; a bucket holds ${CANDLES_PER_BUCKET}.`,
    },
    {
      name: 'gap_by_symbol',
      record: 'gap',
      kind: 'state',
      partition: MARKET,
      clustering: [...ordered('asc', ...text('channel')), ...ordered('desc', ...bigint('from_us'))],
      columns: [...bigint('to_us', 'event_us', 'received_us'), ...text('reason', 'from_id', 'to_id', 'state'), ...bigint('filled')],
      comment: 'Spans of time that may lack data.',
    },
    {
      name: 'product_by_pid',
      record: 'product',
      kind: 'events',
      partition: text('pid'),
      clustering: [...ordered('desc', timestamp('scraped_at')), ...ordered('asc', ...text('id'))],
      columns: [
        ...bigint('event_us', 'received_us'),
        ...decimal('price'),
        ...text('title', 'description', 'condition', 'category_path', 'category1', 'category2', 'category3', 'category4'),
        {name: 'images', type: 'frozen<list<text>>'},
        ...text('seller_ref', 'verified_by', 'error_cause'),
      ],
      comment: 'States of a listing, newest first. id is the hash of its content.',
    },
    {
      name: 'web_event_by_name',
      record: 'webEvent',
      kind: 'events',
      partition: [...text('name'), inBucket],
      clustering: NEWEST_FIRST,
      columns: [...bigint('event_us', 'received_us'), ...text('fields')],
      comment: 'Events of web pages. fields is JSON.',
    },
    {
      name: 'ad_click_by_ad',
      record: 'adClick',
      kind: 'events',
      partition: [...text('ad_id'), inBucket],
      clustering: NEWEST_FIRST,
      columns: [...bigint('event_us', 'received_us', 'ts'), ...text('event_id', 'user_id', 'ip', 'country')],
      comment: 'Clicks on an advertisement.',
    },
    {
      name: 'lifecycle_by_component',
      record: 'lifecycle',
      kind: 'events',
      partition: [...text('component'), inBucket],
      clustering: NEWEST_FIRST,
      columns: [...bigint('event_us', 'received_us'), ...text('event', 'message', 'details')],
      comment: 'What components report of themselves. details is JSON.',
    },
    {
      name: 'market',
      record: 'market',
      kind: 'state',
      partition: text('scope'),
      clustering: ordered('asc', ...MARKET),
      columns: bigint('seen_us'),
      comment: `Markets that have data; scope is always ${ALL_MARKETS}.`,
    },
    {
      name: 'trade_bucket_by_symbol',
      record: 'tradeBucket',
      kind: 'state',
      partition: MARKET,
      clustering: ordered('desc', inBucket),
      columns: bigint('seen_us'),
      comment: 'Which partitions of trade_by_symbol a market has: readers step from one to the next, however far apart they are.',
    },
    {
      name: 'candle_bucket_by_symbol',
      record: 'candleBucket',
      kind: 'state',
      partition: [...MARKET, ...text('interval', 'origin')],
      clustering: ordered('desc', timestamp('bucket')),
      columns: bigint('seen_us'),
      comment: 'Which partitions of candle_by_symbol a market has.',
    },
    {
      name: 'schema_version',
      record: null,
      kind: 'state',
      partition: text('name'),
      clustering: ordered('desc', {name: 'version', type: 'int'}, timestamp('applied_at')),
      columns: text('changes'),
      comment: 'Which version of these tables was made when, and what was changed; name is always tables.',
    },
  ]
}

const MARKET_RECORDS = ['trade', 'book', 'ticker', 'candle', 'gap'] as const
/** What an index row is about. */
const INDEXED: Readonly<Record<IndexRecord, readonly RecordType[]>> = {
  market: MARKET_RECORDS,
  tradeBucket: ['trade'],
  candleBucket: ['candle'],
}

/**
 * How long the rows of a table are kept, seconds; null for ever. Index rows are written again after a quarter of their TTL, so twice the TTL of what they
 * point to is enough to outlive the last row that was written in between.
 */
export function ttlOf({record}: Table, {ttlSeconds, ttlSecondsOf}: TableOptions): number | null {
  if (record === null) return null
  const own = (type: RecordType) => (ttlSecondsOf[type] === undefined ? ttlSeconds : ttlSecondsOf[type])
  if (!isIndex(record)) return own(record)
  const ttls = INDEXED[record].map(own)
  return ttls.includes(null) ? null : Math.min(2 * Math.max(...ttls.map(Number)), MAX_TTL_SECONDS)
}

/** Clocks of nodes may be ahead of ours. */
const CLOCK_MARGIN_SECONDS = 3600

/**
 * The TTL that an index row is to have if it is written now, seconds; null for ever. Twice the TTL of rows may end past the last expiry that nodes take although the
 * rows do not: then it ends there, after all rows that are taken. Where rows end later themselves, nodes that take them take their index row too.
 */
export function indexTtl(table: Table, record: RecordType, options: TableOptions, nowSeconds: number): number | null {
  const ttl = ttlOf(table, options)
  const own = options.ttlSecondsOf[record] === undefined ? options.ttlSeconds : options.ttlSecondsOf[record]
  const most = LAST_EXPIRY_SECONDS - CLOCK_MARGIN_SECONDS - Math.ceil(nowSeconds)
  return ttl === null || ttl <= most || own === null || own > most ? ttl : most
}

/** Whether its rows say where others are. */
export function isIndex(record: TableRecord | null): record is IndexRecord {
  return record !== null && Object.hasOwn(INDEXED, record)
}

/** The table of a record type. */
export function tableOf(record: TableRecord, bucket: Bucket): Table {
  const table = tablesFor(bucket).find((table) => table.record === record)
  // The list above names every record type.
  return table as Table
}
