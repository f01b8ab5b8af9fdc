import {recordId} from '../../core/ids.ts'
import type {
  AdClick,
  BasedValue,
  Book,
  Candle,
  CoinRecord,
  Gap,
  Lifecycle,
  Micros,
  Product,
  Ticker,
  Trade,
  WebEvent,
} from '../../core/records.ts'
import {CassandraRecordError} from './errors.ts'
import type {Bucket} from './options.ts'
import {type InsertTable, type Partition, Partitions} from './partitions.ts'
import {Row} from './row.ts'
import {ALL_MARKETS, bucketOf, candleBucketOf, isInterval, type TableRecord} from './tables.ts'
import {Ties} from './ties.ts'
import {shown, ValueWriter} from './value-writer.ts'

/** Cassandra takes half of a commit log segment in one mutation: 16 MiB where nobody changed it, and nobody makes it less than 8. */
const MAX_ROW_BYTES = 3 * 1024 * 1024
const MAX_PARTITIONS = 20_000

export interface RowOptions {
  readonly tables: ReadonlyMap<TableRecord, InsertTable>
  readonly bucket: Bucket
  /** Levels kept of each side of a book. */
  readonly bookLevels: number
}

/** A market, and which partitions its next rows most likely go to. */
interface Market {
  tradeBucket: number
  trades: Partition | undefined
  book: Partition | undefined
  ticker: Partition | undefined
  readonly bookTies: Ties
  readonly tickerTies: Ties
}

/** Turns records into rows of the tables, and refuses those that the tables cannot hold exactly. */
export class RowEncoder {
  readonly #options: RowOptions
  readonly #partitions = new Partitions(MAX_PARTITIONS)
  readonly #writer = new ValueWriter()
  /** By exchange, then symbol. */
  readonly #markets = new Map<string, Map<string, Market>>()
  #marketCount = 0

  constructor(options: RowOptions) {
    this.#options = options
  }

  /** `ttlSeconds` where the table's statement has `USING TTL`, 0 for ever; without it the TTL of the table. Throws CassandraRecordError. */
  encode(record: CoinRecord, ttlSeconds?: number): Row {
    checkInteger(record.eventTime, 'eventTime')
    checkInteger(record.receivedTime, 'receivedTime')
    this.#writer.begin()
    switch (record.type) {
      case 'trade':
        return this.#trade(record, ttlSeconds)
      case 'book':
        return this.#book(record, ttlSeconds)
      case 'ticker':
        return this.#ticker(record, ttlSeconds)
      case 'candle':
        return this.#candle(record, ttlSeconds)
      case 'gap':
        return this.#gap(record, ttlSeconds)
      case 'product':
        return this.#product(record, ttlSeconds)
      case 'webEvent':
        return this.#webEvent(record, ttlSeconds)
      case 'adClick':
        return this.#adClick(record, ttlSeconds)
      default:
        return this.#lifecycle(record, ttlSeconds)
    }
  }

  /** The row that says that there is data of a market. */
  market({exchange, symbol}: {readonly exchange: string; readonly symbol: string}, seen: Micros, ttlSeconds?: number): Row {
    const writer = this.#writer
    writer.begin()
    const partition = this.#start(this.#partition('market', [ALL_MARKETS]))
    writer.key(exchange, 'exchange')
    writer.key(symbol, 'symbol')
    writer.bigint(seen)
    return this.#end(partition, seen, ttlSeconds)
  }

