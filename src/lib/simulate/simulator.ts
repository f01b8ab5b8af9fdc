import type {Context} from '../core/context.ts'
import {answerControl} from './control.ts'
import {FaultInjector} from './fault-injector.ts'
import {FaultState} from './fault-state.ts'
import type {Fault, ScheduledFault} from './faults.ts'
import {LedgerFile} from './ledger-file.ts'
import {MarketClock} from './market-clock.ts'
import {type ResolvedOptions, resolveOptions, type SimulatorOptions} from './options.ts'
import {SimulatorServer, WEBSOCKET_PATH} from './server.ts'
import {newCounters, type SimulatorStats} from './stats.ts'
import {Exchange, type LedgerTrade, ledgerTrade} from './upbit/exchange.ts'
import {Hub} from './upbit/hub.ts'
import {marketsFor} from './upbit/markets.ts'

const IDLE_CHECK_MS = 1000
/** What clients get to read the rest of what was sent. */
const CLOSE_WAIT_MS = 5000

/** What was sent, to hold against what arrived. */
export interface Ledger {
  /** Upbit's market codes, `KRW-BTC`. */
  readonly markets: readonly string[]
  /** False where the oldest trades of a market have left memory. */
  readonly complete: boolean
  /** Trades ever made, of one market or of all. */
  count(market?: string): number
  /** Trades still in memory, of one market or of all, each market oldest first. */
  trades(market?: string): Generator<LedgerTrade, void, undefined>
}

/** A running local exchange. */
export interface Simulator {
  /** `ws://127.0.0.1:9001/websocket/v1` */
  readonly url: string
  /** `http://127.0.0.1:9001` */
  readonly restUrl: string
  readonly port: number
  readonly ledger: Ledger
  /** Resolves once `maxTrades` are made; rejects where the market could not go on, for example with LedgerError. */
  readonly finished: Promise<void>
  stats(): SimulatorStats
  /** Makes something go wrong now. */
  fault(fault: Fault): void
  /** The same, so many milliseconds after the market started to move; at once where that has passed. */
  schedule(fault: ScheduledFault): void
  /** Stops the market; connections stay open. */
  pause(): void
  /** Starts the market: after a pause, or before anybody has subscribed. */
  resume(): void
  /** Stops the market, lets clients read what was sent (for 5 s at most), closes their connections and gives the port back. A second call does nothing. */
  close(): Promise<void>
}

type SimulatorContext = Pick<Context, 'clock' | 'logger'>

/**
 * Starts a local exchange that speaks Upbit's websocket and REST on one port. Prices are made up. The market begins to move with the first
 * subscription and then goes on whether or not anybody is connected. Rejects with ListenError, LedgerError or InvalidInputError.
 */
export async function startSimulator(options: SimulatorOptions, context: SimulatorContext): Promise<Simulator> {
  const simulator = new UpbitSimulator(resolveOptions(options), context)
  try {
    await simulator.listen()
    return simulator
  } catch (error) {
    await simulator.close()
    throw error
  }
}

class UpbitSimulator implements Simulator {
  readonly finished: Promise<void>
  private readonly options: ResolvedOptions
  private readonly context: SimulatorContext
  private readonly counters = newCounters()
  private readonly exchange: Exchange
  private readonly hub: Hub
  private readonly faults: FaultState
  private readonly market: MarketClock
  private readonly server: SimulatorServer
  private readonly ledgerFile: LedgerFile | null
  private readonly injector: FaultInjector
  private idleCheck: NodeJS.Timeout | undefined
  /** Set by a pause: a subscription then no longer starts the market. */
  private held = false

