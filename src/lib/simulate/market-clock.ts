import type {Clock} from '../core/context.ts'
import type {FaultState} from './fault-state.ts'
import type {LedgerFile} from './ledger-file.ts'
import type {ResolvedOptions} from './options.ts'
import {Pacer} from './pacer.ts'
import type {Exchange, LedgerTrade} from './upbit/exchange.ts'
import type {Hub} from './upbit/hub.ts'

/** Short enough that a trade waits little, long enough that hundreds of them share one write. */
const TICK_MS = 5
const CANDLE_MS = 1000
/** Above what a core can make in a tick; keeps the simulator answering when the rate asks for more than the machine has. */
const MAX_PER_TICK = 5000

export interface MarketClockOptions {
  readonly options: ResolvedOptions
  readonly exchange: Exchange
  readonly hub: Hub
  readonly faults: FaultState
  readonly ledger: LedgerFile | null
  readonly clock: Clock
  /** After every tick, with the milliseconds that the market has been moving. */
  readonly onTick: (ranMs: number) => void
  /** Called once when `maxTrades` are made. */
  readonly onFinished: () => void
  /** The market could not go on; it is paused. */
  readonly onError: (error: unknown) => void
}

/** Moves the market: so many trades, books and tickers a second, until paused or finished. */
export class MarketClock {
  private readonly parts: MarketClockOptions
  private readonly trades: Pacer
  private readonly books: Pacer
  private readonly tickers: Pacer
  private timer: NodeJS.Timeout | null = null
  private nextBook = 0
  private nextTicker = 0
  private candleMs = 0
  private ranMs = 0
  private lastTickMs = 0
  private lastNowMs = 0

  constructor(parts: MarketClockOptions) {
    this.parts = parts
    this.trades = new Pacer(parts.options.tradesPerSecond, parts.options.burst)
    this.books = new Pacer(parts.options.booksPerSecond)
    this.tickers = new Pacer(parts.options.tickersPerSecond)
  }

  get running(): boolean {
    return this.timer !== null
  }

  start(): void {
    if (this.timer !== null || this.remaining() === 0) return
    this.lastTickMs = this.parts.clock.monotonicMs()
    this.timer = setInterval(() => this.tickSafely(), TICK_MS)
    this.tickSafely()
  }

  pause(): void {
    if (this.timer === null) return
    clearInterval(this.timer)
    this.timer = null
    for (const pacer of [this.trades, this.books, this.tickers]) pacer.pause()
    this.parts.ledger?.flush()
  }

  /** Milliseconds since the epoch that never step back, so that ids and history stay in order. */
  nowMs(): number {
    this.lastNowMs = Math.max(this.lastNowMs, Math.floor(this.parts.clock.nowUs() / 1000))
    return this.lastNowMs
  }

  private tickSafely(): void {
    try {
      this.tick()
    } catch (error) {
      this.pause()
      this.parts.onError(error)
    }
  }

  private tick(): void {
    const monotonicMs = this.parts.clock.monotonicMs()
    this.ranMs += monotonicMs - this.lastTickMs
    this.lastTickMs = monotonicMs
    this.makeTrades(this.trades.due(monotonicMs, Math.min(MAX_PER_TICK, this.remaining())))
    this.updateBooks(this.books.due(monotonicMs, MAX_PER_TICK))
    this.sendTickers(this.tickers.due(monotonicMs, MAX_PER_TICK))
    this.sendCandles()
    this.parts.onTick(this.ranMs)
    if (this.remaining() > 0) return
    this.pause()
    this.parts.onFinished()
  }

  private remaining(): number {
    return (this.parts.options.maxTrades ?? Number.POSITIVE_INFINITY) - this.parts.exchange.tradeCount
  }

  private makeTrades(count: number): void {
    if (count === 0) return
    const {exchange, hub, faults, ledger} = this.parts
    const onTrade = ledger === null ? undefined : (trade: LedgerTrade, number: number) => ledger.add(ledgerLine(trade, number))
    hub.sendTrades(faults.shape(exchange.makeTrades(count, this.nowMs(), hub.styles, onTrade)))
  }

  private updateBooks(count: number): void {
    const {exchange, hub} = this.parts
    const indexes = Array.from({length: count}, () => this.nextBook++ % exchange.states.length)
    for (const index of indexes) {
      exchange.states[index]?.book.update(this.nowMs())
      hub.sendBooks([index])
    }
  }

  private sendTickers(count: number): void {
    if (count === 0) return
    const {exchange, hub} = this.parts
    hub.sendTickers(Array.from({length: count}, () => this.nextTicker++ % exchange.states.length))
  }

  /** Once a second, as documented, and the file of trades with them. */
  private sendCandles(): void {
    if (this.ranMs - this.candleMs < CANDLE_MS) return
    this.candleMs = this.ranMs
    this.parts.hub.sendCandles()
    this.parts.ledger?.flush()
  }
}

/** A trade as a line of the ledger, tab-separated. */
export function ledgerLine(trade: LedgerTrade, number: number): string {
  return `${number}\t${trade.market}\t${trade.sequentialId}\t${trade.timestampMs}\t${trade.price}\t${trade.volume}\t${trade.askBid}`
}
