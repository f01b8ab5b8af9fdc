import {Flags} from '@oclif/core'
import {configFlags} from '../config/flags.ts'
import {InvalidInputError} from '../core/errors.ts'
import type {MarketId, MarketReader} from '../core/ports/market-reader.ts'
import {storeFlags} from './store-flags.ts'

/** Flags of the queries about one market. */
export const marketFlags = {
  ...configFlags,
  ...storeFlags,
  symbol: Flags.string({summary: 'The market, for example BTC-KRW.', required: true, env: 'COINPIPE_SYMBOL'}),
  exchange: Flags.string({summary: 'Its exchange.', default: 'upbit', env: 'COINPIPE_EXCHANGE'}),
}

/** Rejects with InvalidInputError, naming markets that there are, where the store has nothing of this one. */
export async function checkMarket(reader: MarketReader, {exchange, symbol}: MarketId): Promise<void> {
  const markets = await reader.markets()
  if (markets.some((market) => market.exchange === exchange && market.symbol === symbol)) return
  throw new InvalidInputError(`the store has nothing of ${exchange} ${symbol}`, {
    remedy: [whatThereIs(markets.map((market) => `${market.exchange} ${market.symbol}`))],
  })
}

/** Rejects with InvalidInputError, naming exchanges that there are, where the store has nothing of this one. */
export async function checkExchange(reader: MarketReader, exchange: string): Promise<void> {
  const exchanges = [...new Set((await reader.markets()).map((market) => market.exchange))]
  if (exchanges.includes(exchange)) return
  throw new InvalidInputError(`the store has nothing of the exchange '${exchange}'`, {remedy: [whatThereIs(exchanges)]})
}

const SHOWN = 10

function whatThereIs(names: readonly string[]): string {
  if (names.length === 0) return 'it is still empty: coinpipe up'
  const more = names.length > SHOWN ? [`and ${names.length - SHOWN} more`] : []
  return `it has: ${[...names.slice(0, SHOWN), ...more].join(', ')}`
}
