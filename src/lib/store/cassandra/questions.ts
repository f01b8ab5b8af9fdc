import type {Context} from '../../core/context.ts'
import {DeadlineError} from '../../core/errors.ts'
import {CassandraBusyError, CassandraUnreachableError} from './errors.ts'
import type {ReadOptions} from './options.ts'
import type {CassandraSession, Page, PageOptions, Row} from './session.ts'

const FIRST_PAUSE_MS = 50
const LONGEST_PAUSE_MS = 1000

/** Longest time that one page of a long answer is tried. */
const PAGE_MS = 30_000

/**
 * Statements of one answer. Each is asked again while no node answers, or those that do are too busy or too few, until the answer's deadline. Then
 * DeadlineError where nothing came, else the cluster's own last error.
 */
export class Questions {
  readonly #session: CassandraSession
  readonly #context: Context
  readonly #consistency: ReadOptions['consistency']
  readonly #deadlineMs: number
  /** By the clock that never steps back. */
  readonly #endsAtMs: number

  constructor(session: CassandraSession, context: Context, consistency: ReadOptions['consistency'], deadlineMs: number) {
    this.#session = session
    this.#context = context
    this.#consistency = consistency
    this.#deadlineMs = deadlineMs
    this.#endsAtMs = context.clock.monotonicMs() + deadlineMs
  }

  /** The only row, or the first. */
  async one(query: string, params: readonly unknown[]): Promise<Row | null> {
    return (await this.#page(query, params, {fetchSize: 1})).rows[0] ?? null
  }

  /** Rows in pages of `fetchSize`, read as the caller takes them. */
  async *pages(query: string, params: readonly unknown[], fetchSize: number): AsyncGenerator<readonly Row[]> {
    for (let pageState: string | undefined; ; ) {
      const {rows, next} = await this.#page(query, params, {fetchSize, ...(pageState === undefined ? {} : {pageState})})
      yield rows
      if (next === null) return
      pageState = next
    }
  }

  async #page(query: string, params: readonly unknown[], options: PageOptions): Promise<Page> {
    const {clock, signal, random} = this.#context
    const endsAtMs = Math.min(this.#endsAtMs, clock.monotonicMs() + PAGE_MS)
    for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS)) {
      try {
        return await this.#try(query, params, options, Math.max(1, endsAtMs - clock.monotonicMs()))
      } catch (error) {
        const mayPass = error instanceof CassandraBusyError || error instanceof CassandraUnreachableError
        if (!mayPass || endsAtMs - clock.monotonicMs() <= 1.5 * pauseMs) throw error
        await clock.sleep(pauseMs * (0.5 + random()), signal)
      }
    }
  }

  /** The driver bounds each node it asks; this bounds them together. */
  async #try(query: string, params: readonly unknown[], options: PageOptions, leftMs: number): Promise<Page> {
    const requestTimeoutMs = Math.min(leftMs, this.#session.options.requestTimeoutMs)
    const late = Promise.withResolvers<never>()
    const timer = setTimeout(() => late.reject(this.#tooLate()), leftMs)
    try {
      const page = this.#session.page(query, params, {...options, requestTimeoutMs, consistency: this.#consistency})
      return await Promise.race([page, late.promise])
    } finally {
      clearTimeout(timer)
    }
  }

  #tooLate(): DeadlineError {
    const {hosts} = this.#session.options
    return new DeadlineError(`Cassandra on ${hosts.join(', ')} did not answer within ${this.#deadlineMs / 1000} s`, {
      remedy: ['look at the nodes: coinpipe cluster status', 'or ask for less at once'],
    })
  }
}
