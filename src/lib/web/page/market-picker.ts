import type {MarketId} from '../../core/ports/market-reader.ts'
import {byId, make, setText} from './dom.ts'
import {formatSymbol} from './format.ts'
import {nameOf} from './market-name.ts'
import {exchangeName, type Strings} from './strings.ts'

/** The coin selector: a button that opens a searchable list. Arrows move, Enter takes, Escape closes. */
export class MarketPicker {
  readonly #strings: Strings
  readonly #onPick: (market: MarketId) => void
  readonly #button = byId<HTMLButtonElement>('picker')
  readonly #panel = byId('markets')
  readonly #search = byId<HTMLInputElement>('market-search')
  readonly #list = byId('market-list')
  #markets: readonly MarketId[] = []
  #current: MarketId | undefined
  #active = 0

  constructor(strings: Strings, onPick: (market: MarketId) => void) {
    this.#strings = strings
    this.#onPick = onPick
    this.#button.setAttribute('aria-label', strings.chooseMarket)
    this.#panel.setAttribute('aria-label', strings.chooseMarket)
    this.#search.placeholder = strings.searchMarket
    this.#search.setAttribute('aria-label', strings.searchMarket)
    setText(byId('market-none'), strings.noMatch)
    this.#listen()
  }

  setMarkets(markets: readonly MarketId[]): void {
    this.#markets = markets.toSorted((a, b) => nameOf(a).localeCompare(nameOf(b)))
    if (!this.#panel.hidden) this.#render()
  }

  setCurrent(market: MarketId | undefined): void {
    this.#current = market
    setText(byId('picker-symbol'), market ? formatSymbol(market.symbol) : this.#strings.chooseMarket)
    setText(byId('picker-exchange'), market ? exchangeName(this.#strings, market.exchange) : '')
  }

  #listen(): void {
    this.#button.addEventListener('click', () => (this.#panel.hidden ? this.#open() : this.#close()))
    this.#search.addEventListener('input', () => {
      this.#active = 0
      this.#render()
    })
    this.#panel.addEventListener('keydown', (event) => this.#onKey(event))
    document.addEventListener('pointerdown', ({target}) => {
      const isInside = target instanceof Node && (this.#panel.contains(target) || this.#button.contains(target))
      if (!isInside && !this.#panel.hidden) this.#close()
    })
  }

  #open(): void {
    this.#panel.hidden = false
    this.#button.setAttribute('aria-expanded', 'true')
    this.#search.value = ''
    this.#active = Math.max(
      0,
      this.#matches().findIndex((market) => this.#isCurrent(market)),
    )
    this.#render()
    this.#search.focus()
  }

  #close(): void {
    this.#panel.hidden = true
    this.#button.setAttribute('aria-expanded', 'false')
    this.#button.focus()
  }

  #onKey(event: KeyboardEvent): void {
    const matches = this.#matches()
    const step = {ArrowDown: 1, ArrowUp: -1}[event.key]
    if (step !== undefined && matches.length > 0) {
      event.preventDefault()
      this.#active = (this.#active + step + matches.length) % matches.length
      this.#render()
    } else if (event.key === 'Enter') {
      const market = matches[this.#active]
      if (market !== undefined) this.#pick(market)
    } else if (event.key === 'Escape') {
      this.#close()
    }
  }

  #pick(market: MarketId): void {
    this.#close()
    this.#onPick(market)
  }

  #matches(): readonly MarketId[] {
    const words = this.#search.value.toLowerCase().split(/[\s/]+/)
    return this.#markets.filter((market) => {
      const text = `${nameOf(market)} ${exchangeName(this.#strings, market.exchange)}`.toLowerCase()
      return words.every((word) => text.includes(word))
    })
  }

  #isCurrent(market: MarketId): boolean {
    return this.#current !== undefined && nameOf(market) === nameOf(this.#current)
  }

  #render(): void {
    const matches = this.#matches()
    const options = matches.map((market, index) => this.#makeOption(market, index))
    this.#list.replaceChildren(...options)
    byId('market-none').hidden = matches.length > 0
    const active = options[this.#active]
    active?.scrollIntoView({block: 'nearest'})
    this.#search.setAttribute('aria-activedescendant', active?.id ?? '')
  }

  #makeOption(market: MarketId, index: number): HTMLElement {
    const option = make('div', 'market')
    option.id = `market-${index}`
    option.role = 'option'
    option.dataset.market = nameOf(market)
    option.ariaSelected = String(this.#isCurrent(market))
    option.classList.toggle('active', index === this.#active)
    option.append(
      make('span', 'market-symbol', formatSymbol(market.symbol)),
      make('span', 'muted', exchangeName(this.#strings, market.exchange)),
    )
    option.addEventListener('click', () => this.#pick(market))
    return option
  }
}
