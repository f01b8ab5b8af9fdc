import {randomBytes} from 'node:crypto'
import type {Clock, Logger} from '../core/context.ts'
import type {MarketId} from '../core/ports/market-reader.ts'
import type {Book, Candle, CandleInterval, Ticker, Trade} from '../core/records.ts'
import {CandleWindow} from './candle-window.ts'
import type {LiveClient} from './live-client.ts'
import type {StoreGate} from './store-gate.ts'
import {TradeWindow} from './trade-window.ts'
import type {LiveEvents, Snapshot} from './wire.ts'

export interface MarketFeedOptions {
  readonly market: MarketId
  readonly store: StoreGate
  readonly clock: Clock
  readonly logger: Logger
  /** Ends the feed. */
  readonly signal: AbortSignal
  /** Time between two looks at the store. */
  readonly pollMs: number
}

/** Time between two tries while the store does not answer. */
const RETRY_MS = 1_000
const DAY = '1d'

/**
 * One market's live data: looks at the store once per period, however many browsers watch, and sends each what is new to it.
 * A browser that is behind, whatever the reason, gets a snapshot instead.
 */
export class MarketFeed {
  readonly #options: MarketFeedOptions
  /** Event ids begin with it, so that those of another feed (ended since, or of another server) are not taken for ours. */
  readonly #run = randomBytes(6).toString('hex')
  readonly #clients = new Set<LiveClient>()
  readonly #trades: TradeWindow
  readonly #candles = new Map<CandleInterval, CandleWindow>()
  #ticker: Ticker | null = null
  #book: Book | null = null
  #day: Candle | null = null
  #available = true

  constructor(options: MarketFeedOptions) {
    this.#options = options
    this.#trades = new TradeWindow(options.market, options.store)
  }

  get clients(): ReadonlySet<LiveClient> {
    return this.#clients
  }

  add(client: LiveClient): void {
    this.#clients.add(client)
    if (!this.#available) client.send(event('store', {available: false}))
  }

  remove(client: LiveClient): void {
    this.#clients.delete(client)
    const used = this.#intervals()
    for (const interval of this.#candles.keys()) if (!used.has(interval)) this.#candles.delete(interval)
  }

  /** Runs until the signal aborts. */
  async run(): Promise<void> {
    const {clock, signal, pollMs} = this.#options
    while (!signal.aborted) {
      const waitMs = (await this.#look()) ? pollMs : RETRY_MS
      // An abort ends the wait; the loop then ends by its own condition.
      await clock.sleep(waitMs, signal).catch(() => undefined)
    }
  }

  /** One look at the store; false where it did not answer. */
  async #look(): Promise<boolean> {
    try {
      const news = await this.#news()
      this.#setAvailable(true)
      for (const client of this.#clients) this.#update(client, news)
      return true
    } catch (error) {
      this.#options.logger.debug({error}, 'live data could not be read')
      this.#trades.forget()
      this.#candles.clear()
      this.#setAvailable(false, error instanceof Error ? error.message : String(error))
      return false
    }
  }

  /** Texts of everything new: for all clients, and per candle interval. */
  async #news(): Promise<News> {
    const texts: string[] = []
    const trades = await this.#trades.refresh()
    if (trades.kind === 'more') texts.push(event('trades', trades.trades, this.#id()))
    if (trades.kind === 'jump') texts.push(event('latest', this.#trades.newest, this.#id()))
    texts.push(...(await this.#latestState()))
    const candles = new Map<CandleInterval, string>()
    for (const interval of this.#intervals()) {
      const changed = await this.#window(interval).refresh()
      if (changed.length > 0) candles.set(interval, event('candles', changed))
      const today = interval === DAY ? changed.at(-1) : undefined
      if (today === undefined) continue
      this.#day = today
      texts.push(event('day', today))
    }
    return {text: texts.join(''), candles}
  }

  async #latestState(): Promise<string[]> {
    const {market, store} = this.#options
    const texts: string[] = []
    const ticker = await store.read((reader) => reader.ticker(market))
    if (ticker !== null && ticker.id !== this.#ticker?.id) texts.push(event('ticker', ticker))
    const book = await store.read((reader) => reader.book(market))
    if (book !== null && book.id !== this.#book?.id) texts.push(event('book', book))
    this.#ticker = ticker
    this.#book = book
    return texts
  }

  /** Those that browsers look at, and the day, whose open is what today's change is measured from. */
  #intervals(): ReadonlySet<CandleInterval> {
    return new Set([DAY, ...[...this.#clients].map(({interval}) => interval)])
  }

  #update(client: LiveClient, news: News): void {
    if (!client.ready) {
      client.behind = true
    } else if (client.behind) {
      const missed = this.#missed(client.takeResumeId())
      client.behind = false
      client.send(missed === undefined ? this.#snapshot() : this.#catchUp(missed))
    } else {
      const text = news.text + (news.candles.get(client.interval) ?? '')
      if (text !== '') client.send(text)
    }
  }

  /** What a browser that was cut off after the event `id` has not seen; undefined where that is too long ago to tell. */
  #missed(id: string | undefined): readonly Trade[] | undefined {
    const [run, position] = id?.split('.') ?? []
    return run === this.#run ? this.#trades.since(Number(position)) : undefined
  }

  #catchUp(missed: readonly Trade[]): string {
    return [
      event('trades', missed, this.#id()),
      this.#ticker === null ? '' : event('ticker', this.#ticker),
      this.#book === null ? '' : event('book', this.#book),
      this.#day === null ? '' : event('day', this.#day),
    ].join('')
  }

  #snapshot(): string {
    const snapshot: Snapshot = {trades: this.#trades.newest, ticker: this.#ticker, book: this.#book, day: this.#day}
    return event('snapshot', snapshot, this.#id())
  }

  #setAvailable(available: boolean, message?: string): void {
    if (available === this.#available) return
    this.#available = available
    const text = event('store', {available, ...(message === undefined ? {} : {message})})
    for (const client of this.#clients) {
      client.send(text)
      client.behind = true
    }
  }

  #window(interval: CandleInterval): CandleWindow {
    let window = this.#candles.get(interval)
    if (window === undefined) {
      window = new CandleWindow(this.#options.market, interval, this.#options.store)
      this.#candles.set(interval, window)
    }
    return window
  }

  #id(): string {
    return `${this.#run}.${this.#trades.position}`
  }
}

interface News {
  readonly text: string
  readonly candles: ReadonlyMap<CandleInterval, string>
}

/** One event in the wire format of server-sent events; JSON has no line breaks of its own. */
function event<N extends keyof LiveEvents>(name: N, data: LiveEvents[N], id?: string): string {
  return `${id === undefined ? '' : `id: ${id}\n`}event: ${name}\ndata: ${JSON.stringify(data)}\n\n`
}
