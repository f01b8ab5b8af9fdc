import type {Trade} from '../../core/records.ts'
import {make} from './dom.ts'
import {decimalsOf, formatDecimal} from './format.ts'
import type {Strings} from './strings.ts'

/** Rows kept; the list shows what happens now, not history. */
const MAX_ROWS = 60

/** The newest trades, newest first. A trade that comes twice (after a reconnect) is shown once. */
export class TradeList {
  readonly #list: HTMLElement
  readonly #strings: Strings
  readonly #time: Intl.DateTimeFormat
  /** Newest first, with their rows. */
  #shown = new Map<string, {readonly trade: Trade; readonly row: HTMLElement}>()
  #decimals = 0

  constructor(list: HTMLElement, strings: Strings) {
    this.#list = list
    this.#strings = strings
    this.#time = new Intl.DateTimeFormat(strings.locale, {hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23'})
  }

  /** The newest trade by event time. */
  get newest(): Trade | undefined {
    return this.#shown.values().next().value?.trade
  }

  /** Most digits after the point among the prices shown, so that all line up. */
  get decimals(): number {
    return this.#decimals
  }

  /** Shows these trades (oldest first) and no others. */
  show(trades: readonly Trade[]): void {
    const continues = trades.some(({id}) => this.#shown.has(id))
    this.#render(newestFirst(trades), continues)
  }

  /** Adds trades that were stored since, oldest first. */
  add(trades: readonly Trade[]): void {
    this.#render(newestFirst([...[...this.#shown.values()].map(({trade}) => trade).toReversed(), ...trades]), true)
  }

  /** Rows that stay are not touched (moving one would start its animation anew); new ones light up where `isLive`. */
  #render(trades: readonly Trade[], isLive: boolean): void {
    const decimals = Math.max(0, ...trades.map(({price}) => decimalsOf(price)))
    const reusable = decimals === this.#decimals ? this.#shown : new Map<string, {readonly row: HTMLElement}>()
    this.#decimals = decimals
    const next = new Map(trades.map((trade) => [trade.id, {trade, row: reusable.get(trade.id)?.row ?? this.#makeRow(trade, isLive)}]))
    for (const [id, {row}] of this.#shown) if (next.get(id)?.row !== row) row.remove()
    let index = 0
    for (const {row} of next.values()) {
      if (this.#list.children[index] !== row) this.#list.insertBefore(row, this.#list.children[index] ?? null)
      index++
    }
    this.#shown = next
  }

  #makeRow(trade: Trade, isLive: boolean): HTMLElement {
    const row = make('li', `trade ${trade.side === 'buy' ? 'up' : 'down'}${isLive ? ' fresh' : ''}`)
    row.dataset.id = trade.id
    const time = make('time', 'trade-time', this.#time.format(trade.eventTime / 1000))
    time.setAttribute('datetime', new Date(trade.eventTime / 1000).toISOString())
    const side = make('span', 'visually-hidden', this.#strings[trade.side])
    row.append(
      side,
      make('span', 'trade-price', formatDecimal(trade.price, this.#decimals)),
      make('span', 'trade-size', formatDecimal(trade.size)),
      time,
    )
    return row
  }
}

/** The newest, each once; of trades at the same time the one that was stored later comes first. */
function newestFirst(oldestFirst: readonly Trade[]): Trade[] {
  const unique = [...new Map(oldestFirst.map((trade) => [trade.id, trade])).values()]
  return unique
    .toReversed()
    .sort((a, b) => b.eventTime - a.eventTime)
    .slice(0, MAX_ROWS)
}
