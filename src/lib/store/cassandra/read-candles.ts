import type {CandlesQuery} from '../../core/ports/market-reader.ts'
import type {Candle} from '../../core/records.ts'
import {type RowDecoder, timeMs} from './decode-row.ts'
import type {Questions} from './questions.ts'
import type {Row} from './session.ts'
import {candleBucketOf} from './tables.ts'

const US_PER_MS = 1000
const BUCKETS_A_PAGE = 24
const MOST_PAGE_ROWS = 5000
const FAR_FUTURE_US = Number.MAX_SAFE_INTEGER

/** Candles of one series between two times, from either end. */
export class CandlePages {
  readonly #keyspace: string

  constructor(keyspace: string) {
    this.#keyspace = keyspace
  }

  /** Oldest first. With `from` the first ones, else the last ones. */
  async read(questions: Questions, decoder: RowDecoder, query: CandlesQuery): Promise<Candle[]> {
    const {exchange, symbol, interval, origin = 'ours', limit} = query
    const series = {exchange, symbol, interval, origin}
    const candles: Candle[] = []
    for await (const rows of this.#pages(questions, query)) {
      for (const row of rows.slice(0, limit - candles.length)) candles.push(decoder.candle(series, row))
      if (candles.length === limit) break
    }
    return query.from === undefined ? candles.reverse() : candles
  }

  async *#pages(questions: Questions, query: CandlesQuery): AsyncGenerator<readonly Row[]> {
    const {exchange, symbol, interval, origin = 'ours', from, to = FAR_FUTURE_US, limit} = query
    const order = from === undefined ? 'DESC' : 'ASC'
    const series = [exchange, symbol, interval, origin]
    const ofSeries = 'WHERE exchange = ? AND symbol = ? AND interval = ? AND origin = ?'
    const selectBuckets = `SELECT bucket FROM ${this.#keyspace}.candle_bucket_by_symbol ${ofSeries} AND bucket >= ? AND bucket <= ? ORDER BY bucket ${order}`
    const selectCandles = `SELECT * FROM ${this.#keyspace}.candle_by_symbol ${ofSeries} AND bucket = ? AND start_time >= ? AND start_time < ? ORDER BY start_time ${order}`
    const edges = [candleBucketOf(from ?? 0, interval), candleBucketOf(to - 1, interval)].map((ms) => new Date(ms))
    const range = [from ?? 0, to].map((us) => new Date(Math.ceil(us / US_PER_MS)))
    for await (const buckets of questions.pages(selectBuckets, [...series, ...edges], BUCKETS_A_PAGE)) {
      for (const bucket of buckets) {
        const params = [...series, new Date(timeMs(bucket, 'bucket')), ...range]
        yield* questions.pages(selectCandles, params, Math.min(limit, MOST_PAGE_ROWS))
      }
    }
  }
}
