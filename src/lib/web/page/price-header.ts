import type {Candle, Decimal, Ticker, Trade} from '../../core/records.ts'
import {byId, setText} from './dom.ts'
import {formatChange, formatCompact, formatDecimal, quoteOf} from './format.ts'
import type {Strings} from './strings.ts'

/** What the header is made from: the exchange's ticker where there is one, else today's candle. */
export interface PriceState {
  readonly symbol: string
  readonly newest: Trade | undefined
  /** Digits after the point that the market's prices have. */
  readonly decimals: number
  readonly ticker: Ticker | null
  readonly day: Candle | null
}

interface Figures {
  readonly basis: string
  readonly rate: number
  readonly high: Decimal | null
  readonly low: Decimal | null
  readonly volumeQuote: Decimal | null
}

/** The live price, its change and the day's figures. */
export class PriceHeader {
  readonly #strings: Strings
  readonly #price = byId('price')
  readonly #change = byId('change')
  #lastPrice: Decimal | undefined

  constructor(strings: Strings) {
    this.#strings = strings
  }

  show(state: PriceState): void {
    const {symbol, decimals, ticker, newest} = state
    const price = newest?.price ?? ticker?.last
    const text = price === undefined ? '–' : formatDecimal(price, decimals)
    setText(this.#price, text)
    setText(byId('quote'), quoteOf(symbol))
    setText(byId('volume-unit'), quoteOf(symbol))
    this.#flash(price)
    document.title = price === undefined ? `${symbol} · coinpipe` : `${text} ${symbol} · coinpipe`
    this.#showFigures(figuresOf(state, price), decimals)
  }

  /** The next price is another market's: it neither rose nor fell. */
  forget(): void {
    this.#lastPrice = undefined
  }

  #showFigures(figures: Figures | undefined, decimals: number): void {
    const {direction, text} = formatChange(figures?.rate ?? Number.NaN)
    this.#change.hidden = figures === undefined
    this.#change.className = `change ${direction}`
    setText(byId('change-rate'), text)
    setText(byId('change-basis'), (this.#strings as Readonly<Record<string, string>>)[figures?.basis ?? ''] ?? '')
    const priced = (value: Decimal | null | undefined) => (value ? formatDecimal(value, decimals) : '–')
    setText(byId('high'), priced(figures?.high))
    setText(byId('low'), priced(figures?.low))
    const volume = byId('volume')
    setText(volume, figures?.volumeQuote ? formatCompact(figures.volumeQuote, this.#strings.locale) : '–')
    volume.title = figures?.volumeQuote ? formatDecimal(figures.volumeQuote) : ''
  }

  /** A short tint in the direction of the move. */
  #flash(price: Decimal | undefined): void {
    const before = this.#lastPrice
    this.#lastPrice = price
    if (before === undefined || price === undefined || before === price) return
    this.#price.classList.remove('rose', 'fell')
    // Reading a layout figure makes the browser take note of the removal, so that the animation starts anew.
    void this.#price.offsetWidth
    this.#price.classList.add(Number(price) > Number(before) ? 'rose' : 'fell')
  }
}

function figuresOf({ticker, day}: PriceState, price: Decimal | undefined): Figures | undefined {
  if (ticker?.changeRate) {
    const {changeRate, high, low, volumeQuote24h} = ticker
    return {
      basis: changeRate.basis,
      rate: Number(changeRate.value),
      high: atLeast(high?.value, price),
      low: atMost(low?.value, price),
      volumeQuote: volumeQuote24h,
    }
  }
  if (day === null || price === undefined) return undefined
  const rate = Number(price) / Number(day.open) - 1
  return {basis: 'utc-day', rate, high: atLeast(day.high, price), low: atMost(day.low, price), volumeQuote: day.volumeQuote}
}

/** The day's figures may be a moment older than the newest trade, which is then the new high or low itself. */
function atLeast(high: Decimal | undefined, price: Decimal | undefined): Decimal | null {
  return price !== undefined && Number(price) > Number(high) ? price : (high ?? null)
}

function atMost(low: Decimal | undefined, price: Decimal | undefined): Decimal | null {
  return price !== undefined && Number(price) < Number(low) ? price : (low ?? null)
}
