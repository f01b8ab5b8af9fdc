import type {Random} from '../../core/context.ts'
import {seededRandom} from '../random.ts'
import {type StoredTrade, TradeHistory} from '../trade-history.ts'
import {blockOf, idOffset, idText} from '../trade-ids.ts'
import {MarketWalk} from './market-walk.ts'
import type {Market} from './markets.ts'
import {numberText, volumeText} from './number-text.ts'
import {OrderBook} from './order-book.ts'
import {type StreamType, TradeText} from './trade-text.ts'

/** Entries of the table that deals trades out to markets by weight. */
const WEIGHT_SLOTS = 1024
/** Trades on Upbit are seen with event times up to 2 s old. */
const MAX_LAG_MS = 2000

/** A trade that was sent, as the ledger knows it. Numbers as in the frame. */
export interface LedgerTrade {
  /** Upbit's market code, `KRW-BTC`. */
  readonly market: string
  /** 17 digits; unique in its market only. */
  readonly sequentialId: string
  /** Event time, milliseconds since the epoch. */
  readonly timestampMs: number
  readonly price: string
  readonly volume: string
  readonly askBid: 'ASK' | 'BID'
}

/** Trades of one tick, one entry each; texts only in the styles that somebody listens to. */
export interface TradeBatch {
  readonly markets: number[]
  readonly full: string[]
  readonly short: string[]
}

export interface MarketState {
  readonly market: Market
  readonly walk: MarketWalk
  readonly book: OrderBook
  readonly history: TradeHistory
}

export interface ExchangeOptions {
  readonly seed: number
  readonly markets: readonly Market[]
  /** Trades kept in memory, all markets together. */
  readonly historyTrades: number
  /** Share of trades whose event time lies up to 2 s back, 0 to 1. */
  readonly lateShare: number
  /** When the first books are from, milliseconds since the epoch. */
  readonly startMs: number
}

/** The markets and what happens in them. Which market trades next, at what price and size, depends on the seed alone; times and ids are the clock's. */
export class Exchange {
  readonly states: readonly MarketState[]
  private readonly options: ExchangeOptions
  private readonly byCode: ReadonlyMap<string, number>
  private readonly slots: Uint16Array
  private readonly marketRandom: Random
  private readonly lateRandom: Random
  private readonly text = new TradeText()
  private readonly inBlock: Float64Array
  private blockMs = -1
  private trades = 0

  constructor(options: ExchangeOptions) {
    const {seed, markets} = options
    this.options = options
    this.marketRandom = seededRandom(seed)
    this.lateRandom = seededRandom(seed ^ 0x1a7e)
    this.inBlock = new Float64Array(markets.length)
    this.slots = weightSlots(markets.map((market) => market.weight))
    this.byCode = new Map(markets.map((market, index) => [market.code, index]))
    const capacity = Math.ceil(options.historyTrades / markets.length)
    this.states = markets.map((market, index) => {
      const walk = new MarketWalk(market, seededRandom(seed * 1009 + 2 * index + 1))
      return {
        market,
        walk,
        book: new OrderBook(walk, seededRandom(seed * 1009 + 2 * index + 2), options.startMs),
        history: new TradeHistory(capacity),
      }
    })
  }

  /** Number of trades ever made. */
  get tradeCount(): number {
    return this.trades
  }

  indexOf(code: string): number | undefined {
    return this.byCode.get(code)
  }

  stateOf(code: string): MarketState | undefined {
    const index = this.byCode.get(code)
    return index === undefined ? undefined : this.states[index]
  }

  /** Makes `count` trades at `nowMs` (never earlier than the last call's) and hands each to `onTrade` when given. */
  makeTrades(
    count: number,
    nowMs: number,
    styles: {full: boolean; short: boolean},
    onTrade?: (trade: LedgerTrade, number: number) => void,
  ): TradeBatch {
    const batch: TradeBatch = {markets: [], full: [], short: []}
    this.enterBlock(nowMs)
    for (let i = 0; i < count; i++) {
      const index = this.slots[Math.floor(this.marketRandom() * WEIGHT_SLOTS)] ?? 0
      const state = this.states[index]
      if (state === undefined) continue
      const id = this.makeTrade(state, index, nowMs)
      batch.markets.push(index)
      if (styles.full) batch.full.push(this.text.full(state.walk, nowMs, state.walk.lastEventMs, id, 'REALTIME'))
      if (styles.short) batch.short.push(this.text.short(state.walk, nowMs, state.walk.lastEventMs, id, 'REALTIME'))
      onTrade?.(this.lastTrade(state, id), this.trades)
    }
    return batch
  }

  /** The newest trade of a market as a message; null before the first. */
  lastTradeText(state: MarketState, stream: StreamType, fullNames: boolean): string | null {
    const {history, walk} = state
    if (history.count === 0) return null
    const last = history.at(history.count - 1)
    const id = idText(blockOf(last.sentMs), last.idOffset)
    return fullNames
      ? this.text.full(walk, last.sentMs, last.eventMs, id, stream)
      : this.text.short(walk, last.sentMs, last.eventMs, id, stream)
  }

  private enterBlock(nowMs: number): void {
    const blockMs = blockOf(nowMs)
    if (blockMs === this.blockMs) return
    this.blockMs = blockMs
    this.inBlock.fill(0)
  }

  private makeTrade(state: MarketState, index: number, nowMs: number): string {
    const {walk, history} = state
    const k = this.inBlock[index] ?? 0
    this.inBlock[index] = k + 1
    walk.step()
    const isLate = this.options.lateShare > 0 && this.lateRandom() < this.options.lateShare
    const lagMs = isLate ? Math.floor(this.lateRandom() * MAX_LAG_MS) : 0
    walk.lastEventMs = nowMs - lagMs
    const offset = idOffset(k)
    history.add(nowMs, lagMs, offset, walk.priceUnits, walk.askBid === 'ASK' ? -walk.volumeUnits : walk.volumeUnits)
    this.trades++
    return idText(this.blockMs, offset)
  }

  private lastTrade({walk, market}: MarketState, id: string): LedgerTrade {
    return {
      market: market.code,
      sequentialId: id,
      timestampMs: walk.lastEventMs,
      price: walk.priceText,
      volume: volumeText(walk.volumeUnits),
      askBid: walk.askBid,
    }
  }
}

/** A trade out of the history. */
export function ledgerTrade(market: Market, trade: StoredTrade): LedgerTrade {
  return {
    market: market.code,
    sequentialId: idText(blockOf(trade.sentMs), trade.idOffset),
    timestampMs: trade.eventMs,
    price: numberText(trade.priceUnits / 10 ** market.decimals),
    volume: volumeText(Math.abs(trade.signedVolumeUnits)),
    askBid: trade.signedVolumeUnits < 0 ? 'ASK' : 'BID',
  }
}

/** A table in which each market has places by its weight, at least one. */
function weightSlots(weights: readonly number[]): Uint16Array {
  const total = weights.reduce((sum, weight) => sum + weight, 0)
  const slots = new Uint16Array(WEIGHT_SLOTS)
  let reached = 0
  let slot = 0
  weights.forEach((weight, index) => {
    reached += weight
    const end = Math.max(slot + 1, Math.round((reached / total) * WEIGHT_SLOTS))
    while (slot < end && slot < WEIGHT_SLOTS) slots[slot++] = index
  })
  return slots
}
