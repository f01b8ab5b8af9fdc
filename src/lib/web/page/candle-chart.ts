import {
  type CandlestickData,
  CandlestickSeries,
  type ChartOptions,
  CrosshairMode,
  createChart,
  type DeepPartial,
  type HistogramData,
  HistogramSeries,
  type IChartApi,
  type ISeriesApi,
  TickMarkType,
  type Time,
  type UTCTimestamp,
} from 'lightweight-charts'
import type {Candle, CandleInterval, Micros} from '../../core/records.ts'
import {decimalsOf, formatDecimal} from './format.ts'

/** Candles in view at first; older ones are a drag away. The room of a market that has just begun is not quite empty. */
const SHOWN_CANDLES = {least: 40, most: 90}
/** A page that is left open for days forgets the oldest. */
const MAX_CANDLES = 3_000
const VOLUME_SHARE = 0.18

/** Candles and volume. Prices are doubles here, for drawing only: what is written beside the chart comes from the decimal text. */
export class CandleChart {
  readonly #chart: IChartApi
  readonly #prices: ISeriesApi<'Candlestick'>
  readonly #volumes: ISeriesApi<'Histogram'>
  readonly #locale: string
  readonly #candles = new Map<Micros, Candle>()
  #interval: CandleInterval = '1m'
  #decimals = 0
  #colors: ChartColors

  constructor(container: HTMLElement, locale: string) {
    this.#locale = locale
    this.#colors = readColors()
    this.#chart = createChart(container, this.#options())
    this.#prices = this.#chart.addSeries(CandlestickSeries, {
      priceFormat: {type: 'custom', minMove: 0.00000001, formatter: (price: number) => formatDecimal(price.toFixed(this.#decimals))},
    })
    this.#volumes = this.#chart.addSeries(HistogramSeries, {priceScaleId: 'volume', lastValueVisible: false, priceLineVisible: false})
    this.#chart.priceScale('volume').applyOptions({scaleMargins: {top: 1 - VOLUME_SHARE, bottom: 0}})
    this.#prices.priceScale().applyOptions({scaleMargins: {top: 0.08, bottom: VOLUME_SHARE + 0.06}})
    this.#paint()
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => this.#paint())
  }

  get isEmpty(): boolean {
    return this.#candles.size === 0
  }

  /** Takes everything away; what comes next is of this interval. */
  clear(interval: CandleInterval): void {
    this.#interval = interval
    this.#candles.clear()
    this.#decimals = 0
    this.#draw()
    this.#chart.timeScale().applyOptions({secondsVisible: interval === '1s', timeVisible: interval !== '1d'})
    this.#showEnd()
  }

  /** Shows these candles and no others; where some were shown before, the view stays where the user moved it. */
  show(candles: readonly Candle[]): void {
    const position = this.isEmpty ? undefined : this.#chart.timeScale().scrollPosition()
    this.#candles.clear()
    for (const candle of candles) this.#keep(candle)
    this.#draw()
    if (position === undefined) this.#showEnd()
    else this.#chart.timeScale().scrollToPosition(position, false)
  }

  /** Adds new candles and corrects known ones; a lower version than the one shown is old news. */
  update(candles: readonly Candle[]): void {
    for (const candle of candles) {
      const shown = this.#candles.get(candle.startTime)
      if (shown !== undefined && shown.version >= candle.version) continue
      const newest = Math.max(0, ...this.#candles.keys())
      this.#keep(candle)
      if (candle.startTime >= newest) this.#drawLast(candle)
      else this.#draw()
    }
    if (this.#candles.size > MAX_CANDLES) this.#forgetOldest()
  }

  #keep(candle: Candle): void {
    this.#candles.set(candle.startTime, candle)
    this.#decimals = Math.max(this.#decimals, decimalsOf(candle.high), decimalsOf(candle.low), decimalsOf(candle.close))
  }

  #drawLast(candle: Candle): void {
    this.#prices.update(this.#priceBar(candle))
    this.#volumes.update(this.#volumeBar(candle))
  }

  #showEnd(): void {
    const count = this.#candles.size
    const shown = Math.min(Math.max(count, SHOWN_CANDLES.least), SHOWN_CANDLES.most)
    this.#chart.timeScale().setVisibleLogicalRange({from: count - shown, to: count + 4})
  }

