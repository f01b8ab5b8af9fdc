import {InvalidInputError} from '../core/errors.ts'
import type {ScheduledFault} from './faults.ts'
import type {Burst} from './pacer.ts'
import {DEFAULT_SYMBOLS} from './upbit/markets.ts'

export interface SimulatorOptions {
  /** Default 0: any free port. */
  readonly port?: number
  /** Default `127.0.0.1`. */
  readonly host?: string
  /** Default 1. */
  readonly seed?: number
  /** Symbols such as `BTC-KRW`; default eight KRW markets. */
  readonly symbols?: readonly string[]
  /** Default 1000. What the machine cannot make is left out, not made up for. */
  readonly tradesPerSecond?: number
  /** Books of all markets together; default 40. */
  readonly booksPerSecond?: number
  /** Tickers of all markets together; default 16. */
  readonly tickersPerSecond?: number
  readonly burst?: Burst | null
  /** Share of trades whose event time lies up to 2 s back, 0 to 1; default 0. */
  readonly lateShare?: number
  /** Most trades in one frame of the list formats; default 50. */
  readonly tradesPerFrame?: number
  /** Trades in all, after which the market stands still; null (default) for no end. */
  readonly maxTrades?: number | null
  /** Trades kept for REST and the ledger in memory, all markets together; default 2,600,000 (about 70 MB when full). */
  readonly historyTrades?: number
  /** Write every trade to this file too. */
  readonly ledgerFile?: string | null
  /** Unread bytes after which a client is cut; default 64 MiB. */
  readonly maxBufferedBytes?: number
  /** Default 120 s, as documented. */
  readonly idleTimeoutMs?: number
  /** Whether the exchange's documented rate limits hold; default true. */
  readonly limits?: boolean
  readonly faults?: readonly ScheduledFault[]
}

export type ResolvedOptions = Required<SimulatorOptions>

const DEFAULTS: ResolvedOptions = {
  port: 0,
  host: '127.0.0.1',
  seed: 1,
  symbols: DEFAULT_SYMBOLS,
  tradesPerSecond: 1000,
  booksPerSecond: 40,
  tickersPerSecond: 16,
  burst: null,
  lateShare: 0,
  tradesPerFrame: 50,
  maxTrades: null,
  historyTrades: 2_600_000,
  ledgerFile: null,
  maxBufferedBytes: 64 * 1024 * 1024,
  idleTimeoutMs: 120_000,
  limits: true,
  faults: [],
}

/** Fills in what is not given; rejects numbers that make no sense with InvalidInputError. */
export function resolveOptions(given: SimulatorOptions): ResolvedOptions {
  const options = {...DEFAULTS, ...given}
  const {seed, lateShare, tradesPerFrame, historyTrades} = options
  check(Number.isSafeInteger(seed) && seed >= 0, 'seed', seed, 'a whole number, 0 or more')
  check(lateShare >= 0 && lateShare <= 1, 'lateShare', lateShare, 'a share from 0 to 1')
  check(Number.isInteger(tradesPerFrame) && tradesPerFrame > 0, 'tradesPerFrame', tradesPerFrame, 'a whole number, 1 or more')
  check(Number.isInteger(historyTrades) && historyTrades > 0, 'historyTrades', historyTrades, 'a whole number, 1 or more')
  for (const name of ['tradesPerSecond', 'booksPerSecond', 'tickersPerSecond'] as const) {
    check(options[name] >= 0 && options[name] <= 10_000_000, name, options[name], 'a rate from 0 to 10,000,000 a second')
  }
  return options
}

function check(isFine: boolean, name: string, value: number, allowed: string): void {
  if (!isFine) throw new InvalidInputError(`the simulator's ${name} is ${value}`, {remedy: [`give ${allowed}`]})
}
