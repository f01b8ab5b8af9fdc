import type {Random} from '../../core/context.ts'
import type {Market} from './markets.ts'
import {eightDecimals, numberText, VOLUME_UNITS} from './number-text.ts'

export type AskBid = 'ASK' | 'BID'

/** Largest volume that a double still counts exactly in units of 1e-8. */
const MAX_VOLUME_UNITS = 9_000_000_000_000_000
const MOVE_SHARE = 0.4

/** Figures of the day that a ticker carries; prices in units of the market, volumes in the coin, values in the quote currency. */
export interface DayFigures {
  openUnits: number
  highUnits: number
  lowUnits: number
  volume: number
  value: number
  askVolume: number
  bidVolume: number
}

/**
 * One market's random walk. Only `step` draws random numbers and it draws the same ones whatever else happens, so that the sequence of prices and
 * volumes is the seed's alone.
 */
export class MarketWalk {
  readonly market: Market
  readonly prevCloseUnits: number
  readonly day: DayFigures
  private readonly random: Random
  private readonly scale: number
  priceUnits: number
  volumeUnits = 0
  askBid: AskBid = 'BID'
  lastEventMs = 0
  /** Texts of the price, its neighbours and the change since yesterday; made anew only when the price moves. */
  priceText = ''
  askText = ''
  bidText = ''
  change: 'RISE' | 'EVEN' | 'FALL' = 'EVEN'
  changeText = ''
  readonly prevCloseText: string

  constructor(market: Market, random: Random) {
    this.market = market
    this.random = random
    this.scale = 10 ** market.decimals
    this.priceUnits = market.startUnits
    this.prevCloseUnits = Math.max(market.tickUnits, market.startUnits - 12 * market.tickUnits)
    this.prevCloseText = eightDecimals(this.prevCloseUnits / this.scale)
    this.day = {
      openUnits: market.startUnits,
      highUnits: market.startUnits,
      lowUnits: market.startUnits,
      volume: 0,
      value: 0,
      askVolume: 0,
      bidVolume: 0,
    }
    this.describePrice()
  }

  get price(): number {
    return this.priceUnits / this.scale
  }

  /** The next trade: sets price, volume and side. */
  step(): void {
    const direction = this.random()
    const shift = this.random()
    const size = this.random()
    if (shift < MOVE_SHARE) this.move(direction)
    this.askBid = direction < 0.5 ? 'ASK' : 'BID'
    this.volumeUnits = this.volumeFor(size)
    this.count()
  }

  /** Texts of a price given in units. */
  textOf(units: number): string {
    return numberText(units / this.scale)
  }

  /** Up or down a step or two, pulled back towards the start so that an endless run stays believable. */
  private move(direction: number): void {
    const {tickUnits, startUnits} = this.market
    const pull = Math.max(-0.2, Math.min(0.2, (startUnits - this.priceUnits) / startUnits))
    const ticks = direction > 0.5 - pull ? 1 : -1
    this.priceUnits = Math.max(tickUnits, this.priceUnits + ticks * tickUnits * (direction < 0.05 || direction > 0.95 ? 2 : 1))
    this.describePrice()
  }

  /** Most trades are small, few are a hundred times as large. */
  private volumeFor(size: number): number {
    const value = this.market.usualValue * 0.02 * 10 ** (3.4 * size)
    const units = Math.round((value / this.price) * VOLUME_UNITS)
    return Math.max(1, Math.min(MAX_VOLUME_UNITS, units))
  }

  private count(): void {
    const volume = this.volumeUnits / VOLUME_UNITS
    this.day.volume += volume
    this.day.value += volume * this.price
    if (this.askBid === 'ASK') this.day.askVolume += volume
    else this.day.bidVolume += volume
    if (this.priceUnits > this.day.highUnits) this.day.highUnits = this.priceUnits
    if (this.priceUnits < this.day.lowUnits) this.day.lowUnits = this.priceUnits
  }

  private describePrice(): void {
    const difference = this.priceUnits - this.prevCloseUnits
    this.priceText = this.textOf(this.priceUnits)
    this.askText = this.textOf(this.priceUnits + this.market.tickUnits)
    this.bidText = this.textOf(Math.max(0, this.priceUnits - this.market.tickUnits))
    this.change = difference > 0 ? 'RISE' : difference < 0 ? 'FALL' : 'EVEN'
    this.changeText = eightDecimals(Math.abs(difference) / this.scale)
  }
}
