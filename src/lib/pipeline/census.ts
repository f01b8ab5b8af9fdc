import type {BusAdmin} from '../core/ports/bus.ts'
import type {MarketReader} from '../core/ports/market-reader.ts'
import type {Trade} from '../core/records.ts'
import {TOPICS} from '../core/topics.ts'
import {readTail} from './log-tail.ts'

const PAGE = 10_000

/** Every trade that the log still has, copies too. */
export async function* tradesInLog(admin: BusAdmin): AsyncGenerator<Trade> {
  const {records} = await readTail(admin, TOPICS.trade, Number.POSITIVE_INFINITY)
  for await (const record of records) if (record.type === 'trade') yield record
}

/** Every trade that the store still has. */
export async function* tradesInStore(reader: MarketReader): AsyncGenerator<Trade> {
  for (const market of await reader.markets()) {
    for (let after = '0', more = true; more; ) {
      const {trades, cursor} = await reader.trades({...market, limit: PAGE, after})
      yield* trades
      more = trades.length === PAGE
      after = cursor
    }
  }
}
