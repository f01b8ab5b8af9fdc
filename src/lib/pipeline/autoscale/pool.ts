import type {Context} from '../../core/context.ts'
import {AbortedError, EXIT, type ExitCode} from '../../core/errors.ts'
import {WorkersFailedError} from './errors.ts'
import {Worker, type WorkerCommand, type WorkerEnd} from './worker.ts'

export interface PoolOptions {
  readonly command: WorkerCommand
  /** Label of the metrics. */
  readonly component: string
  /** How long a worker that was told to stop may take before it is killed. */
  readonly drainMs: number
  /** How long a worker must have lived to count as one that works; default 10 s. */
  readonly provenMs?: number
}

/** Records by component of the workers, as their summaries say; those of workers that were killed are missing. */
export type Totals = Readonly<Record<string, Readonly<Record<string, number>>>>

const PROVEN_MS = 10_000
const FIRST_WAIT_MS = 250
const LONGEST_WAIT_MS = 30_000
/** So many failures in a row of the same place, with no worker ever proven, end the pool. */
const FAILURES = 3

interface Slot {
  readonly stop: AbortController
  readonly ended: Promise<void>
}

/** Worker processes, as many as asked for: one that ends by itself is started again, ever later while it keeps failing. */
export class WorkerPool {
  readonly #options: PoolOptions
  readonly #context: Context
  /** By number, from 1; those that drain are no longer among them. */
  readonly #slots = new Map<number, Slot>()
  readonly #draining = new Map<number, Promise<void>>()
  readonly #living = new Set<Worker>()
  readonly #failed = Promise.withResolvers<never>()
  readonly #killAll = () => {
    for (const worker of this.#living) worker.kill()
  }
  #totals: Totals = {}
  #proven = false
  #restarts = 0