  /** The row by which readers find the partition that a trade is in: due wherever {@link market} is, and once for each partition. */
  tradeBucket({exchange, symbol, eventTime}: Trade, seen: Micros, ttlSeconds?: number): Row {
    const writer = this.#writer
    writer.begin()
    const partition = this.#start(this.#partition('tradeBucket', [exchange, symbol]))
    writer.bigint(bucketOf(eventTime, this.#options.bucket))
    writer.bigint(seen)
    return this.#end(partition, seen, ttlSeconds)
  }

  /** The same for a candle. */
  candleBucket({exchange, symbol, interval, origin, startTime}: Candle, seen: Micros, ttlSeconds?: number): Row {
    const writer = this.#writer
    writer.begin()
    const partition = this.#start(this.#partition('candleBucket', [exchange, symbol, interval, origin]))
    writer.bigint(candleBucketOf(startTime, interval))
    writer.bigint(seen)
    return this.#end(partition, seen, ttlSeconds)
  }

  #trade(trade: Trade, ttlSeconds: number | undefined): Row {
    const {eventTime, exchange, symbol, tradeId, side, sequence} = trade
    if (trade.id !== recordId('trade', exchange, symbol, tradeId)) {
      throw new CassandraRecordError(`trade id ${shown(trade.id)} is not made of its exchange, symbol and tradeId ${shown(tradeId)}`)
    }
    if (side !== 'buy' && side !== 'sell') throw new CassandraRecordError(`side is ${shown(side)}, not buy or sell`)
    const writer = this.#writer
    const partition = this.#start(this.#tradePartition(trade))
    writer.bigint(milliseconds(eventTime))
    writer.key(tradeId, 'tradeId')
    this.#times(trade)
    writer.amount(trade.price, 'price')
    writer.amount(trade.size, 'size')
    writer.text(side, 'side')
    this.#optionalText(sequence, 'sequence', 'unset')
    return this.#end(partition, 0, ttlSeconds)
  }

  #book(book: Book, ttlSeconds: number | undefined): Row {
    if (book.kind !== 'snapshot' && book.kind !== 'top')
      throw new CassandraRecordError(`the tables hold whole books, not kind ${shown(book.kind)}`)
    const {bookLevels} = this.#options
    const market = this.#market(book)
    market.book ??= this.#partition('book', [book.exchange, book.symbol])
    const writer = this.#writer
    const partition = this.#start(market.book)
    writer.bigint(milliseconds(book.eventTime))
    this.#times(book)
    writer.text(keyOf(book), 'id')
    writer.text(book.kind, 'kind')
    writer.levels(book.bids, bookLevels, 'bids')
    writer.levels(book.asks, bookLevels, 'asks')
    this.#optionalText(book.sequence, 'sequence', 'null')
    this.#optionalText(book.checksum, 'checksum', 'null')
    return this.#end(partition, book.eventTime + market.bookTies.place(book.eventTime, book.id), ttlSeconds)
  }