  #draw(): void {
    const candles = this.#oldestFirst()
    this.#prices.setData(candles.map((candle) => this.#priceBar(candle)))
    this.#volumes.setData(candles.map((candle) => this.#volumeBar(candle)))
  }

  #forgetOldest(): void {
    for (const {startTime} of this.#oldestFirst().slice(0, -MAX_CANDLES / 2)) this.#candles.delete(startTime)
    this.#draw()
  }

  #oldestFirst(): Candle[] {
    return [...this.#candles.values()].sort((a, b) => a.startTime - b.startTime)
  }

  #priceBar(candle: Candle): CandlestickData {
    const {open, high, low, close} = candle
    return {time: this.#time(candle), open: Number(open), high: Number(high), low: Number(low), close: Number(close)}
  }

  #volumeBar(candle: Candle): HistogramData {
    const color = Number(candle.close) >= Number(candle.open) ? this.#colors.upFaint : this.#colors.downFaint
    return {time: this.#time(candle), value: Number(candle.volumeBase), color}
  }

  /** The chart counts in UTC; moved by the zone's offset its day and hour marks fall on local ones. Day candles are UTC days and stay. */
  #time({startTime}: Candle): UTCTimestamp {
    const seconds = startTime / 1e6
    const offset = this.#interval === '1d' ? 0 : new Date(startTime / 1000).getTimezoneOffset() * 60
    return (seconds - offset) as UTCTimestamp
  }

  #paint(): void {
    this.#colors = readColors()
    const {up, down} = this.#colors
    this.#chart.applyOptions(this.#options())
    this.#prices.applyOptions({upColor: up, downColor: down, borderVisible: false, wickUpColor: up, wickDownColor: down})
    this.#draw()
  }

  #options(): DeepPartial<ChartOptions> {
    const {text, grid, line, surface} = this.#colors
    return {
      autoSize: true,
      layout: {
        background: {color: surface},
        textColor: text,
        fontFamily: getComputedStyle(document.body).fontFamily,
        fontSize: 11,
        // The logo would add an inline style sheet, which the page's security policy forbids; the footer has the link and notice.
        attributionLogo: false,
      },
      grid: {vertLines: {color: grid}, horzLines: {color: grid}},
      rightPriceScale: {borderVisible: false},
      timeScale: {borderVisible: false, rightOffset: 4, tickMarkFormatter: (time: Time, type: TickMarkType) => this.#tickMark(time, type)},
      crosshair: {mode: CrosshairMode.Normal, vertLine: {color: line}, horzLine: {color: line}},
      localization: {timeFormatter: (time: Time) => this.#formatTime(time, {dateStyle: 'medium', timeStyle: 'medium'})},
      handleScroll: {vertTouchDrag: false},
    }
  }

  #tickMark(time: Time, type: TickMarkType): string {
    if (type === TickMarkType.Year) return this.#formatTime(time, {year: 'numeric'})
    if (type === TickMarkType.Month) return this.#formatTime(time, {month: 'short'})
    if (type === TickMarkType.DayOfMonth) return this.#formatTime(time, {month: 'numeric', day: 'numeric'})
    const seconds = type === TickMarkType.TimeWithSeconds ? ({second: '2-digit'} as const) : {}
    return this.#formatTime(time, {hour: '2-digit', minute: '2-digit', hourCycle: 'h23', ...seconds})
  }

  /** Times in the chart are moved to local time already, so they are written as if they were UTC. */
  #formatTime(time: Time, options: Intl.DateTimeFormatOptions): string {
    const shown = this.#interval === '1d' && options.timeStyle !== undefined ? {dateStyle: options.dateStyle} : options
    return new Intl.DateTimeFormat(this.#locale, {...shown, timeZone: 'UTC'} as Intl.DateTimeFormatOptions).format(Number(time) * 1000)
  }
}

interface ChartColors {
  readonly up: string
  readonly down: string
  readonly upFaint: string
  readonly downFaint: string
  readonly text: string
  readonly grid: string
  readonly line: string
  readonly surface: string
}

/** The chart draws on a canvas, which knows no CSS variables. */
function readColors(): ChartColors {
  const style = getComputedStyle(document.documentElement)
  const color = (name: string) => style.getPropertyValue(`--${name}`).trim()
  return {
    up: color('up'),
    down: color('down'),
    upFaint: color('up-faint'),
    downFaint: color('down-faint'),
    text: color('muted'),
    grid: color('grid'),
    line: color('line'),
    surface: color('surface'),
  }
}
