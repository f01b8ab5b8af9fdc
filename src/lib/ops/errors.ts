import {CoinpipeError, type ErrorDetails, EXIT} from '../core/errors.ts'

/** The schema registry could not be reached, or answered with an error. */
export class RegistryError extends CoinpipeError {
  readonly code = 'COINPIPE_REGISTRY'
}

/** Producing ended before the end of the input. The message says up to where records are in the log. */
export class ProduceStoppedError extends CoinpipeError {
  readonly code = 'COINPIPE_PRODUCE_STOPPED'
}

/** Dead letters were redriven in part. Doing it again goes on with the first that was not. */
export class RedriveStoppedError extends CoinpipeError {
  readonly code = 'COINPIPE_REDRIVE_STOPPED'
  constructor(message: string, details: ErrorDetails = {}) {
    super(message, {exitCode: EXIT.resumable, ...details})
  }
}