  #ticker(ticker: Ticker, ttlSeconds: number | undefined): Row {
    const {open, high, low, changeRate} = ticker
    const market = this.#market(ticker)
    market.ticker ??= this.#partition('ticker', [ticker.exchange, ticker.symbol])
    const writer = this.#writer
    const partition = this.#start(market.ticker)
    writer.bigint(milliseconds(ticker.eventTime))
    this.#times(ticker)
    writer.text(keyOf(ticker), 'id')
    writer.decimal(ticker.last, 'last')
    const based = {open, high, low, changeRate}
    for (const [name, value] of Object.entries(based)) this.#optionalDecimal(fieldOf(value, 'value', name), name, 'null')
    for (const [name, value] of Object.entries(based)) this.#optionalText(fieldOf(value, 'basis', name), `basis of ${name}`, 'null')
    this.#optionalDecimal(ticker.volumeBase24h, 'volumeBase24h', 'null')
    this.#optionalDecimal(ticker.volumeQuote24h, 'volumeQuote24h', 'null')
    return this.#end(partition, ticker.eventTime + market.tickerTies.place(ticker.eventTime, ticker.id), ttlSeconds)
  }

  #candle(candle: Candle, ttlSeconds: number | undefined): Row {
    const {exchange, symbol, interval, origin, startTime, version, trades} = candle
    if (!isInterval(interval)) throw new CassandraRecordError(`candle interval ${shown(interval)} is not known`)
    if (origin !== 'ours' && origin !== 'exchange') throw new CassandraRecordError(`origin is ${shown(origin)}, not ours or exchange`)
    checkInteger(startTime, 'startTime')
    checkInteger(version, 'version')
    if (trades !== null && trades !== undefined) checkInteger(trades, 'trades')
    checkKey(candle, `${interval}:${startTime}${origin === 'exchange' ? ':exchange' : ''}`)
    const writer = this.#writer
    const bucket = candleBucketOf(startTime, interval)
    const partition = this.#start(this.#partition('candle', [exchange, symbol, interval, origin, bucket]))
    writer.bigint(milliseconds(startTime))
    writer.bigint(candle.receivedTime)
    for (const name of ['open', 'high', 'low', 'close', 'volumeBase', 'volumeQuote'] as const) writer.amount(candle[name], name)
    if (trades === null || trades === undefined) writer.absent('null')
    else writer.bigint(trades)
    writer.bigint(version)
    writer.boolean(candle.closed)
    return this.#end(partition, version, ttlSeconds)
  }

  #gap(gap: Gap, ttlSeconds: number | undefined): Row {
    const {exchange, symbol, channel, from, to} = gap
    checkInteger(from, 'from')
    checkInteger(gap.filled, 'filled')
    if (to !== null && to !== undefined) checkInteger(to, 'to')
    checkKey(gap, `${channel}:${from}`)
    const writer = this.#writer
    const partition = this.#start(this.#partition('gap', [exchange, symbol]))
    writer.key(channel, 'channel')
    writer.bigint(from)
    if (to === null || to === undefined) writer.absent('null')
    else writer.bigint(to)
    this.#times(gap)
    writer.text(gap.reason, 'reason')
    this.#optionalText(gap.fromId, 'fromId', 'null')
    this.#optionalText(gap.toId, 'toId', 'null')
    writer.text(gap.state, 'state')
    writer.bigint(gap.filled)
    return this.#end(partition, gap.receivedTime, ttlSeconds)
  }

  #product(product: Product, ttlSeconds: number | undefined): Row {
    const {pid, price, scrapedAt} = product
    checkInteger(scrapedAt, 'scrapedAt')
    const writer = this.#writer
    const partition = this.#start(this.#partition('product', [pid]))
    writer.bigint(milliseconds(scrapedAt))
    const key = ownKey(product)
    writer.key(key.startsWith(`${pid}:`) ? key.slice(pid.length + 1) : key, 'id')
    this.#times(product)
    if (price === null || price === undefined) writer.absent('unset')
    else writer.amount(price, 'price')
    const texts = ['title', 'description', 'condition', 'categoryPath', 'category1', 'category2', 'category3', 'category4'] as const
    for (const name of texts) this.#optionalText(product[name], name, 'unset')
    writer.texts(product.images, 'images')
    for (const name of ['sellerRef', 'verifiedBy', 'errorCause'] as const) this.#optionalText(product[name], name, 'unset')
    return this.#end(partition, 0, ttlSeconds)
  }

  #webEvent(event: WebEvent, ttlSeconds: number | undefined): Row {
    const partition = this.#startEvent('webEvent', event.name, event)
    this.#writer.text(JSON.stringify(event.fields), 'fields')
    return this.#end(partition, 0, ttlSeconds)
  }

  #adClick(click: AdClick, ttlSeconds: number | undefined): Row {
    checkInteger(click.ts, 'ts')
    const partition = this.#startEvent('adClick', click.ad_id, click)
    const writer = this.#writer
    writer.bigint(click.ts)
    for (const name of ['event_id', 'user_id', 'ip', 'country'] as const) writer.text(click[name], name)
    return this.#end(partition, 0, ttlSeconds)
  }

  #lifecycle(record: Lifecycle, ttlSeconds: number | undefined): Row {
    const partition = this.#startEvent('lifecycle', record.component, record)
    const {details} = record
    this.#writer.text(record.event, 'event')
    this.#writer.text(record.message, 'message')
    this.#optionalText(details === undefined ? undefined : JSON.stringify(details), 'details', 'unset')
    return this.#end(partition, 0, ttlSeconds)
  }

  /** Up to and with the times of a table whose partitions are a name and a bucket. */
  #startEvent(type: 'webEvent' | 'adClick' | 'lifecycle', name: string, record: WebEvent | AdClick | Lifecycle): Partition {
    const partition = this.#start(this.#partition(type, [name, bucketOf(record.eventTime, this.#options.bucket)]))
    this.#writer.bigint(milliseconds(record.eventTime))
    this.#writer.key(ownKey(record), 'id')
    this.#times(record)
    return partition
  }

  #start(partition: Partition): Partition {
    this.#writer.raw(partition.prefix)
    return partition
  }

  #times({eventTime, receivedTime}: {readonly eventTime: Micros; readonly receivedTime: Micros}): void {
    this.#writer.bigint(eventTime)
    this.#writer.bigint(receivedTime)
  }

  #optionalText(text: unknown, name: string, absent: 'null' | 'unset'): void {
    if (text === undefined || text === null) this.#writer.absent(absent)
    else this.#writer.text(text, name)
  }

  #optionalDecimal(text: unknown, name: string, absent: 'null' | 'unset'): void {
    if (text === undefined || text === null) this.#writer.absent(absent)
    else this.#writer.decimal(text, name)
  }

  #end(partition: Partition, timestamp: number, ttlSeconds: number | undefined): Row {
    const writer = this.#writer
    if (partition.using.timestamp) writer.bigint(timestamp)
    if (partition.using.ttl) {
      if (ttlSeconds === undefined) writer.absent('unset')
      else writer.int(ttlSeconds)
    }
    if (writer.length > MAX_ROW_BYTES) {
      throw new CassandraRecordError(`the row takes ${writer.length} bytes: more than the ${MAX_ROW_BYTES} that are written of one`)
    }
    return new Row(partition, timestamp, writer.end())
  }

  #tradePartition(trade: Trade): Partition {
    const bucket = bucketOf(trade.eventTime, this.#options.bucket)
    const market = this.#market(trade)
    if (market.trades === undefined || market.tradeBucket !== bucket) {
      market.trades = this.#partition('trade', [trade.exchange, trade.symbol, bucket])
      market.tradeBucket = bucket
    }
    return market.trades
  }

  #market({exchange, symbol}: {readonly exchange: string; readonly symbol: string}): Market {
    let symbols = this.#markets.get(exchange)
    const known = symbols?.get(symbol)
    if (known) return known
    if (this.#marketCount >= MAX_PARTITIONS) {
      this.#markets.clear()
      this.#marketCount = 0
      symbols = undefined
    }
    if (symbols === undefined) {
      symbols = new Map()
      this.#markets.set(exchange, symbols)
    }
    const market: Market = {
      tradeBucket: -1,
      trades: undefined,
      book: undefined,
      ticker: undefined,
      bookTies: new Ties(),
      tickerTies: new Ties(),
    }
    symbols.set(symbol, market)
    this.#marketCount += 1
    return market
  }

  #partition(type: TableRecord, parts: readonly (string | number)[]): Partition {
    const table = this.#options.tables.get(type)
    if (table === undefined) throw new CassandraRecordError(`there is no table for records of type ${shown(type)}`)
    return this.#partitions.of(table, parts)
  }
}

