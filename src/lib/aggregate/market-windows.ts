import {fitsSum} from '../core/decimal-math.ts'
import type {Candle, CandleInterval, Micros} from '../core/records.ts'
import {CandleWindow, type SavedWindow, type ScaledTrade} from './candle-window.ts'
import {INTERVAL_US, SECOND_US, windowStart} from './intervals.ts'

/** Last published state of a window that is no longer in memory; null where none was ever published. */
export type CandleLookup = (market: {exchange: string; symbol: string}, interval: CandleInterval, start: Micros) => Candle | null

export interface WindowOptions {
  readonly intervals: readonly CandleInterval[]
  /** How far event times may step back before a window closes. */
  readonly latenessUs: number
  /** A market without trades for so long (by the caller's clock) has its time go on by that clock. */
  readonly idleUs: number
  /** Closed windows kept in memory, per market; beyond that the one longest untouched goes. */
  readonly keep: Readonly<Record<CandleInterval, number>>
  readonly lookup?: CandleLookup
}

/** The windows of one length. */
interface Series {
  readonly interval: CandleInterval
  readonly lengthUs: number
  /** Open ones, and closed ones that changed since the last flush. */
  readonly hot: Map<Micros, CandleWindow>
  /** Closed ones as they are saved: a third of the memory, and ready for the next snapshot. The longest untouched comes first. */
  readonly cold: Map<Micros, string>
  /** Latest start that was ever dropped from memory: a later window that isn't in memory never was. */
  droppedUpTo: Micros
}

/** What is saved of one market. */
export type SavedMarket = readonly [exchange: string, symbol: string, maxUs: Micros, series: readonly SavedSeries[]]
type SavedSeries = readonly [interval: CandleInterval, droppedUpTo: Micros | null, windows: readonly SavedWindow[]]

/** All windows of one market. Trades are summed up by second first and reach the longer windows at the next flush. */
export class MarketWindows {
  readonly exchange: string
  readonly symbol: string
  readonly #options: WindowOptions
  readonly #series: readonly Series[]
  readonly #seconds = new Map<Micros, CandleWindow>()
  #maxUs: Micros
  /** The caller's clock when this market last had a trade; unknown until the first flush. */
  #activeUs: number | undefined
  /** Bounds for the sums of any window: what is waiting, and the largest sums so far. */
  #waiting = {base: 0n, quote: 0n}
  #largest = {base: 0n, quote: 0n}

