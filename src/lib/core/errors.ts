/**
 * Errors that people read. Each says what failed, on what, what was seen, and what to type next.
 * Anything that is not a {@link CoinpipeError} is a bug and exits 70.
 */

/** Exit codes of every command; the table is in docs/errors.md. */
export const EXIT = {
  ok: 0,
  wrong: 1,
  usage: 2,
  unknownVerdict: 3,
  unavailable: 4,
  resumable: 5,
  bug: 70,
  interrupted: 130,
} as const

export type ExitCode = (typeof EXIT)[keyof typeof EXIT]

/** Whether doing the same again can help: never, at once, or after a wait. */
export type Retry = {readonly kind: 'never'} | {readonly kind: 'now'} | {readonly kind: 'later'; readonly afterMs?: number}

export interface ErrorDetails {
  readonly cause?: unknown
  /** Lines that say what to type next. */
  readonly remedy?: readonly string[]
  readonly retry?: Retry
  readonly exitCode?: ExitCode
}

/**
 * The one base class. `code` is stable and unique per class (`COINPIPE_BUS_LOCKED`); tell errors apart by it, never by their text.
 * Every code is listed in docs/errors.md, and a test compares list and code both ways.
 */
export abstract class CoinpipeError extends Error {
  abstract readonly code: `COINPIPE_${string}`
  readonly remedy: readonly string[]
  readonly retry: Retry
  readonly exitCode: ExitCode

  constructor(message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : {cause: details.cause})
    this.name = new.target.name
    this.remedy = details.remedy ?? []
    this.retry = details.retry ?? {kind: 'never'}
    this.exitCode = details.exitCode ?? EXIT.unavailable
  }
}

/** Input that cannot be used as given: a flag, a config value, a file, a frame. */
export class InvalidInputError extends CoinpipeError {
  readonly code = 'COINPIPE_INVALID_INPUT'
  constructor(message: string, details: ErrorDetails = {}) {
    super(message, {exitCode: EXIT.usage, ...details})
  }
}

/** A component was used before `connect` or after `close`, or lost what it was connected to. The runner reconnects. */
export class NotConnectedError extends CoinpipeError {
  readonly code = 'COINPIPE_NOT_CONNECTED'
  constructor(message: string, details: ErrorDetails = {}) {
    super(message, {retry: {kind: 'later'}, ...details})
  }
}

/** Nothing more will come. The runner drains and ends. */
export class EndOfInputError extends CoinpipeError {
  readonly code = 'COINPIPE_END_OF_INPUT'
}

/** The other side asked for less. The runner waits `afterMs` and tries again. */
export class BackOffError extends CoinpipeError {
  readonly code = 'COINPIPE_BACK_OFF'
  constructor(message: string, afterMs: number, details: ErrorDetails = {}) {
    super(message, {...details, retry: {kind: 'later', afterMs}})
  }
}

/** A newer owner took over this member, transaction or partition; whatever it was about to commit is refused. */
export class FencedError extends CoinpipeError {
  readonly code = 'COINPIPE_FENCED'
}

/** Asked for something that this implementation declares it cannot do. */
export class UnsupportedError extends CoinpipeError {
  readonly code = 'COINPIPE_UNSUPPORTED'
  constructor(message: string, details: ErrorDetails = {}) {
    super(message, {exitCode: EXIT.usage, ...details})
  }
}

/** The topic does not exist. */
export class UnknownTopicError extends CoinpipeError {
  readonly code = 'COINPIPE_UNKNOWN_TOPIC'
  constructor(message: string, details: ErrorDetails = {}) {
    super(message, {exitCode: EXIT.usage, ...details})
  }
}

/** The bus knows no such consumer group. */
export class UnknownGroupError extends CoinpipeError {
  readonly code = 'COINPIPE_UNKNOWN_GROUP'
  constructor(message: string, details: ErrorDetails = {}) {
    super(message, {exitCode: EXIT.usage, ...details})
  }
}

/** A deadline passed. What was asked may or may not have happened. */
export class DeadlineError extends CoinpipeError {
  readonly code = 'COINPIPE_DEADLINE'
  constructor(message: string, details: ErrorDetails = {}) {
    super(message, {retry: {kind: 'later'}, ...details})
  }
}

/** The work was stopped by its abort signal. */
export class AbortedError extends CoinpipeError {
  readonly code = 'COINPIPE_ABORTED'
  constructor(message = 'stopped before it was done', details: ErrorDetails = {}) {
    super(message, {exitCode: EXIT.interrupted, ...details})
  }
}

/** Whether trying the same again may help; an unknown error is a bug and is never retried. */
export function isRetryable(error: unknown): error is CoinpipeError {
  return error instanceof CoinpipeError && error.retry.kind !== 'never'
}
