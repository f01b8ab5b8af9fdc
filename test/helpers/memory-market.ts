import {NotConnectedError} from '../../src/lib/core/errors.ts'
import type {CandlesQuery, MarketId, MarketReader, TradesPage, TradesQuery, VolumeRow} from '../../src/lib/core/ports/market-reader.ts'
import {type Book, type Candle, marketKey, type Ticker, type Trade} from '../../src/lib/core/records.ts'

/** A whole market in memory: what a test stores, the page reads. Set `gone` to make the store disappear. */
export class MemoryMarket implements MarketReader {
  gone = false
  /** Questions answered, for tests that count them. */
  reads = 0
  readonly #trades: Trade[] = []
  readonly #books = new Map<string, Book>()
  readonly #tickers = new Map<string, Ticker>()
  readonly #candles = new Map<string, Candle>()
  #connected = true

  store(...trades: readonly Trade[]): void {
    this.#trades.push(...trades)
  }

  setBook(book: Book): void {
    this.#books.set(marketKey(book), book)
  }

  setTicker(ticker: Ticker): void {
    this.#tickers.set(marketKey(ticker), ticker)
  }

  setCandles(...candles: readonly Candle[]): void {
    for (const candle of candles) this.#candles.set(`${candle.id}`, candle)
  }

  async connect(): Promise<void> {
    if (this.gone) throw new NotConnectedError('the store file is not there')
    this.#connected = true
  }

  async check(): Promise<void> {
    this.#ask()
  }

  async close(): Promise<void> {
    this.#connected = false
  }

  async markets(): Promise<readonly MarketId[]> {
    this.#ask()
    const markets = new Map(this.#trades.map(({exchange, symbol}) => [`${exchange}:${symbol}`, {exchange, symbol}]))
    return [...markets.values()]
  }

  async trades({limit, after, ...market}: TradesQuery): Promise<TradesPage> {
    this.#ask()
    if (after === undefined) {
      const newest = this.#of(this.#trades, market).toSorted((a, b) => b.eventTime - a.eventTime)
      return {trades: newest.slice(0, limit), cursor: String(this.#trades.length)}
    }
    const trades: Trade[] = []
    let next = Number(after)
    for (; next < this.#trades.length && trades.length < limit; next++) trades.push(...this.#of(this.#trades.slice(next, next + 1), market))
    return {trades, cursor: String(next)}
  }

  async book(market: MarketId): Promise<Book | null> {
    this.#ask()
    return this.#books.get(marketKey(market)) ?? null
  }

  async ticker(market: MarketId): Promise<Ticker | null> {
    this.#ask()
    return this.#tickers.get(marketKey(market)) ?? null
  }

  async candles({
    interval,
    from = 0,
    to = Number.MAX_SAFE_INTEGER,
    limit,
    origin = 'ours',
    ...market
  }: CandlesQuery): Promise<readonly Candle[]> {
    this.#ask()
    return this.#of([...this.#candles.values()], market)
      .filter((candle) => candle.interval === interval && candle.origin === origin && candle.startTime >= from && candle.startTime < to)
      .toSorted((a, b) => a.startTime - b.startTime)
      .slice(-limit)
  }

  async volume(): Promise<readonly VolumeRow[]> {
    this.#ask()
    return []
  }

  #of<T extends MarketId>(records: readonly T[], {exchange, symbol}: MarketId): T[] {
    return records.filter((record) => record.exchange === exchange && record.symbol === symbol)
  }

  #ask(): void {
    if (this.gone) this.#connected = false
    if (!this.#connected) throw new NotConnectedError('the store file is not there')
    this.reads++
  }
}
