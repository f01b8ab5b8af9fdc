import type {Context} from '../../core/context.ts'
import {InvalidInputError, NotConnectedError} from '../../core/errors.ts'
import type {Delivery} from '../../core/ports/component.ts'
import type {Source, SourceItem} from '../../core/ports/source.ts'
import type {Gap} from '../../core/records.ts'
import {GapDesk} from '../feed/gap-desk.ts'
import {ItemQueue} from '../feed/item-queue.ts'
import {RateLimiter} from '../feed/rate-limiter.ts'
import {openSocket} from '../feed/socket.ts'
import {Backfill} from './backfill.ts'
import {FEED_TIMINGS, type FeedTimings, QUEUE_LIMITS, type UpbitFeedOptions} from './feed-options.ts'
import {createLanes} from './lanes.ts'
import {CODES_PER_CONNECTION, CONNECT_LIMIT, QUOTES, type Quote, UPBIT_WEBSOCKET_URL} from './limits.ts'
import {Link, type LinkTarget} from './link.ts'
import {UpbitRest} from './rest.ts'
import {codesOf, createSubscription, type Subscription, splitCodes} from './subscription.ts'
import {symbolOfCode} from './symbols.ts'

const CLOSE_WAIT_MS = 5000
const EXCHANGE = {exchange: 'upbit'}
const COMPONENT = {component: 'upbit'}

/**
 * Upbit's live feed. `connect` opens every websocket, or rejects with a typed error; after that the feed keeps them open by itself. What was missed in
 * between is said by gap records and fetched over REST: docs/adr/0003-gaps-and-backfill.md has the protocol.
 *
 * To resume after a crash, deliveries must be made safe in the order in which they came, symbol by symbol, and `lastSeen` read from the log's tail.
 */
export function createUpbitFeed(options: UpbitFeedOptions, context: Context): Source {
  return new UpbitFeed(options, context)
}

class UpbitFeed implements Source {
  readonly #options: UpbitFeedOptions
  readonly #context: Context
  readonly #url: string
  readonly #subscription: Subscription
  readonly #timings: FeedTimings
  readonly #rest: UpbitRest
  readonly #queue: ItemQueue
  readonly #limiter: RateLimiter
  readonly #stop = new AbortController()
  readonly #signal: AbortSignal
  readonly #counts = {frames: 0, duplicates: 0}
  #links: Link[] = []

  constructor(options: UpbitFeedOptions, context: Context) {
    this.#options = options
    this.#context = context
    this.#url = websocketUrl(options.url)
    this.#timings = {...FEED_TIMINGS, ...options.timings}
    const {channels, candleIntervals = ['1m'], format = 'SIMPLE', depth} = options
    this.#subscription = createSubscription({channels, candleIntervals, format, depth})
    this.#rest = new UpbitRest(options.restUrl ?? originOf(this.#url), context)
    this.#limiter = new RateLimiter(CONNECT_LIMIT, context.clock)
    this.#signal = AbortSignal.any([context.signal, this.#stop.signal])
    this.#queue = new ItemQueue({
      ...QUEUE_LIMITS,
      ...options.queue,
      onFull: () => {
        for (const {connection} of this.#links) connection.pause()
      },
      onRoom: () => {
        for (const {connection} of this.#links) connection.resume()
      },
    })
  }

