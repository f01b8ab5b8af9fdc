import {CoinpipeError, type ErrorDetails, EXIT} from '../core/errors.ts'

/** Flags or arguments that the command does not take. */
export class UsageError extends CoinpipeError {
  readonly code = 'COINPIPE_USAGE'
  constructor(message: string, details: ErrorDetails = {}) {
    super(message, {exitCode: EXIT.usage, ...details})
  }
}

/** There is no such command. The nearest one is suggested. */
export class UnknownCommandError extends CoinpipeError {
  readonly code = 'COINPIPE_UNKNOWN_COMMAND'
  constructor(message: string, details: ErrorDetails = {}) {
    super(message, {exitCode: EXIT.usage, ...details})
  }
}

/** The command would take something away, and there is no terminal to ask on. Nothing was changed. */
export class NotConfirmedError extends CoinpipeError {
  readonly code = 'COINPIPE_NOT_CONFIRMED'
  constructor(question: string) {
    super(`nobody to ask, for there is no terminal: ${question}`, {exitCode: EXIT.usage, remedy: ['if so, add --yes']})
  }
}
