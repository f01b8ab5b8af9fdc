import {Agent, request} from 'undici'
import type {Context} from '../../core/context.ts'
import {AbortedError, CoinpipeError} from '../../core/errors.ts'
import {backoffMs} from './backoff.ts'
import {RestStatusError, RestUnreachableError} from './errors.ts'
import type {RateLimiter} from './rate-limiter.ts'

export interface RestClientOptions {
  readonly exchange: string
  /** All requests of one client share its budget. */
  readonly limiter: RateLimiter
  /** Wait after a block (418) that does not say how long it lasts. */
  readonly blockedWaitMs: number
}

const TIMEOUT_MS = 10_000
const ATTEMPTS = 6
const BACKOFF = {baseMs: 500, capMs: 10_000}
const DEFAULT_LIMITED_WAIT_MS = 1000

interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly body: string
}

/**
 * GET requests within a budget. 429 and 418 stop every request of this client for as long as the answer says; they and passing trouble are tried again
 * a few times. Never sends an Origin header.
 */
export class RestClient {
  readonly #options: RestClientOptions
  readonly #context: Context
  /** Whether the last request had an answer: only the first that has none is worth a warning. */
  #reachable = true
  readonly #agent = new Agent({connections: 4, headersTimeout: TIMEOUT_MS, bodyTimeout: TIMEOUT_MS, connect: {timeout: TIMEOUT_MS}})

  constructor(options: RestClientOptions, context: Context) {
    this.#options = options
    this.#context = context
  }

  /** The body of a 200. Rejects with RestStatusError (`retry` never: asking again will not help), RestUnreachableError or AbortedError. */
  async get(url: string, signal: AbortSignal): Promise<string> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#once(url, signal)
      } catch (error) {
        if (!(error instanceof CoinpipeError) || error.retry.kind !== 'later' || attempt >= ATTEMPTS) throw error
        this.#reportRetry(url, attempt, error)
        // A limit blocks the limiter instead, for everyone.
        if (error.retry.afterMs === undefined) await this.#context.clock.sleep(backoffMs(attempt, BACKOFF, this.#context.random), signal)
      }
    }
  }

  async close(): Promise<void> {
    await this.#agent.destroy()
  }

  async #once(url: string, signal: AbortSignal): Promise<string> {
    const {limiter, blockedWaitMs} = this.#options
    await limiter.acquire(signal)
    const answer = await this.#ask(url, signal)
    this.#reachable = true
    this.#count(`${Math.floor(answer.status / 100)}xx`)
    if (remaining(answer) === 0) limiter.blockUntilNextWindow()
    if (answer.status === 200) return answer.body
    if (answer.status === 429 || answer.status === 418) {
      const waitMs = retryAfterMs(answer) ?? (answer.status === 418 ? blockedWaitMs : DEFAULT_LIMITED_WAIT_MS)
      limiter.block(waitMs)
      throw new RestStatusError(url, answer.status, answer.body, {retry: {kind: 'later', afterMs: waitMs}})
    }
    throw new RestStatusError(url, answer.status, answer.body, {retry: answer.status >= 500 ? {kind: 'later'} : {kind: 'never'}})
  }

  async #ask(url: string, signal: AbortSignal): Promise<Answer> {
    try {
      const {statusCode, headers, body} = await request(url, {dispatcher: this.#agent, signal, headers: {accept: 'application/json'}})
      return {status: statusCode, headers, body: await body.text()}
    } catch (error) {
      if (signal.aborted) throw new AbortedError()
      this.#count('none')
      throw new RestUnreachableError(url, {cause: error, seen: error instanceof Error ? error.message : String(error)})
    }
  }

  #reportRetry(url: string, attempt: number, error: CoinpipeError): void {
    const news = this.#reachable && error instanceof RestUnreachableError
    if (news) this.#reachable = false
    const fields = {url, attempt, code: error.code, reason: error.message, ...(news ? {remedy: error.remedy} : {})}
    this.#context.logger[news ? 'warn' : 'debug'](fields, 'REST request failed, trying again')
  }

  #count(status: string): void {
    this.#context.metrics.counter('coinpipe_backfill_requests_total').add(1, {exchange: this.#options.exchange, status})
  }
}

function header(answer: Answer, name: string): string | undefined {
  const value = answer.headers[name]
  return Array.isArray(value) ? value[0] : value
}

/** Requests left in this second, of `Remaining-Req: group=trade; min=600; sec=9`. */
function remaining(answer: Answer): number | undefined {
  const found = /(?:^|;)\s*sec=(\d+)/.exec(header(answer, 'remaining-req') ?? '')
  return found ? Number(found[1]) : undefined
}

/** Seconds or a date, as HTTP has it. */
function retryAfterMs(answer: Answer): number | undefined {
  const text = header(answer, 'retry-after')
  if (text === undefined) return undefined
  const ms = /^\d+$/.test(text) ? Number(text) * 1000 : Date.parse(text) - Date.now()
  return Number.isFinite(ms) ? Math.max(0, ms) : undefined
}