  constructor(exchange: string, symbol: string, options: WindowOptions, saved?: SavedMarket) {
    this.exchange = exchange
    this.symbol = symbol
    this.#options = options
    this.#maxUs = saved?.[2] ?? 0
    this.#series = options.intervals.map((interval) => ({
      interval,
      lengthUs: INTERVAL_US[interval],
      hot: new Map(),
      cold: new Map(),
      droppedUpTo: Number.NEGATIVE_INFINITY,
    }))
    for (const [interval, droppedUpTo, windows] of saved?.[3] ?? []) this.#restoreSeries(interval, droppedUpTo, windows)
  }

  /** Whether no window's sums can leave DECIMAL(38,18) by this trade. */
  hasRoomFor({size, product}: ScaledTrade): boolean {
    return fitsSum(this.#largest.base + this.#waiting.base + size, this.#largest.quote + this.#waiting.quote + product)
  }

  /** Whether the trade comes after its second has closed. */
  isLate(eventTime: Micros): boolean {
    return windowStart(eventTime, SECOND_US) + SECOND_US <= this.#maxUs - this.#options.latenessUs
  }

  add(scaled: ScaledTrade): void {
    const {eventTime, receivedTime} = scaled.trade
    const start = windowStart(eventTime, SECOND_US)
    const second = this.#seconds.get(start)
    if (second) second.add(scaled)
    else this.#seconds.set(start, CandleWindow.ofTrade(start, scaled))
    this.#waiting.base += scaled.size
    this.#waiting.quote += scaled.product
    // A stamp from the future must not close windows that are still filling.
    this.#maxUs = Math.max(this.#maxUs, Math.min(eventTime, receivedTime + this.#options.latenessUs))
  }

  /** Changed windows as candles: by interval, then by start. */
  flush(nowUs: number, candles: Candle[]): void {
    if (this.#activeUs === undefined || this.#seconds.size > 0) this.#activeUs = nowUs
    this.#mergeSeconds()
    const closedUpTo = this.#closedUpTo(nowUs - this.#activeUs)
    for (const series of this.#series) this.#flushSeries(series, closedUpTo, candles)
  }

  save(): string {
    this.#mergeSeconds()
    const series = this.#series.map(({interval, droppedUpTo, hot, cold}) => {
      const windows = [...cold.values(), ...Array.from(hot.values(), (window) => window.save())]
      return `["${interval}",${Number.isFinite(droppedUpTo) ? droppedUpTo : null},[${windows.join()}]]`
    })
    return `[${JSON.stringify(this.exchange)},${JSON.stringify(this.symbol)},${this.#maxUs},[${series.join()}]]`
  }

  #closedUpTo(idleForUs: number): Micros {
    const goneOnUs = idleForUs >= this.#options.idleUs ? idleForUs : 0
    return this.#maxUs + goneOnUs - this.#options.latenessUs
  }

  #mergeSeconds(): void {
    for (const second of this.#seconds.values()) {
      for (const series of this.#series) this.#merge(series, second)
    }
    this.#seconds.clear()
    this.#waiting = {base: 0n, quote: 0n}
  }

  #merge(series: Series, second: CandleWindow): void {
    const start = windowStart(second.start, series.lengthUs)
    let window = series.hot.get(start) ?? this.#recall(series, start)
    if (window) window.merge(second)
    else window = new CandleWindow(start, second)
    series.hot.set(start, window)
    if (window.base > this.#largest.base) this.#largest.base = window.base
    if (window.quote > this.#largest.quote) this.#largest.quote = window.quote
  }

  #recall(series: Series, start: Micros): CandleWindow | undefined {
    const saved = series.cold.get(start)
    if (saved !== undefined) {
      series.cold.delete(start)
      return CandleWindow.restore(JSON.parse(saved) as SavedWindow)
    }
    if (start > series.droppedUpTo) return undefined
    const candle = this.#options.lookup?.(this, series.interval, start)
    return candle ? CandleWindow.ofCandle(candle, series.lengthUs) : undefined
  }

  #flushSeries(series: Series, closedUpTo: Micros, candles: Candle[]): void {
    const changed: CandleWindow[] = []
    for (const window of series.hot.values()) {
      if (!window.closed && window.start + series.lengthUs <= closedUpTo) {
        window.closed = true
        window.dirty = true
      }
      if (window.dirty) changed.push(window)
    }
    for (const window of changed.sort((a, b) => a.start - b.start)) {
      window.dirty = false
      candles.push(window.toCandle(this.exchange, this.symbol, series.interval))
      if (window.closed) this.#cool(series, window)
    }
  }

  #cool(series: Series, window: CandleWindow): void {
    series.hot.delete(window.start)
    series.cold.set(window.start, window.save())
    for (const start of series.cold.keys()) {
      if (series.cold.size <= this.#options.keep[series.interval]) return
      series.cold.delete(start)
      series.droppedUpTo = Math.max(series.droppedUpTo, start)
    }
  }

  #restoreSeries(interval: CandleInterval, droppedUpTo: Micros | null, windows: readonly SavedWindow[]): void {
    const series = this.#series.find((one) => one.interval === interval)
    // An interval that is no longer asked for.
    if (!series) return
    series.droppedUpTo = droppedUpTo ?? Number.NEGATIVE_INFINITY
    for (const saved of windows) {
      const window = CandleWindow.restore(saved)
      if (window.base > this.#largest.base) this.#largest.base = window.base
      if (window.quote > this.#largest.quote) this.#largest.quote = window.quote
      if (window.closed && !window.dirty) series.cold.set(window.start, JSON.stringify(saved))
      else series.hot.set(window.start, window)
    }
  }
}