  constructor(options: PoolOptions, context: Context) {
    this.#options = options
    this.#context = context
    // Whoever waits for it gets it; where nobody does it is no unhandled rejection.
    this.#failed.promise.catch(() => undefined)
    // A second Ctrl-C, or the drain deadline, leaves without closing.
    process.once('exit', this.#killAll)
  }

  /** Processes that live now, those that drain too. */
  get running(): number {
    return this.#living.size
  }

  /** Times that a worker ended by itself and was started again. */
  get restarts(): number {
    return this.#restarts
  }

  get totals(): Totals {
    return this.#totals
  }

  /** Rejects with WorkersFailedError once it is clear that no worker can work. */
  get failed(): Promise<never> {
    return this.#failed.promise
  }

  /** Starts or stops workers, the highest number first, without waiting for it. */
  scale(workers: number): void {
    while (this.#slots.size < workers) this.#open()
    for (const [number] of [...this.#slots].sort(([a], [b]) => b - a).slice(0, this.#slots.size - workers)) this.#drain(number)
  }

  /** Stops all workers and waits until they are gone. A second call does nothing. */
  async close(): Promise<void> {
    this.scale(0)
    await Promise.all(this.#draining.values())
    process.off('exit', this.#killAll)
  }

  #open(): void {
    let number = 1
    while (this.#slots.has(number) || this.#draining.has(number)) number += 1
    const stop = new AbortController()
    this.#slots.set(number, {stop, ended: this.#keep(number, stop.signal)})
  }

  #drain(number: number): void {
    const slot = this.#slots.get(number)
    if (slot === undefined) return
    this.#slots.delete(number)
    this.#draining.set(
      number,
      slot.ended.finally(() => this.#draining.delete(number)),
    )
    slot.stop.abort()
  }

  /** One worker after the other under the same number, until the signal aborts. */
  async #keep(number: number, signal: AbortSignal): Promise<void> {
    const {clock, random, metrics} = this.#context
    const {component, provenMs = PROVEN_MS} = this.#options
    const logger = this.#context.logger.child({worker: number})
    for (let failures = 0; !signal.aborted; ) {
      const startedMs = clock.monotonicMs()
      const end = await this.#run(number, signal)
      this.#totals = added(this.#totals, end.answer)
      if (signal.aborted) return
      const livedMs = clock.monotonicMs() - startedMs
      // What is wrong with the flags or the config stays wrong, however long a busy machine takes to find it.
      const hasWorked = livedMs >= provenMs && end.code !== EXIT.usage
      if (hasWorked) this.#proven = true
      failures = hasWorked ? 1 : failures + 1
      if (!this.#proven && failures >= FAILURES) return this.#failed.reject(workersFailed(end, failures))
      const waitMs = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** (failures - 1)) * (1 + random() / 2)
      logger.error(
        {...describeEnd(end), livedMs: Math.round(livedMs), failures, waitMs: Math.round(waitMs)},
        'worker ended by itself, starting it again',
      )
      metrics.counter('coinpipe_worker_restarts_total').add(1, {component})
      this.#restarts += 1
      await clock.sleep(waitMs, signal).catch(ignoreStop)
    }
  }

  async #run(number: number, signal: AbortSignal): Promise<WorkerEnd> {
    const {command, drainMs} = this.#options
    const logger = this.#context.logger.child({worker: number})
    const worker = new Worker(command, logger)
    this.#living.add(worker)
    logger.info({workerPid: worker.pid}, 'worker started')
    let timer: NodeJS.Timeout | undefined
    const stop = () => {
      worker.stop()
      timer = setTimeout(() => {
        logger.warn({workerPid: worker.pid, drainMs}, 'worker did not end in time and is killed')
        worker.kill()
      }, drainMs)
    }
    if (signal.aborted) stop()
    else signal.addEventListener('abort', stop, {once: true})
    try {
      const end = await worker.ended
      if (signal.aborted) logger.info({workerPid: worker.pid, ...describeEnd(end)}, 'worker stopped')
      return end
    } finally {
      clearTimeout(timer)
      signal.removeEventListener('abort', stop)
      this.#living.delete(worker)
    }
  }
}

function describeEnd({code, signal, answer, cause}: WorkerEnd): object {
  const error = errorOf(answer)
  return {
    ...(code === null ? {} : {exitCode: code}),
    ...(signal === null ? {} : {signal}),
    ...(error === undefined ? {} : {code: error.code, reason: error.message}),
    ...(cause === undefined ? {} : {reason: cause.message}),
  }
}

function workersFailed(end: WorkerEnd, failures: number): WorkersFailedError {
  const error = errorOf(end.answer)
  const how = end.code === null ? (end.signal ?? end.cause?.message ?? 'no exit code') : `exit code ${end.code}`
  const known =
    (Object.values(EXIT) as number[]).includes(end.code ?? -1) && end.code !== EXIT.ok ? (end.code as ExitCode) : EXIT.unavailable
  return new WorkersFailedError(
    `no worker can work: ${failures} in a row ended by themselves, the last with ${how}${error ? `: ${error.message}` : ''}`,
    {
      remedy: error?.remedy ?? ['see what it logged above, or run the sink by itself'],
      exitCode: known,
    },
  )
}

interface WorkerError {
  readonly code: string
  readonly message: string
  readonly remedy: readonly string[]
}

/** The error in what `--json` printed. */
function errorOf(answer: unknown): WorkerError | undefined {
  if (typeof answer !== 'object' || answer === null || !('error' in answer)) return undefined
  const {code, message, remedy} = answer.error as Partial<WorkerError>
  return {code: code ?? '', message: message ?? '', remedy: remedy ?? []}
}

/** The totals with those of one more summary. */
function added(totals: Totals, answer: unknown): Totals {
  if (typeof answer !== 'object' || answer === null || 'error' in answer) return totals
  const sums = Object.entries(answer).map(([component, counts]) => [component, addedCounts(totals[component] ?? {}, counts)])
  return {...totals, ...Object.fromEntries(sums)}
}

function addedCounts(counts: Readonly<Record<string, number>>, more: unknown): Readonly<Record<string, number>> {
  const numbers = Object.entries(more ?? {}).filter((entry): entry is [string, number] => typeof entry[1] === 'number')
  return {...counts, ...Object.fromEntries(numbers.map(([name, value]) => [name, value + (counts[name] ?? 0)]))}
}

function ignoreStop(error: unknown): void {
  if (!(error instanceof AbortedError)) throw error
}
