import {Flags} from '@oclif/core'
import {configFlags} from '../config/flags.ts'
import {InvalidInputError} from '../core/errors.ts'
import type {MarketId, MarketReader} from '../core/ports/market-reader.ts'

/** Flags of the queries about one market. */
export const marketFlags = {
  ...configFlags,
  symbol: Flags.string({summary: 'The market, for example BTC-KRW.', required: true, env: 'COINPIPE_SYMBOL'}),
  exchange: Flags.string({summary: 'Its exchange.', default: 'upbit', env: 'COINPIPE_EXCHANGE'}),
}

/** Rejects with InvalidInputError, naming markets that there are, where the store has nothing of this one. */
export async function checkMarket(reader: MarketReader, {exchange, symbol}: MarketId): Promise<void> {
  const markets = await reader.markets()
  if (markets.some((market) => market.exchange === exchange && market.symbol === symbol)) return
  const names = markets.map((market) => `${market.exchange} ${market.symbol}`)
  const some = names.length > SHOWN_MARKETS ? [...names.slice(0, SHOWN_MARKETS), `and ${names.length - SHOWN_MARKETS} more`] : names
  throw new InvalidInputError(`the store has nothing of ${exchange} ${symbol}`, {
    remedy: [some.length > 0 ? `it has: ${some.join(', ')}` : 'it is still empty: coinpipe up'],
  })
}

const SHOWN_MARKETS = 10
