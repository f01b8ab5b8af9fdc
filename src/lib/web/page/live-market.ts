import type {MarketId} from '../../core/ports/market-reader.ts'
import type {CandleInterval} from '../../core/records.ts'
import type {CandlesAnswer, LiveEvents, MarketsAnswer} from '../wire.ts'

export type Connection = 'connecting' | 'live' | 'reconnecting' | 'store-gone'

export type LiveHandlers = {readonly [N in Exclude<keyof LiveEvents, 'store'>]: (data: LiveEvents[N]) => void} & {
  readonly connection: (state: Connection) => void
}

const FIRST_RETRY_MS = 1_000
const LONGEST_RETRY_MS = 10_000

/**
 * The event stream of one market and interval, for as long as the page shows it. The browser reconnects by itself after a broken
 * connection; what it gives up on (an answer that is no stream, such as 404 or 503) is tried again here, more and more slowly.
 */
export class LiveMarket {
  readonly #url: string
  readonly #handlers: LiveHandlers
  #source: EventSource | undefined
  #retryTimer: ReturnType<typeof setTimeout> | undefined
  #retryMs = FIRST_RETRY_MS

  constructor(market: MarketId, interval: CandleInterval, handlers: LiveHandlers) {
    this.#url = `/events?${new URLSearchParams({exchange: market.exchange, symbol: market.symbol, interval})}`
    this.#handlers = handlers
    handlers.connection('connecting')
    this.#open()
  }

  close(): void {
    clearTimeout(this.#retryTimer)
    this.#source?.close()
  }

  #open(): void {
    const source = new EventSource(this.#url)
    this.#source = source
    const on = <N extends keyof LiveEvents>(name: N, handle: (data: LiveEvents[N]) => void) =>
      source.addEventListener(name, (event) => handle(JSON.parse(event.data)))
    const {connection, ...handlers} = this.#handlers
    on('snapshot', handlers.snapshot)
    on('trades', handlers.trades)
    on('latest', handlers.latest)
    on('candles', handlers.candles)
    on('ticker', handlers.ticker)
    on('book', handlers.book)
    on('day', handlers.day)
    on('store', ({available}) => connection(available ? 'live' : 'store-gone'))
    source.onopen = () => {
      this.#retryMs = FIRST_RETRY_MS
      connection('live')
    }
    source.onerror = () => {
      connection('reconnecting')
      if (source.readyState === EventSource.CLOSED) this.#openLater()
    }
  }

  #openLater(): void {
    this.#retryTimer = setTimeout(() => this.#open(), this.#retryMs)
    this.#retryMs = Math.min(this.#retryMs * 2, LONGEST_RETRY_MS)
  }
}

export function fetchMarkets(): Promise<MarketsAnswer> {
  return fetchJson('/api/markets')
}

export function fetchCandles({exchange, symbol}: MarketId, interval: CandleInterval): Promise<CandlesAnswer> {
  return fetchJson(`/api/candles?${new URLSearchParams({exchange, symbol, interval, limit: '500'})}`)
}

async function fetchJson<T>(url: string): Promise<T> {
  const response = await fetch(url)
  if (!response.ok) throw new TypeError(`${url} answered ${response.status}`)
  return response.json()
}
