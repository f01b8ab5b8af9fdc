import type {BusAdmin} from '../core/ports/bus.ts'
import type {MarketReader} from '../core/ports/market-reader.ts'
import {TOPICS} from '../core/topics.ts'
import {readTail} from './log-tail.ts'

const PAGE = 10_000

/** Trades counted one by one, to hold against what was sent. */
export interface Census {
  /** Distinct trade ids. */
  readonly ids: ReadonlySet<string>
  /** Copies beyond the first of each. */
  readonly repeated: number
}

/** Every trade that the log still has. */
export async function censusOfLog(admin: BusAdmin): Promise<Census> {
  const {records} = await readTail(admin, TOPICS.trade, Number.POSITIVE_INFINITY)
  const count = counter()
  for await (const record of records) if (record.type === 'trade') count.add(record.id)
  return count.result()
}

/** Every trade that the store still has. */
export async function censusOfStore(reader: MarketReader): Promise<Census> {
  const count = counter()
  for (const market of await reader.markets()) {
    for (let after = '0', more = true; more; ) {
      const {trades, cursor} = await reader.trades({...market, limit: PAGE, after})
      for (const trade of trades) count.add(trade.id)
      more = trades.length === PAGE
      after = cursor
    }
  }
  return count.result()
}

function counter(): {add(id: string): void; result(): Census} {
  const ids = new Set<string>()
  let seen = 0
  return {
    add(id) {
      seen += 1
      ids.add(id)
    },
    result: () => ({ids, repeated: seen - ids.size}),
  }
}
