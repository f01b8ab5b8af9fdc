import type {MarketReader} from '../../src/lib/core/ports/market-reader.ts'

const PAGE = 10_000

/** Counts the trades of a store, each time only those that came since the last call. */
export function storedTrades(reader: MarketReader): () => Promise<number> {
  const cursors = new Map<string, string>()
  let total = 0
  return async () => {
    for (const market of await reader.markets()) {
      for (let more = true; more; ) {
        const {trades, cursor} = await reader.trades({...market, limit: PAGE, after: cursors.get(market.symbol) ?? '0'})
        cursors.set(market.symbol, cursor)
        total += trades.length
        more = trades.length === PAGE
      }
    }
    return total
  }
}