  /** May be called again where it rejected: what is open by then stays open. */
  async connect(): Promise<void> {
    if (this.#links.length === 0) this.#links = this.#createLinks(await this.#codes())
    await Promise.all(this.#links.map((link) => this.#start(link)))
    this.#context.logger.info({url: this.#url, connections: this.#links.length}, 'connected to upbit')
  }

  async check(): Promise<void> {
    if (this.#links.some((link) => link.connection.isOpen)) return
    if (this.#links.length > 0) {
      throw new NotConnectedError(`no connection to ${this.#url} is open`, {remedy: ['the feed keeps trying by itself; check the network']})
    }
    await this.#limiter.acquire(this.#signal)
    await openSocket(this.#url, this.#timings.connectTimeoutMs, this.#signal, (socket) => socket.close())
  }

  async *deliveries(signal: AbortSignal): AsyncGenerator<Delivery<SourceItem>> {
    const stop = () => this.#stopReading()
    const signals = AbortSignal.any([signal, this.#signal])
    if (signals.aborted) stop()
    signals.addEventListener('abort', stop, {once: true})
    try {
      for await (const delivery of this.#queue.deliveries()) {
        this.#report()
        yield delivery
      }
    } finally {
      signals.removeEventListener('abort', stop)
      stop()
      this.#report()
    }
  }

  async close(): Promise<void> {
    this.#stopReading()
    this.#queue.close()
    await this.#stopped()
    await this.#rest.close()
  }

  async #stopped(): Promise<void> {
    const done = new AbortController()
    const deadline = this.#context.clock.sleep(CLOSE_WAIT_MS, done.signal)
    await Promise.race([Promise.allSettled(this.#links.map((link) => link.running)), deadline])
    done.abort()
  }

  async #start(link: Link): Promise<void> {
    await link.start(this.#signal)
    link.running.catch((error: Error) => this.#fail(error))
  }

  async #codes(): Promise<string[]> {
    const {symbols, quotes = QUOTES} = this.#options
    const codes = symbols === 'all' ? await this.#listedCodes(quotes) : codesOf(symbols)
    if (codes.length > 0) return codes
    throw new InvalidInputError(symbols === 'all' ? `upbit lists no market in ${quotes.join(', ')}` : 'no symbol of upbit was named', {
      remedy: ['name at least one: --symbols BTC-KRW'],
    })
  }

  async #listedCodes(quotes: readonly Quote[]): Promise<string[]> {
    const markets = await this.#rest.markets(this.#signal)
    return markets.map(({code}) => code).filter((code) => quotes.some((quote) => code.startsWith(`${quote}-`)))
  }

  #createLinks(codes: readonly string[]): Link[] {
    const {connections = Math.ceil(codes.length / CODES_PER_CONNECTION), redundancy = 1, channels, lastSeen, onFrame} = this.#options
    const target = this.#target()
    const common = {url: this.#url, subscription: this.#subscription, limiter: this.#limiter, timings: this.#timings, target, onFrame}
    return splitCodes(codes, connections).flatMap((part) => {
      const symbols = part.flatMap((code) => symbolOfCode(code) ?? [])
      const {copies, restored} = createLanes({symbols: channels.includes('trade') ? symbols : [], copies: redundancy, lastSeen})
      for (const {market, gap} of restored) target.gapReady(market, gap)
      return copies.map((lanes) => {
        for (const {pending} of lanes.values()) for (const gap of pending) target.gapOpened(gap)
        return new Link({...common, codes: part, symbols, lanes}, this.#context)
      })
    })
  }

  #target(): LinkTarget {
    const {settleMs, refillMs, gapRepeatMs: repeatMs} = this.#timings
    const publish = (gap: Gap) => this.#queue.push({kind: 'record', record: gap}, 0)
    const backfill = new Backfill({rest: this.#rest, queue: this.#queue, enabled: this.#options.backfill ?? true}, this.#context)
    const onFailure = (error: Error) => this.#fail(error)
    const options = {exchange: 'upbit', fill: backfill.fill, publish, onFailure, settleMs, refillMs, repeatMs}
    const desk = new GapDesk(options, this.#context, this.#signal)
    return {
      push: (item, bytes) => this.#queue.push(item, bytes),
      gapOpened: (gap) => desk.opened(gap),
      gapReady: (market, gap) => desk.ready(market, gap),
      connectionsChanged: () => this.#reportConnections(),
      counts: this.#counts,
      fail: onFailure,
    }
  }

  #fail(error: Error): void {
    this.#queue.end(error)
    this.#stop.abort()
  }

  #stopReading(): void {
    this.#stop.abort()
    this.#queue.end()
  }

  /** Metrics are brought up to date per delivery: per frame would cost more than decoding it. */
  #report(): void {
    const {metrics} = this.#context
    metrics.counter('coinpipe_feed_frames_total').add(this.#counts.frames, EXCHANGE)
    metrics.counter('coinpipe_duplicates_total').add(this.#counts.duplicates, COMPONENT)
    this.#counts.frames = 0
    this.#counts.duplicates = 0
    metrics.gauge('coinpipe_component_queue_records').set(this.#queue.records, COMPONENT)
    metrics.gauge('coinpipe_component_queue_bytes').set(this.#queue.bytes, COMPONENT)
  }

  #reportConnections(): void {
    const open = this.#links.filter((link) => link.connection.isOpen).length
    this.#context.metrics.gauge('coinpipe_feed_connections').set(open, EXCHANGE)
  }
}

/** Upbit's address, or another one; a host alone has Upbit's path there. */
function websocketUrl(given: string | undefined): string {
  if (given === undefined) return UPBIT_WEBSOCKET_URL
  if (!URL.canParse(given) || !/^wss?:/.test(given)) {
    throw new InvalidInputError(`'${given}' is not the URL of a websocket`, {remedy: ['write it as wss://host/path, or ws:// without TLS']})
  }
  const url = new URL(given)
  if (url.pathname === '/') url.pathname = new URL(UPBIT_WEBSOCKET_URL).pathname
  return url.href
}

/** `wss://host/path` is `https://host`. */
function originOf(url: string): string {
  const {protocol, host} = new URL(url)
  return `${protocol === 'wss:' ? 'https' : 'http'}://${host}`
}
