import type {MarketId} from '../../core/ports/market-reader.ts'
import {CANDLE_INTERVALS, type CandleInterval} from '../../core/records.ts'
import type {MarketsAnswer} from '../wire.ts'
import {byId, make, setText} from './dom.ts'
import {type Connection, fetchCandles, fetchMarkets} from './live-market.ts'
import {defaultMarket, marketOf, nameOf} from './market-name.ts'
import {MarketPicker} from './market-picker.ts'
import {MarketView} from './market-view.ts'
import {stringsFor} from './strings.ts'

/** How often the list of markets is asked for: often while there is nothing to show yet. */
const MARKETS_EVERY_MS = 10_000
const WAITING_EVERY_MS = 1_000
const FEW_CANDLES = 10

const strings = stringsFor(navigator.language)
const view = new MarketView(strings, showConnection)
const picker = new MarketPicker(strings, (market) => {
  history.pushState(null, '', `?market=${nameOf(market)}`)
  void refresh()
})
/** Undefined until the first market is opened. */
let interval: CandleInterval | undefined
let opened: string | undefined
let refreshTimer: ReturnType<typeof setTimeout> | undefined

writeLabels()
makeIntervals()
addEventListener('popstate', () => void refresh())
void refresh()

/** Asks for the markets, opens the one of the address (or a default), and comes back later. */
async function refresh(): Promise<void> {
  const isWaiting = !(await showMarkets().catch(() => showUnreachable()))
  clearTimeout(refreshTimer)
  refreshTimer = setTimeout(() => void refresh(), isWaiting ? WAITING_EVERY_MS : MARKETS_EVERY_MS)
}

/** False while there is nothing to show. */
async function showMarkets(): Promise<boolean> {
  const {simulated, markets}: MarketsAnswer = await fetchMarkets()
  byId('simulated').hidden = !simulated
  picker.setMarkets(markets)
  const asked = new URLSearchParams(location.search).get('market')
  const market = asked === null ? defaultMarket(markets) : marketOf(asked)
  picker.setCurrent(market)
  const isThere = market !== undefined && markets.some((known) => nameOf(known) === nameOf(market))
  if (!isThere) {
    close()
    showEmpty(markets.length === 0 ? 'waiting' : 'unknown')
    showConnection('live')
  } else if (opened !== nameOf(market)) {
    interval ??= await firstInterval(market)
    open(market, interval)
  }
  return isThere
}

/** Minutes, but for a market that has just begun: there the first minute would be a single bar. */
async function firstInterval(market: MarketId): Promise<CandleInterval> {
  const {candles} = await fetchCandles(market, '1m')
  return candles.length < FEW_CANDLES ? '1s' : '1m'
}

/** The server does not answer, or its store does not. What is shown stays; its own stream says so too. */
function showUnreachable(): boolean {
  if (opened !== undefined) return true
  showConnection('reconnecting')
  showEmpty('store')
  return false
}

function open(market: MarketId, shownInterval: CandleInterval): void {
  opened = nameOf(market)
  for (const button of byId('intervals').children) button.ariaPressed = String(button.textContent === strings[shownInterval])
  byId('empty').hidden = true
  byId('content').hidden = false
  view.open(market, shownInterval)
}

function close(): void {
  view.close()
  opened = undefined
}

function showEmpty(kind: 'waiting' | 'unknown' | 'store'): void {
  setText(byId('empty-title'), strings[`${kind}Title`])
  setText(byId('empty-hint'), strings[`${kind}Hint`])
  byId('empty').hidden = false
  byId('content').hidden = true
}

function showConnection(state: Connection): void {
  const texts = {connecting: strings.connecting, live: strings.live, reconnecting: strings.reconnecting, 'store-gone': strings.storeGone}
  const element = byId('connection')
  element.dataset.state = state
  setText(element, texts[state])
}

function makeIntervals(): void {
  const group = byId('intervals')
  group.setAttribute('aria-label', strings.interval)
  for (const candidate of CANDLE_INTERVALS) {
    const button = make('button', 'interval', strings[candidate])
    button.setAttribute('type', 'button')
    button.addEventListener('click', () => {
      interval = candidate
      const market = marketOf(opened ?? null)
      if (market !== undefined) open(market, candidate)
    })
    group.append(button)
  }
}

function writeLabels(): void {
  document.documentElement.lang = strings.locale
  byId('simulated').title = strings.simulatedHint
  const labels = {
    simulated: strings.simulated,
    'label-high': strings.high,
    'label-low': strings.low,
    'label-volume': strings.volume,
    'label-bid': strings.bid,
    'label-ask': strings.ask,
    'label-chart': strings.chart,
    'chart-empty': strings.chartEmpty,
    'label-book': strings.book,
    'label-book-price': strings.price,
    'label-book-size': strings.size,
    'label-trades': strings.trades,
    'label-trade-price': strings.price,
    'label-trade-size': strings.size,
    'label-trade-time': strings.time,
  }
  for (const [id, text] of Object.entries(labels)) setText(byId(id), text)
  showConnection('connecting')
}
