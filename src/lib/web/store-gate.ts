import type {Clock, Logger} from '../core/context.ts'
import {DeadlineError, InvalidInputError} from '../core/errors.ts'
import type {Health} from '../core/health.ts'
import type {MarketReader} from '../core/ports/market-reader.ts'
import {StoreUnavailableError} from './errors.ts'

export interface StoreGateOptions {
  readonly reader: MarketReader
  readonly clock: Clock
  readonly health: Health
  readonly logger: Logger
  /** Longest wait for one answer. */
  readonly deadlineMs: number
}

const COMPONENT = 'page'
/** A store that was deleted or replaced may still answer, from a file that nobody writes to any more; the reader's own check tells. */
const CHECK_EVERY_MS = 1_000

/**
 * The one way to the store: bounds every call in time, keeps the store's health, and connects again after the connection was lost.
 * A store that comes and goes is a state to show on the page, never a reason for the server to end.
 */
export class StoreGate {
  readonly #options: StoreGateOptions
  /** True at first: the reader may be one that was never connected. */
  #reconnect = true
  #checkedAtMs = Number.NEGATIVE_INFINITY
  #connecting: Promise<void> | undefined
  #down = false

  constructor(options: StoreGateOptions) {
    this.#options = options
  }

  /** Rejects with StoreUnavailableError where the store does not answer, whatever the reason. */
  async read<T>(question: (reader: MarketReader) => Promise<T>): Promise<T> {
    try {
      const answer = await this.#withDeadline(this.#ask(question))
      this.#setUp()
      return answer
    } catch (cause) {
      // What the caller asked wrongly says nothing about the store.
      if (cause instanceof InvalidInputError) throw cause
      this.#setDown(cause)
      throw new StoreUnavailableError({cause})
    }
  }

  async #ask<T>(question: (reader: MarketReader) => Promise<T>): Promise<T> {
    if (this.#reconnect) await this.#connect()
    const {reader, clock} = this.#options
    if (clock.monotonicMs() - this.#checkedAtMs >= CHECK_EVERY_MS) {
      await reader.check()
      this.#checkedAtMs = clock.monotonicMs()
    }
    return question(reader)
  }

  /** Callers that come meanwhile wait for the same attempt. */
  #connect(): Promise<void> {
    this.#connecting ??= this.#openAnew().finally(() => {
      this.#connecting = undefined
    })
    return this.#connecting
  }

  async #openAnew(): Promise<void> {
    const {reader} = this.#options
    await reader.close()
    await reader.connect()
    this.#reconnect = false
  }

  async #withDeadline<T>(answer: Promise<T>): Promise<T> {
    const {deadlineMs} = this.#options
    const late = Promise.withResolvers<never>()
    const timer = setTimeout(() => late.reject(new DeadlineError(`no answer within ${deadlineMs} ms`)), deadlineMs)
    try {
      return await Promise.race([answer, late.promise])
    } finally {
      clearTimeout(timer)
    }
  }

  #setUp(): void {
    this.#options.health.set(COMPONENT, 'up')
    if (this.#down) this.#options.logger.info({}, 'the store answers again')
    this.#down = false
  }

  #setDown(cause: unknown): void {
    this.#reconnect = true
    this.#options.health.set(COMPONENT, 'down', cause instanceof Error ? cause.message : String(cause))
    if (!this.#down) this.#options.logger.warn({error: cause}, 'the store does not answer')
    this.#down = true
  }
}
