import {CoinpipeError, type ErrorDetails, EXIT} from '../core/errors.ts'

/** A fault that cannot be brought about as asked: an unknown fault or target, or a process that is not the one it was. */
export class FaultRefusedError extends CoinpipeError {
  readonly code = 'COINPIPE_FAULT_REFUSED'
  constructor(message: string, details: ErrorDetails = {}) {
    super(message, {exitCode: EXIT.usage, ...details})
  }
}
