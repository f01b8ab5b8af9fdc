import type {Context} from '../../core/context.ts'
import {DeadlineError} from '../../core/errors.ts'
import {CassandraBusyError} from './errors.ts'
import type {ReadOptions} from './options.ts'
import type {CassandraSession, Page, PageOptions, Row} from './session.ts'

const FIRST_PAUSE_MS = 50
const LONGEST_PAUSE_MS = 1000

/**
 * Statements of one answer. Each is asked again while the cluster is too busy, or has too few replicas up, until the answer's deadline. Then DeadlineError
 * where nothing came, else the cluster's own last error.
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
    for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS)) {
      try {
        return await this.#try(query, params, options)
      } catch (error) {
        if (!(error instanceof CassandraBusyError) || this.#leftMs() <= pauseMs) throw error
        await clock.sleep(pauseMs * (0.5 + random()), signal)
      }
    }
  }

  /** The driver bounds each node it asks; this bounds them together. */
  async #try(query: string, params: readonly unknown[], options: PageOptions): Promise<Page> {
    const leftMs = Math.max(1, this.#leftMs())
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

  #leftMs(): number {
    return this.#endsAtMs - this.#context.clock.monotonicMs()
  }

  #tooLate(): DeadlineError {
    const {hosts} = this.#session.options
    return new DeadlineError(`Cassandra on ${hosts.join(', ')} did not answer within ${this.#deadlineMs / 1000} s`, {
      remedy: ['look at the nodes: coinpipe cluster status', 'or ask for less at once'],
    })
  }
}
