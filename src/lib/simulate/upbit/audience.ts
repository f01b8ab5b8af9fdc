import {binaryFrames, listTexts} from '../frame-buffer.ts'
import {CANDLE_TYPES, candlesFrom} from './candles.ts'
import type {Exchange, TradeBatch} from './exchange.ts'
import {type BookView, bookText, candleText, tickerText} from './messages.ts'
import {BOOK_LEVELS} from './order-book.ts'
import type {Subscription} from './subscription.ts'
import type {StreamType} from './trade-text.ts'

/** Frames for one kind of subscriber, and how many messages they hold. */
export interface Outgoing {
  readonly bytes: Buffer
  readonly messages: number
  readonly frames: number
}

interface CandleWant {
  readonly type: string
  readonly lengthMs: number
  readonly indexes: readonly number[]
}

interface Wants {
  readonly trades: ReadonlySet<number>
  readonly tickers: ReadonlySet<number>
  readonly books: ReadonlyMap<number, readonly BookView[]>
  readonly candles: readonly CandleWant[]
}

/** All connections that asked for the same: what they get is put together once. */
export class Audience {
  readonly subscription: Subscription
  private readonly exchange: Exchange
  private readonly perFrame: number
  private readonly names: 0 | 1
  private readonly realtime: Wants
  /** Trades of a market when its candle was last sent, by type and market. */
  private readonly candleMarks = new Map<string, number>()

  constructor(subscription: Subscription, exchange: Exchange, tradesPerFrame: number) {
    this.subscription = subscription
    this.exchange = exchange
    this.perFrame = tradesPerFrame
    this.names = subscription.fullNames ? 0 : 1
    this.realtime = wantsOf(subscription, exchange, 'realtime')
  }

  get wantsTrades(): boolean {
    return this.realtime.trades.size > 0
  }

  trades(batch: TradeBatch): Outgoing | null {
    if (!this.wantsTrades) return null
    const texts = this.subscription.fullNames ? batch.full : batch.short
    if (this.realtime.trades.size === this.exchange.states.length) return this.pack(texts)
    return this.pack(texts.filter((_, i) => this.realtime.trades.has(batch.markets[i] ?? -1)))
  }

  tickers(indexes: readonly number[], nowMs: number): Outgoing | null {
    return this.pack(
      this.tickerTexts(
        indexes.filter((index) => this.realtime.tickers.has(index)),
        nowMs,
        'REALTIME',
      ),
    )
  }

  books(indexes: readonly number[]): Outgoing | null {
    return this.pack(this.bookTexts(this.realtime, indexes, 'REALTIME'))
  }

  /** Candles that changed since they were last sent. */
  candles(nowMs: number): Outgoing | null {
    return this.pack(this.realtime.candles.flatMap((want) => this.candleTexts(want, nowMs, 'REALTIME')))
  }

  /** What a new subscriber gets at once: the state of everything it did not ask to have in real time only. */
  snapshot(nowMs: number): Record<'trade' | 'orderbook' | 'ticker' | 'candle', Outgoing | null> {
    const wants = wantsOf(this.subscription, this.exchange, 'snapshot')
    const trades = this.statesAt([...wants.trades]).map((state) =>
      this.exchange.lastTradeText(state, 'SNAPSHOT', this.subscription.fullNames),
    )
    return {
      trade: this.pack(trades.filter((text) => text !== null)),
      orderbook: this.pack(this.bookTexts(wants, [...wants.books.keys()], 'SNAPSHOT')),
      ticker: this.pack(this.tickerTexts([...wants.tickers], nowMs, 'SNAPSHOT')),
      candle: this.pack(wants.candles.flatMap((want) => this.candleTexts(want, nowMs, 'SNAPSHOT'))),
    }
  }

  /** Objects as the frames of this subscription's format; null for none. */
  pack(objects: readonly string[]): Outgoing | null {
    if (objects.length === 0) return null
    const texts = this.subscription.list ? listTexts(objects, this.perFrame) : objects
    return {bytes: binaryFrames(texts), messages: objects.length, frames: texts.length}
  }

  private statesAt(indexes: readonly number[]) {
    return indexes.map((index) => this.exchange.states[index]).filter((state) => state !== undefined)
  }

  private tickerTexts(indexes: readonly number[], nowMs: number, stream: StreamType): string[] {
    const traded = this.statesAt(indexes).filter((state) => state.history.count > 0)
    return traded.map((state) => tickerText(state.walk, nowMs, stream, this.names))
  }

  private bookTexts(wants: Wants, indexes: readonly number[], stream: StreamType): string[] {
    return indexes.flatMap((index) =>
      this.statesAt([index]).flatMap(({book}) => (wants.books.get(index) ?? []).map((view) => bookText(book, view, stream, this.names))),
    )
  }

  private candleTexts(want: CandleWant, nowMs: number, stream: StreamType): string[] {
    const changed = this.statesAt(want.indexes).filter(({market, history}) => {
      const key = `${want.type} ${market.code}`
      const isNew = stream === 'SNAPSHOT' || this.candleMarks.get(key) !== history.count
      this.candleMarks.set(key, history.count)
      return isNew
    })
    return changed.flatMap(({market, history}) =>
      candlesFrom(history, want.lengthMs, market.decimals, nowMs + 1, 1).map((candle) =>
        candleText(want.type, market.code, candle, nowMs, stream, this.names),
      ),
    )
  }
}

function wantsOf(subscription: Subscription, exchange: Exchange, part: 'snapshot' | 'realtime'): Wants {
  const wants = {trades: new Set<number>(), tickers: new Set<number>(), books: new Map<number, BookView[]>(), candles: [] as CandleWant[]}
  for (const want of subscription.wants.filter((want) => want[part])) {
    const known = want.codes.flatMap((view) => {
      const index = exchange.indexOf(view.code)
      return index === undefined ? [] : [{index, view}]
    })
    const lengthMs = CANDLE_TYPES.get(want.type)
    if (lengthMs !== undefined) wants.candles.push({type: want.type, lengthMs, indexes: known.map(({index}) => index)})
    for (const {index, view} of known) {
      if (want.type === 'trade') wants.trades.add(index)
      if (want.type === 'ticker') wants.tickers.add(index)
      if (want.type === 'orderbook' && offersLevel(exchange, index, view.level)) {
        wants.books.set(index, [...(wants.books.get(index) ?? []), view])
      }
    }
  }
  return wants
}

/** Price grouping is for KRW markets, in powers of ten not below the market's own step; anything else gets no data (docs.upbit.com: orderbook). */
function offersLevel(exchange: Exchange, index: number, level: number): boolean {
  if (level === 0) return true
  const market = exchange.states[index]?.market
  if (market === undefined || !market.code.startsWith('KRW-')) return false
  return BOOK_LEVELS.has(level) && Math.round(level * 10 ** market.decimals) >= market.tickUnits
}
