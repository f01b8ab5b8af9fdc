import {CoinpipeError, type ErrorDetails, EXIT} from '../core/errors.ts'
import type {MarketId} from '../core/ports/market-reader.ts'

const NAMES_SHOWN = 8

/** A market was asked for that the store has no data of. */
export class UnknownMarketError extends CoinpipeError {
  readonly code = 'COINPIPE_UNKNOWN_MARKET'
  constructor(market: MarketId, known: readonly MarketId[]) {
    const names = known.slice(0, NAMES_SHOWN).map(({exchange, symbol}) => `${exchange}:${symbol}`)
    const list = names.length === 0 ? 'the store is empty' : `known: ${names.join(', ')}${known.length > NAMES_SHOWN ? ', …' : ''}`
    super(`no data of ${market.exchange}:${market.symbol}; ${list}`, {
      exitCode: EXIT.usage,
      remedy: ['GET /api/markets lists every market with data'],
    })
  }
}

/** The server can't take its address. */
export class CannotListenError extends CoinpipeError {
  readonly code = 'COINPIPE_CANNOT_LISTEN'
  constructor(host: string, port: number, cause: NodeJS.ErrnoException, flagPrefix = '') {
    super(`cannot listen on ${host} port ${port}: ${REASONS[cause.code ?? ''] ?? cause.message}`, {
      cause,
      exitCode: EXIT.unavailable,
      remedy: [`--${flagPrefix}port 0 takes any free port`, `--${flagPrefix}host 127.0.0.1 is the address that is always there`],
    })
  }
}

const REASONS: Readonly<Record<string, string>> = {
  EADDRINUSE: 'the port is in use by another process',
  EACCES: 'this user may not use the port',
  EADDRNOTAVAIL: 'this machine does not have the address',
  ENOTFOUND: 'the host name is not known',
}

/** The files of the page were not built. */
export class PageMissingError extends CoinpipeError {
  readonly code = 'COINPIPE_PAGE_MISSING'
  constructor(path: string, cause: unknown) {
    super(`the page's file ${path} cannot be read`, {cause, exitCode: EXIT.unavailable, remedy: ['npm run build']})
  }
}

/** More browsers than the server serves at once. */
export class TooManyClientsError extends CoinpipeError {
  readonly code = 'COINPIPE_TOO_MANY_CLIENTS'
  constructor(limit: number) {
    super(`${limit} live connections are open already`, {
      retry: {kind: 'later', afterMs: 5_000},
      remedy: ['close a page, or start a second server'],
    })
  }
}

/** What the page reads from does not answer right now. */
export class StoreUnavailableError extends CoinpipeError {
  readonly code = 'COINPIPE_STORE_UNAVAILABLE'
  constructor(details: ErrorDetails & {readonly cause: unknown}) {
    const {cause} = details
    super(`the store cannot be read: ${cause instanceof Error ? cause.message : String(cause)}`, {
      retry: {kind: 'later', afterMs: 1_000},
      remedy:
        cause instanceof CoinpipeError && cause.remedy.length > 0
          ? cause.remedy
          : ['see that the data folder is there and can be read, and that the disk works'],
      ...details,
    })
  }
}

/** A path that the server does not have. */
export class NoSuchPathError extends CoinpipeError {
  readonly code = 'COINPIPE_NO_SUCH_PATH'
  constructor(method: string, url: string) {
    const path = url.split('?', 1)[0] ?? ''
    super(`nothing at ${method} ${path.slice(0, 100)}`, {
      exitCode: EXIT.usage,
      remedy: ['GET / is the page, GET /api/markets the first data'],
    })
  }
}
