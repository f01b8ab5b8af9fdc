import type {MarketId} from '../../core/ports/market-reader.ts'

/** `upbit:BTC-KRW`, as in the page's address. */
export function nameOf({exchange, symbol}: MarketId): string {
  return `${exchange}:${symbol}`
}

/** The market of such a name; undefined where it is none. */
export function marketOf(name: string | null): MarketId | undefined {
  const [, exchange, symbol] = name?.match(/^([a-z0-9-]{1,30}):([A-Z0-9-]{3,80})$/) ?? []
  return exchange === undefined || symbol === undefined ? undefined : {exchange, symbol}
}

const FAVOURITES = ['BTC-KRW', 'BTC-USDT', 'BTC-USD']

/** What the page shows when its address names no market: Bitcoin where there is one. */
export function defaultMarket(markets: readonly MarketId[]): MarketId | undefined {
  const favourites = FAVOURITES.map((symbol) => markets.find((market) => market.symbol === symbol))
  return favourites.find((market) => market !== undefined) ?? markets[0]
}
