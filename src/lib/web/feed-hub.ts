import type {Clock, Gauge, Logger} from '../core/context.ts'
import type {MarketId} from '../core/ports/market-reader.ts'
import {marketKey} from '../core/records.ts'
import {TooManyClientsError} from './errors.ts'
import type {LiveClient} from './live-client.ts'
import {MarketFeed} from './market-feed.ts'
import type {StoreGate} from './store-gate.ts'

export interface FeedHubOptions {
  readonly store: StoreGate
  readonly clock: Clock
  readonly logger: Logger
  /** Browsers connected. */
  readonly clientsGauge: Gauge
  readonly pollMs: number
  readonly heartbeatMs: number
  /** How long a feed goes on without browsers, so that one that comes back can resume. */
  readonly lingerMs: number
  readonly maxLiveClients: number
}

interface RunningFeed {
  readonly feed: MarketFeed
  readonly stop: AbortController
  readonly done: Promise<void>
  lingerTimer?: NodeJS.Timeout | undefined
}

/** All live feeds of a server: one per market that somebody watches. */
export class FeedHub {
  readonly #options: FeedHubOptions
  readonly #feeds = new Map<string, RunningFeed>()
  readonly #heartbeat: NodeJS.Timeout
  #clientCount = 0

  constructor(options: FeedHubOptions) {
    this.#options = options
    this.#heartbeat = setInterval(() => this.#beat(), options.heartbeatMs)
    this.#heartbeat.unref()
  }

  /** Throws TooManyClientsError where no further browser fits; call it before answering one. */
  checkRoom(): void {
    if (this.#clientCount >= this.#options.maxLiveClients) throw new TooManyClientsError(this.#options.maxLiveClients)
  }

  /** Adds a browser to its market's feed; the returned function takes it out again and may be called once. */
  join(market: MarketId, client: LiveClient): () => void {
    const key = marketKey(market)
    const running = this.#feeds.get(key) ?? this.#start(key, market)
    clearTimeout(running.lingerTimer)
    running.feed.add(client)
    this.#count(1)
    return () => {
      running.feed.remove(client)
      this.#count(-1)
      if (running.feed.clients.size > 0) return
      running.lingerTimer = setTimeout(() => this.#stop(key), this.#options.lingerMs)
      running.lingerTimer.unref()
    }
  }

  /** Says goodbye to every browser. */
  endClients(): void {
    for (const {feed} of this.#feeds.values()) for (const client of feed.clients) client.end()
  }

  /** Stops every feed; call it once nobody can join any more. */
  async close(): Promise<void> {
    clearInterval(this.#heartbeat)
    const running = [...this.#feeds.values()]
    for (const key of [...this.#feeds.keys()]) this.#stop(key)
    await Promise.all(running.map(({done}) => done))
  }

  #start(key: string, market: MarketId): RunningFeed {
    const {store, clock, logger, pollMs} = this.#options
    const stop = new AbortController()
    const feed = new MarketFeed({market, store, clock, logger, pollMs, signal: stop.signal})
    const running: RunningFeed = {feed, stop, done: feed.run()}
    this.#feeds.set(key, running)
    return running
  }

  #stop(key: string): void {
    const running = this.#feeds.get(key)
    this.#feeds.delete(key)
    clearTimeout(running?.lingerTimer)
    running?.stop.abort()
  }

  #count(change: number): void {
    this.#clientCount += change
    this.#options.clientsGauge.set(this.#clientCount)
  }

  #beat(): void {
    for (const {feed} of this.#feeds.values()) for (const client of feed.clients) client.beat()
  }
}
