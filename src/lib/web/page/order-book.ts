import type {Book, Level} from '../../core/records.ts'
import {byId, make, setText} from './dom.ts'
import {decimalsOf, formatDecimal, subtract} from './format.ts'
import type {Strings} from './strings.ts'

const MAX_LEVELS = 7

/** Best levels of both sides, with bars for their size. Hidden where the market has no book. */
export class OrderBook {
  readonly #strings: Strings
  readonly #card = byId('book-card')
  readonly #asks = byId('asks')
  readonly #bids = byId('bids')

  constructor(strings: Strings) {
    this.#strings = strings
  }

  show(book: Book | null): void {
    this.#card.hidden = book === null || (book.bids.length === 0 && book.asks.length === 0)
    const asks = book?.asks.slice(0, MAX_LEVELS) ?? []
    const bids = book?.bids.slice(0, MAX_LEVELS) ?? []
    const decimals = Math.max(0, ...[...asks, ...bids].map(([price]) => decimalsOf(price)))
    const largest = Math.max(...[...asks, ...bids].map(([, size]) => Number(size)))
    // The best ask is next to the best bid: asks are listed from the far end.
    fill(this.#asks, asks.toReversed(), decimals, largest)
    fill(this.#bids, bids, decimals, largest)
    this.#showBest(bids[0], asks[0], decimals)
  }

  #showBest(bid: Level | undefined, ask: Level | undefined, decimals: number): void {
    setText(byId('best-bid'), bid ? formatDecimal(bid[0], decimals) : '–')
    setText(byId('best-ask'), ask ? formatDecimal(ask[0], decimals) : '–')
    setText(byId('spread'), bid && ask ? `${this.#strings.spread} ${formatDecimal(subtract(ask[0], bid[0]))}` : '')
  }
}

function fill(list: HTMLElement, levels: readonly Level[], decimals: number, largest: number): void {
  while (list.children.length > levels.length) list.lastElementChild?.remove()
  while (list.children.length < levels.length) list.append(makeLevel())
  for (const [index, [price, size]] of levels.entries()) {
    const row = list.children[index] as HTMLElement
    setText(row.children[0] as HTMLElement, formatDecimal(price, decimals))
    setText(row.children[1] as HTMLElement, formatDecimal(size))
    row.style.setProperty('--share', String(Number(size) / largest))
  }
}

function makeLevel(): HTMLElement {
  const row = make('li', 'level')
  row.append(make('span', 'level-price'), make('span', 'level-size'))
  return row
}
