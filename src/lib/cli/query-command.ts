import {Flags} from '@oclif/core'
import {configFlags} from '../config/flags.ts'
import {parseDuration} from '../core/duration.ts'
import {InvalidInputError} from '../core/errors.ts'
import type {MarketId, MarketReader} from '../core/ports/market-reader.ts'
import type {Micros} from '../core/records.ts'
import {ConfigCommand} from './config-command.ts'
import {type Column, formatTable} from './table.ts'

/** Flags of the queries about one market. */
export const marketFlags = {
  ...configFlags,
  symbol: Flags.string({summary: 'The market, for example BTC-KRW.', required: true, env: 'COINPIPE_SYMBOL'}),
  exchange: Flags.string({summary: 'Its exchange.', default: 'upbit', env: 'COINPIPE_EXCHANGE'}),
}

const UTC_TIME = /^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d{1,3})?)?Z)?$/

/** A flag whose value is a time: `2026-01-31`, `2026-01-31T09:00:00Z`, or how long ago, for example `24h`. */
export const time = Flags.custom<Micros>({
  helpValue: '<time>',
  parse: async (text) => {
    if (!UTC_TIME.test(text)) return (Date.now() - agoMs(text)) * 1000
    const ms = Date.parse(text)
    if (Number.isNaN(ms)) throw badTime(text)
    return ms * 1000
  },
})

function agoMs(text: string): number {
  try {
    return parseDuration(text)
  } catch (cause) {
    throw badTime(text, cause)
  }
}

function badTime(text: string, cause?: unknown): InvalidInputError {
  return new InvalidInputError(`'${text}' is not a time`, {
    cause,
    remedy: ['write a day (2026-01-31), a time in UTC (2026-01-31T09:00:00Z), or how long ago (15m, 24h)'],
  })
}

/** A time as people read it: UTC, milliseconds. */
export function utc(time: Micros): string {
  return new Date(time / 1000).toISOString()
}

/** Base of the commands that ask the store: a table for people, the typed answer for `--json`. */
export abstract class QueryCommand extends ConfigCommand {
  /** Prints rows as a table, unless `--json` prints the answer. */
  protected async print<T>(rows: readonly T[], columns: readonly Column<T>[]): Promise<void> {
    if (this.jsonEnabled()) return
    for (const line of formatTable(rows, columns)) await this.write(`${line}\n`)
  }
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
