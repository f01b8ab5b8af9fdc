import type {Context} from '../../core/context.ts'
import {NotConnectedError} from '../../core/errors.ts'
import type {CandlesQuery, MarketId, MarketReader, TradesPage, TradesQuery, VolumeRow} from '../../core/ports/market-reader.ts'
import {type Book, type Candle, marketKey, type Ticker} from '../../core/records.ts'
import {RowDecoder} from './decode-row.ts'
import {TradeFollower} from './follow-trades.ts'
import {type CassandraOptions, READ_DEFAULTS, type ReadOptions, type TableOptions} from './options.ts'
import {Questions} from './questions.ts'
import {CandlePages} from './read-candles.ts'
import {readVolume} from './read-volume.ts'
import {CassandraSession, type Row} from './session.ts'
import {ALL_MARKETS} from './tables.ts'
import {TradePages} from './trade-pages.ts'

const CHECK_MS = 2500
const MARKETS_A_PAGE = 1000
/** Markets followed by cursor; the one that was asked about longest ago is forgotten first. */
const MOST_FOLLOWED = 256

/** Answers from the tables of a cluster. Its cursors hold for as long as this reader lives, connected or not. */
export function openCassandraReader(
  options: CassandraOptions,
  tables: Pick<TableOptions, 'bucket'>,
  context: Context,
  read: Partial<ReadOptions> = {},
): MarketReader {
  return new CassandraMarketReader(options, tables, context, {...READ_DEFAULTS, ...read})
}

class CassandraMarketReader implements MarketReader {
  readonly #session: CassandraSession
  readonly #context: Context
  readonly #read: ReadOptions
  readonly #keyspace: string
  readonly #trades: TradePages
  readonly #candles: CandlePages
  readonly #followers = new Map<string, TradeFollower>()
  /** Counts how often it was closed: a connection that is ready only after `close` is closed again. */
  #generation = 0

  constructor(options: CassandraOptions, {bucket}: Pick<TableOptions, 'bucket'>, context: Context, read: ReadOptions) {
    this.#session = new CassandraSession(options, context)
    this.#context = context
    this.#read = read
    this.#keyspace = options.keyspace
    this.#trades = new TradePages(options.keyspace, bucket)
    this.#candles = new CandlePages(options.keyspace)
  }

  async connect(): Promise<void> {
    const generation = this.#generation
    await this.#session.connect()
    if (generation === this.#generation) return
    await this.#session.close()
    throw new NotConnectedError('the connection to Cassandra was closed before it was open')
  }

  async check(): Promise<void> {
    await this.#questions(CHECK_MS).one(`SELECT seen_us FROM ${this.#keyspace}.market WHERE scope = ? LIMIT 1`, [ALL_MARKETS])
  }

  async close(): Promise<void> {
    this.#generation++
    await this.#session.close()
  }

  markets(): Promise<readonly MarketId[]> {
    return this.#marketsBy(this.#questions())
  }

  async trades(query: TradesQuery): Promise<TradesPage> {
    const questions = this.#questions()
    const pages = (pageRows: number) => this.#trades.newestFirst(questions, query, pageRows)
    return this.#follower(query).trades(query, {decoder: this.#decoder(), pages})
  }

  async book(market: MarketId): Promise<Book | null> {
    const row = await this.#state('book_by_symbol', market)
    return row && this.#decoder().book(market, row)
  }

  async ticker(market: MarketId): Promise<Ticker | null> {
    const row = await this.#state('ticker_by_symbol', market)
    return row && this.#decoder().ticker(market, row)
  }

  async candles(query: CandlesQuery): Promise<readonly Candle[]> {
    return this.#candles.read(this.#questions(), this.#decoder(), query)
  }

  async volume({
    exchange,
    ...span
  }: {
    readonly exchange?: string
    readonly from: number
    readonly to: number
  }): Promise<readonly VolumeRow[]> {
    const questions = this.#questions(this.#read.volumeDeadlineMs)
    const markets = await this.#marketsBy(questions)
    const asked = markets.filter((market) => exchange === undefined || market.exchange === exchange)
    return readVolume({pages: this.#trades, questions, decoder: this.#decoder()}, asked, span)
  }

  /** By exchange, then symbol. */
  async #marketsBy(questions: Questions): Promise<readonly MarketId[]> {
    const markets: MarketId[] = []
    const select = `SELECT exchange, symbol FROM ${this.#keyspace}.market WHERE scope = ?`
    for await (const rows of questions.pages(select, [ALL_MARKETS], MARKETS_A_PAGE)) {
      for (const row of rows) markets.push({exchange: row.get('exchange'), symbol: row.get('symbol')})
    }
    return markets
  }

  #state(table: string, {exchange, symbol}: MarketId): Promise<Row | null> {
    return this.#questions().one(`SELECT * FROM ${this.#keyspace}.${table} WHERE exchange = ? AND symbol = ?`, [exchange, symbol])
  }

  #follower(market: MarketId): TradeFollower {
    const {clock, random} = this.#context
    const key = marketKey(market)
    const follower = this.#followers.get(key) ?? new TradeFollower(market, Math.floor(random() * 2 ** 52).toString(36), clock)
    this.#followers.delete(key)
    this.#followers.set(key, follower)
    for (const oldest of this.#followers.keys()) {
      if (this.#followers.size <= MOST_FOLLOWED) break
      this.#followers.delete(oldest)
    }
    return follower
  }

  #questions(deadlineMs = this.#read.deadlineMs): Questions {
    return new Questions(this.#session, this.#context, this.#read.consistency, deadlineMs)
  }

  #decoder(): RowDecoder {
    return new RowDecoder(this.#session.driver)
  }
}
