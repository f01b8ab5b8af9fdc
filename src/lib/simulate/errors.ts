import {CoinpipeError, type ErrorDetails} from '../core/errors.ts'

/** The port or address that a local exchange was to listen on cannot be had. */
export class ListenError extends CoinpipeError {
  readonly code = 'COINPIPE_SIMULATE_LISTEN'
  constructor(address: string, reason: string, cause: unknown) {
    super(`cannot listen on ${address}: ${reason}`, {
      cause,
      remedy: ['choose another port with --port, or --port 0 for any free one'],
    })
  }
}

/** A file that the simulator was to write cannot be written. */
export class LedgerError extends CoinpipeError {
  readonly code = 'COINPIPE_SIMULATE_LEDGER'
  constructor(path: string, cause: Error) {
    super(`cannot write the ledger '${path}': ${cause.message}`, {
      cause,
      remedy: ['give a path in a folder that exists and has room, with --ledger'],
    })
  }
}

/** A capture that has nothing in it to replay. */
export class EmptyCaptureError extends CoinpipeError {
  readonly code = 'COINPIPE_REPLAY_EMPTY'
  constructor(path: string, details: ErrorDetails = {}) {
    super(`capture '${path}' holds no frame from an exchange`, {remedy: ['record one first: coinpipe record --help'], ...details})
  }
}
