import {randomUUID} from 'node:crypto'
import type {Context} from '../../core/context.ts'
import type {SourceItem} from '../../core/ports/source.ts'
import type {CoinRecord, MarketChannel, Micros, Trade} from '../../core/records.ts'
import type {ErrorFrame, FrameDecoder, RecordsFrame, Rejection} from '../decoder.ts'
import {Connection, type DropReason} from '../feed/connection.ts'
import {SubscriptionRefusedError} from '../feed/errors.ts'
import type {RateLimiter} from '../feed/rate-limiter.ts'
import {gapRecord, type TradeGap} from '../feed/trade-gap.ts'
import type {TradeLane, TradeMarket} from '../feed/trade-lane.ts'
import type {FeedFrame, FeedTimings} from './feed-options.ts'
import {createUpbitDecoder} from './frames.ts'
import {FATAL_ERRORS, HEARTBEAT} from './limits.ts'
import {type Subscription, subscriptionMessage} from './subscription.ts'

/** What a link hands up to the feed. */
export interface LinkTarget {
  push(item: SourceItem, bytes: number): void
  gapOpened(gap: TradeGap): void
  gapReady(market: TradeMarket, gap: TradeGap): void
  /** A connection opened or was lost. */
  connectionsChanged(): void
  /** Counted for metrics, many thousand times a second. */
  readonly counts: {frames: number; duplicates: number}
  /** The exchange refuses what this feed asks for. */
  fail(error: Error): void
}

export interface LinkOptions {
  readonly url: string
  readonly codes: readonly string[]
  readonly symbols: readonly string[]
  readonly subscription: Subscription
  /** By symbol; empty where trades are not subscribed. */
  readonly lanes: ReadonlyMap<string, TradeLane>
  readonly limiter: RateLimiter
  readonly timings: FeedTimings
  readonly target: LinkTarget
  readonly onFrame: ((frame: FeedFrame) => void) | undefined
}

/** One subscription on one connection that is kept open: frames in, records and gaps out. */
export class Link {
  readonly connection: Connection
  readonly #options: LinkOptions
  readonly #context: Context
  readonly #decoder: FrameDecoder = createUpbitDecoder()
  #lost: {readonly at: Micros; readonly reason: DropReason} | undefined
  #running: Promise<void> | undefined
  #isAnswered = false
  #liveTimer: NodeJS.Timeout | undefined

  constructor(options: LinkOptions, context: Context) {
    this.#options = options
    this.#context = context
    const {url, codes, subscription, timings, limiter} = options
    this.connection = new Connection(
      {
        url,
        timings,
        limiter,
        heartbeat: HEARTBEAT,
        greeting: () => subscriptionMessage(subscription, codes, randomUUID()),
        onOpen: (greeting) => this.#onOpen(greeting),
        onFrame: (frame) => this.#onData(frame),
        onDrop: (reason) => this.#onDrop(reason),
      },
      context,
    )
  }

