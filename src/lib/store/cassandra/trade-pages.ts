import type {MarketId} from '../../core/ports/market-reader.ts'
import {timeMs} from './decode-row.ts'
import type {Bucket} from './options.ts'
import type {Questions} from './questions.ts'
import type {Row} from './session.ts'
import {bucketColumn, bucketOf} from './tables.ts'

const US_PER_MS = 1000
/** Partitions asked for at once: a day of hours. */
const BUCKETS_A_PAGE = 24

/** Where trades are, and how to ask for them. */
export class TradePages {
  readonly #bucket: Bucket
  readonly #selectBuckets: string
  readonly #selectBucketsBetween: string
  readonly #selectTrades: string
  readonly #selectAmounts: string

  constructor(keyspace: string, bucket: Bucket) {
    const {name} = bucketColumn(bucket)
    const ofMarket = 'WHERE exchange = ? AND symbol = ?'
    this.#bucket = bucket
    this.#selectBuckets = `SELECT ${name} FROM ${keyspace}.trade_bucket_by_symbol ${ofMarket}`
    this.#selectBucketsBetween = `${this.#selectBuckets} AND ${name} >= ? AND ${name} <= ?`
    const trades = `FROM ${keyspace}.trade_by_symbol ${ofMarket} AND ${name} = ?`
    this.#selectTrades = `SELECT id, event_us, received_us, price, size, side, sequence ${trades}`
    this.#selectAmounts = `SELECT id, event_us, price, size ${trades} AND event_time >= ? AND event_time <= ?`
  }

  /** All trades, newest first by milliseconds of event time; from one partition to the next older one that the market has. */
  async *newestFirst(questions: Questions, {exchange, symbol}: MarketId, pageRows: number): AsyncGenerator<readonly Row[]> {
    for await (const buckets of questions.pages(this.#selectBuckets, [exchange, symbol], BUCKETS_A_PAGE)) {
      for (const bucket of buckets) yield* questions.pages(this.#selectTrades, [exchange, symbol, this.#startOf(bucket)], pageRows)
    }
  }

  /** Prices and sizes of the trades of a time, microseconds, newest first; a few more at both ends, by less than a millisecond. */
  async *amounts(
    questions: Questions,
    {exchange, symbol, from, to}: MarketId & {readonly from: number; readonly to: number},
    pageRows: number,
  ): AsyncGenerator<readonly Row[]> {
    const [firstMs, lastMs] = [Math.floor(from / US_PER_MS), Math.floor((to - 1) / US_PER_MS)]
    const between = [bucketOf(from, this.#bucket), bucketOf(to - 1, this.#bucket)].map((ms) => new Date(ms))
    for await (const buckets of questions.pages(this.#selectBucketsBetween, [exchange, symbol, ...between], BUCKETS_A_PAGE)) {
      for (const bucket of buckets) {
        const params = [exchange, symbol, this.#startOf(bucket), new Date(firstMs), new Date(lastMs)]
        yield* questions.pages(this.#selectAmounts, params, pageRows)
      }
    }
  }

  #startOf(row: Row): Date {
    return new Date(timeMs(row, bucketColumn(this.#bucket).name))
  }
}