function milliseconds(time: Micros): number {
  return Math.floor(time / 1000)
}

/** Times, versions and counts: a `bigint` holds 64 bits, JavaScript hands over 53 exactly. */
function checkInteger(value: unknown, name: string): void {
  if (Number.isSafeInteger(value) && (value as number) >= 0) return
  throw new CassandraRecordError(`${name} is ${shown(value)}: not an integer from 0 to 2^53`)
}

/** The part of a market record's id behind exchange and symbol. */
function keyOf({type, id, exchange, symbol}: Book | Ticker | Candle | Gap): string {
  const head = recordId(type, exchange, symbol, '')
  if (id.startsWith(head)) return id.slice(head.length)
  throw new CassandraRecordError(`${type} id ${shown(id)} is not made of its exchange and symbol`)
}

function checkKey(record: Candle | Gap, key: string): void {
  if (keyOf(record) !== key) throw new CassandraRecordError(`${record.type} id ${shown(record.id)} does not end in its key ${shown(key)}`)
}

/** The part of the id behind the type. */
function ownKey({type, id}: CoinRecord): string {
  if (id.startsWith(`${type}:`)) return id.slice(type.length + 1)
  throw new CassandraRecordError(`id ${shown(id)} of a ${type} does not start with its type`)
}

function fieldOf(value: BasedValue | null | undefined, field: 'value' | 'basis', name: string): unknown {
  if (value === null || value === undefined) return null
  const found = typeof value === 'object' ? value[field] : undefined
  if (found === undefined || found === null) throw new CassandraRecordError(`${name} is ${shown(value)}: not a value with its basis`)
  return found
}