  /**
   * Resolves once the first connection is open, or rejects with a typed error and may be called again. From then on the connection is kept open until
   * `signal` aborts; `running` then settles.
   */
  async start(signal: AbortSignal): Promise<void> {
    if (this.#running) return
    await this.connection.open(signal)
    this.#running = this.connection.keep(signal).finally(() => clearTimeout(this.#liveTimer))
  }

  get running(): Promise<void> {
    return this.#running ?? Promise.resolve()
  }

  #onOpen(greeting: string): void {
    const {url, onFrame, lanes, target} = this.#options
    const now = this.#context.clock.nowUs()
    onFrame?.({kind: 'opened', url, timeUs: now})
    onFrame?.({kind: 'sent', url, timeUs: now, data: greeting})
    for (const lane of lanes.values()) lane.subscribed(now)
    if (this.#lost) this.#reopened(this.#lost, now)
    this.#isAnswered = false
    target.connectionsChanged()
  }

  /** The first message after the request: it was understood. Markets that sent nothing a while later have nothing to send. */
  #onAnswer(): void {
    const {lanes, timings} = this.#options
    this.#isAnswered = true
    this.#liveTimer = setTimeout(() => {
      for (const lane of lanes.values()) this.#live(lane)
    }, timings.liveWaitMs)
  }

  #reopened({at, reason}: {readonly at: Micros; readonly reason: DropReason}, now: Micros): void {
    this.#lost = undefined
    this.#context.metrics.counter('coinpipe_feed_reconnects_total').add(1, {exchange: 'upbit', reason})
    this.#context.logger.info({url: this.#options.url, reason, downMs: (now - at) / 1000}, 'reconnected')
    for (const channel of this.#options.subscription.channels) if (channel !== 'trade') this.#informGap(channel, reason, at, now)
  }

  /** Books, tickers and candles cannot be had afterwards; their state is whole again with the snapshot that a new subscription begins with. */
  #informGap(channel: MarketChannel, reason: string, from: Micros, to: Micros): void {
    const common = {exchange: 'upbit', channel, reason, from, to, state: 'unfillable', filled: 0, receivedTime: to} as const
    for (const symbol of this.#options.symbols) this.#pushRecord(gapRecord({...common, symbol}), 0)
  }

  #onDrop(reason: DropReason): void {
    clearTimeout(this.#liveTimer)
    const at = this.#context.clock.nowUs()
    this.#lost = {at, reason}
    this.#options.target.connectionsChanged()
    this.#context.logger.warn({url: this.#options.url, reason}, 'connection lost')
    for (const lane of this.#options.lanes.values()) {
      const gap = lane.lost(reason, at)
      if (gap) this.#options.target.gapOpened(gap)
    }
  }

  #onData(frame: Buffer): void {
    const {target, onFrame, url} = this.#options
    const receivedTime = this.#context.clock.nowUs()
    target.counts.frames++
    onFrame?.({kind: 'received', url, timeUs: receivedTime, data: frame})
    const decoded = this.#decoder.decode(frame, receivedTime)
    if (decoded.kind === 'records') this.#takeAll(decoded, frame, receivedTime)
    else if (decoded.kind === 'rejected') this.#reject(frame, decoded, receivedTime)
    else if (decoded.kind === 'error') this.#refused(decoded)
    else if (decoded.about === 'alive') this.connection.heartbeatAnswered()
    if (!this.#isAnswered && (decoded.kind === 'records' || decoded.kind === 'status')) this.#onAnswer()
  }

  #takeAll({records, rejected}: RecordsFrame, frame: Buffer, receivedTime: Micros): void {
    const bytes = frame.length / Math.max(1, records.length)
    for (const record of records) this.#take(record, bytes)
    for (const rejection of rejected) this.#reject(frame, rejection, receivedTime)
  }

  #take(record: CoinRecord, bytes: number): void {
    const lane = record.type === 'trade' ? this.#options.lanes.get(record.symbol) : undefined
    if (record.type !== 'trade' || !lane) this.#pushRecord(record, bytes)
    else this.#takeTrade(lane, record, bytes)
  }

  #takeTrade(lane: TradeLane, trade: Trade, bytes: number): void {
    if (lane.take(trade)) this.#pushRecord(trade, bytes)
    else this.#options.target.counts.duplicates++
    if (lane.pending.length > 0) this.#live(lane, trade)
  }

  #live(lane: TradeLane, first?: Trade): void {
    const now = first?.receivedTime ?? this.#context.clock.nowUs()
    for (const gap of lane.live(now, first)) this.#options.target.gapReady(lane.market, gap)
  }

  #pushRecord(record: CoinRecord, bytes: number): void {
    this.#options.target.push({kind: 'record', record}, bytes)
  }

  #reject(frame: Buffer, {code, message}: Rejection, receivedTime: Micros): void {
    this.#options.target.push({kind: 'rejected', rejected: {frame, code, message, receivedTime}}, frame.length)
  }

  #refused({name, message}: ErrorFrame): void {
    const {url, target, codes} = this.#options
    const asked = `${codes.slice(0, 10).join(', ')}${codes.length > 10 ? ` and ${codes.length - 10} more` : ''}`
    const error = new SubscriptionRefusedError(url, name, message, asked)
    this.#context.metrics.counter('coinpipe_component_errors_total').add(1, {component: 'upbit', stage: 'subscribe', code: error.code})
    this.#context.logger.warn({url, name, reason: message}, 'the exchange sent an error')
    if (this.#isAnswered && this.connection.heartbeatRefused()) return
    if (!this.#isAnswered && FATAL_ERRORS.has(name)) target.fail(error)
    else this.connection.drop('refused')
  }
}