  constructor(options: ResolvedOptions, context: SimulatorContext) {
    const {promise, resolve, reject} = Promise.withResolvers<void>()
    // Nobody has to wait for the end; without this a failure would be an unhandled rejection there.
    promise.catch((error: unknown) => context.logger.error({err: error}, 'the simulated market stopped'))
    this.finished = promise
    this.options = options
    this.context = context
    const {seed, historyTrades, lateShare} = options
    const startMs = Math.floor(context.clock.nowUs() / 1000)
    this.exchange = new Exchange({seed, historyTrades, lateShare, startMs, markets: marketsFor(options.symbols)})
    this.faults = new FaultState(this.counters)
    this.hub = this.makeHub()
    this.ledgerFile = options.ledgerFile === null ? null : new LedgerFile(options.ledgerFile)
    this.market = new MarketClock({
      options,
      exchange: this.exchange,
      hub: this.hub,
      faults: this.faults,
      ledger: this.ledgerFile,
      clock: context.clock,
      onTick: (ranMs) => this.injector.tick(ranMs),
      onFinished: resolve,
      onError: reject,
    })
    this.server = this.makeServer()
    this.injector = new FaultInjector({
      exchange: this.exchange,
      hub: this.hub,
      listener: this.server.listener,
      state: this.faults,
      counters: this.counters,
      logger: context.logger,
      nowMs: () => this.market.nowMs(),
      scheduled: options.faults,
    })
  }

  get url(): string {
    return `ws://${this.server.listener.authority}${WEBSOCKET_PATH}`
  }

  get restUrl(): string {
    return `http://${this.server.listener.authority}`
  }

  get port(): number {
    return this.server.listener.port
  }

  get ledger(): Ledger {
    const {states} = this.exchange
    const statesOf = (market?: string) => states.filter((state) => market === undefined || state.market.code === market)
    return {
      markets: states.map((state) => state.market.code),
      complete: states.every((state) => state.history.first === 0),
      count: (market) => statesOf(market).reduce((sum, state) => sum + state.history.count, 0),
      *trades(market) {
        for (const {market: listed, history} of statesOf(market)) {
          for (let index = history.first; index < history.count; index++) yield ledgerTrade(listed, history.at(index))
        }
      },
    }
  }

  async listen(): Promise<void> {
    await this.server.listener.listen()
    this.idleCheck = setInterval(() => this.hub.closeIdle(), Math.min(IDLE_CHECK_MS, this.options.idleTimeoutMs))
    this.context.logger.info(
      {url: this.url, seed: this.options.seed, simulated: true},
      'SIMULATED exchange is listening: prices are made up',
    )
  }

  stats(): SimulatorStats {
    return {
      simulated: true,
      exchange: 'upbit',
      seed: this.options.seed,
      url: this.url,
      running: this.market.running,
      trades: this.exchange.tradeCount,
      ...structuredClone(this.counters),
    }
  }

  pause(): void {
    this.held = true
    this.market.pause()
  }

  resume(): void {
    this.held = false
    this.market.start()
  }

  schedule(fault: ScheduledFault): void {
    this.injector.schedule(fault)
  }

  fault(fault: Fault): void {
    this.injector.inject(fault)
  }

  async close(): Promise<void> {
    this.market.pause()
    clearInterval(this.idleCheck)
    this.injector.close()
    await this.hub.closeAll(CLOSE_WAIT_MS)
    await this.server.listener.close()
    this.ledgerFile?.close()
  }

  private makeHub(): Hub {
    const {tradesPerFrame, maxBufferedBytes, idleTimeoutMs, limits} = this.options
    return new Hub({
      exchange: this.exchange,
      counters: this.counters,
      logger: this.context.logger,
      tradesPerFrame,
      maxBufferedBytes,
      idleTimeoutMs,
      limits,
      nowMs: () => this.market.nowMs(),
      onSubscribed: () => {
        if (!this.held) this.market.start()
      },
    })
  }

  private makeServer(): SimulatorServer {
    const {host, port, limits} = this.options
    return new SimulatorServer({
      host,
      port,
      limits,
      exchange: this.exchange,
      hub: this.hub,
      faults: this.faults,
      counters: this.counters,
      clock: this.context.clock,
      logger: this.context.logger,
      nowMs: () => this.market.nowMs(),
      onControl: (request, response, url) => answerControl(this, request, response, url),
    })
  }
}
