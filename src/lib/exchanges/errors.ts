import {CoinpipeError, type ErrorDetails, EXIT} from '../core/errors.ts'

const REPORT = ['compare with the documentation of the exchange: its format may have changed', 'keep the frame and open an issue with it']

/** A frame is not JSON, or is nested deeper than any message of an exchange. */
export class MalformedFrameError extends CoinpipeError {
  readonly code = 'COINPIPE_FRAME_MALFORMED'
  constructor(message: string, details: ErrorDetails = {}) {
    super(message, {exitCode: EXIT.wrong, remedy: REPORT, ...details})
  }
}

/** A frame is larger than any message of an exchange; it was not parsed. */
export class FrameTooLargeError extends CoinpipeError {
  readonly code = 'COINPIPE_FRAME_TOO_LARGE'
  constructor(message: string, details: ErrorDetails = {}) {
    super(message, {exitCode: EXIT.wrong, remedy: REPORT, ...details})
  }
}

/** A frame is JSON, but of no kind that is known for this exchange. */
export class UnknownMessageError extends CoinpipeError {
  readonly code = 'COINPIPE_FRAME_UNKNOWN_TYPE'
  constructor(message: string, details: ErrorDetails = {}) {
    super(message, {exitCode: EXIT.wrong, remedy: REPORT, ...details})
  }
}

/** A message lacks a field, or holds a value there that cannot be used: the wrong type, a price that is not above zero, a time out of range. */
export class InvalidFieldError extends CoinpipeError {
  readonly code = 'COINPIPE_FRAME_INVALID_FIELD'
  constructor(message: string, details: ErrorDetails = {}) {
    super(message, {exitCode: EXIT.wrong, remedy: REPORT, ...details})
  }
}

/** Asked for an exchange that coinpipe does not know. */
export class UnknownExchangeError extends CoinpipeError {
  readonly code = 'COINPIPE_UNKNOWN_EXCHANGE'
  constructor(exchange: string, known: readonly string[]) {
    super(`exchange '${exchange}' is not known; known: ${known.join(', ')}`, {
      exitCode: EXIT.usage,
      remedy: [`use --exchange ${known[0] ?? ''}`],
    })
  }
}
