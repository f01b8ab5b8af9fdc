import type {MarketId} from '../../core/ports/market-reader.ts'
import type {Candle, CandleInterval, Ticker} from '../../core/records.ts'
import type {Snapshot} from '../wire.ts'
import {CandleChart} from './candle-chart.ts'
import {byId} from './dom.ts'
import {type Connection, fetchCandles, LiveMarket} from './live-market.ts'
import {nameOf} from './market-name.ts'
import {OrderBook} from './order-book.ts'
import {PriceHeader} from './price-header.ts'
import type {Strings} from './strings.ts'
import {TradeList} from './trade-list.ts'

/** Everything that is shown of one market: header, chart, book and trades, kept live. */
export class MarketView {
  readonly #onConnection: (state: Connection) => void
  readonly #header: PriceHeader
  readonly #chart: CandleChart
  readonly #book: OrderBook
  readonly #trades: TradeList
  #live: LiveMarket | undefined
  #market: MarketId | undefined
  #connection: Connection = 'connecting'
  #ticker: Ticker | null = null
  #day: Candle | null = null
  /** Live candles that came while the older ones were still being fetched. */
  #early: Candle[] | undefined

  constructor(strings: Strings, onConnection: (state: Connection) => void) {
    this.#onConnection = onConnection
    this.#header = new PriceHeader(strings)
    this.#chart = new CandleChart(byId('chart'), strings.locale)
    this.#book = new OrderBook(strings)
    this.#trades = new TradeList(byId('trades'), strings)
  }

  open(market: MarketId, interval: CandleInterval): void {
    this.#live?.close()
    const isOther = this.#market === undefined || nameOf(market) !== nameOf(this.#market)
    this.#market = market
    if (isOther) this.#clear()
    this.#chart.clear(interval)
    this.#showChartNote(false)
    this.#live = new LiveMarket(market, interval, {
      connection: (state) => this.#showConnection(state, market, interval),
      snapshot: (snapshot) => this.#onSnapshot(snapshot, market, interval),
      trades: (trades) => {
        this.#trades.add(trades)
        this.#showHeader()
      },
      latest: (trades) => {
        this.#trades.show(trades)
        this.#showHeader()
      },
      candles: (candles) => (this.#early === undefined ? this.#updateChart(candles) : this.#early.push(...candles)),
      ticker: (ticker) => {
        this.#ticker = ticker
        this.#showHeader()
      },
      book: (book) => this.#book.show(book),
      day: (day) => {
        this.#day = day
        this.#showHeader()
      },
    })
  }

  /** After a broken connection the stream goes on with the trades; candles that changed meanwhile have to be asked for. */
  #showConnection(state: Connection, market: MarketId, interval: CandleInterval): void {
    const isBack = state === 'live' && this.#connection === 'reconnecting'
    this.#connection = state
    this.#onConnection(state)
    if (isBack) void this.#loadCandles(market, interval)
  }

  close(): void {
    this.#live?.close()
    this.#live = undefined
  }

  #clear(): void {
    this.#ticker = null
    this.#day = null
    this.#header.forget()
    this.#trades.show([])
    this.#book.show(null)
    this.#showHeader()
  }

  #onSnapshot({trades, ticker, book, day}: Snapshot, market: MarketId, interval: CandleInterval): void {
    this.#ticker = ticker
    this.#day = day
    this.#trades.show(trades)
    this.#book.show(book)
    this.#showHeader()
    void this.#loadCandles(market, interval)
  }

  async #loadCandles(market: MarketId, interval: CandleInterval): Promise<void> {
    const early: Candle[] = []
    this.#early = early
    const isCurrent = () => this.#early === early
    try {
      const {candles} = await fetchCandles(market, interval)
      if (!isCurrent()) return
      this.#chart.show(candles)
    } catch (error) {
      // The stream tells the page when the server or the store is gone, and brings a new snapshot once it is back.
      console.debug(error)
    }
    if (!isCurrent()) return
    this.#early = undefined
    this.#updateChart(early)
  }

  #updateChart(candles: readonly Candle[]): void {
    this.#chart.update(candles)
    this.#showChartNote(this.#chart.isEmpty)
  }

  #showChartNote(isShown: boolean): void {
    byId('chart-empty').hidden = !isShown
  }

  #showHeader(): void {
    if (this.#market === undefined) return
    const {newest, decimals} = this.#trades
    this.#header.show({symbol: this.#market.symbol, newest, decimals, ticker: this.#ticker, day: this.#day})
  }
}
