import {Worker} from 'node:worker_threads'
import {NotConnectedError} from '../../core/errors.ts'
import {WRITER_LIMITS, workerEntry} from '../../core/worker-entry.ts'
import {ByteGate} from '../byte-gate.ts'
import {orLate} from '../deadline.ts'
import {fromFailure, WriterLostError} from '../errors.ts'
import type {FromWriter, OpName, Reply, ToWriter, WriterOps, WriterOptions} from './protocol.ts'

/** How long opening may take: a lock wait, and a file that has to be recovered after a crash. */
const OPEN_MS = 30_000
const CLOSE_MS = 10_000

interface Waiting {
  readonly bytes: number
  resolve(result: unknown): void
  reject(error: Error): void
}

export interface WriterClientOptions extends WriterOptions {
  /** Most bytes on their way to the writer; a publish that would pass it waits. */
  readonly maxQueueBytes: number
}

export interface WriterEvents {
  /** Something was committed. */
  onCommit(): void
  onMaintained(deleted: number, logBytes: number): void
  onMaintenanceFailed(error: Error): void
  onQueue(requests: number, bytes: number): void
}

/** The main thread's side of the writer thread. */
export class WriterClient {
  readonly #options: WriterClientOptions
  readonly #events: WriterEvents
  readonly #waiting = new Map<number, Waiting>()
  readonly #gate: ByteGate
  #worker: Worker | null = null
  #opening: Promise<void> | null = null
  #state: 'new' | 'open' | 'closed' = 'new'
  #lastId = 0

  constructor(options: WriterClientOptions, events: WriterEvents) {
    this.#options = options
    this.#events = events
    this.#gate = new ByteGate(options.maxQueueBytes)
  }

  /** Starts the writer thread and opens the log; does nothing where that was done. */
  async connect(): Promise<void> {
    if (this.#state === 'closed') throw this.notConnected()
    if (this.#worker !== null) return
    this.#opening ??= this.#start().finally(() => {
      this.#opening = null
    })
    await this.#opening
    if (this.#state === 'new') this.#state = 'open'
  }

  /** `bytes` counts against the queue limit; what has none, as heartbeats and commits, never waits behind a full queue. */
  call<K extends OpName>(op: K, input: WriterOps[K]['in'], bytes = 0): Promise<WriterOps[K]['out']> {
    return new Promise<WriterOps[K]['out']>((resolve, reject) => {
      const post = () => this.#post(op, input, {bytes, resolve: resolve as Waiting['resolve'], reject})
      if (bytes === 0) post()
      else this.#gate.enter(bytes, post)
    })
  }

  /** Has the writer finish what it was given, within bounds. */
  async close(): Promise<void> {
    this.#state = 'closed'
    await this.#opening?.catch(() => undefined)
    const worker = this.#worker
    if (worker === null) return
    this.#worker = null
    const exited = new Promise<void>((resolve) => worker.once('exit', () => resolve()))
    worker.postMessage({kind: 'close'} satisfies ToWriter)
    try {
      await orLate(exited, CLOSE_MS, `closing the log ${this.#options.path}`)
    } catch (error) {
      await worker.terminate()
      throw error
    }
  }

  #post<K extends OpName>(op: K, input: WriterOps[K]['in'], waiting: Waiting): void {
    if (this.#worker === null) {
      this.#postLater(op, input, waiting)
      return
    }
    const id = ++this.#lastId
    this.#waiting.set(id, waiting)
    // A variant of `Request`: the type system cannot follow that op and input belong together through a type parameter.
    this.#worker.postMessage({kind: 'request', request: {id, op, input}} as ToWriter)
    this.#events.onQueue(this.#waiting.size, this.#gate.bytes)
  }

  #onMessage(message: FromWriter, opened: PromiseWithResolvers<void>): void {
    if (message.kind === 'replies') this.#onReplies(message.replies)
    else if (message.kind === 'opened') opened.resolve()
    else if (message.kind === 'openFailed') opened.reject(fromFailure(message.failure))
    else if (message.kind === 'maintained') this.#events.onMaintained(message.deleted, message.logBytes)
    else this.#events.onMaintenanceFailed(fromFailure(message.failure))
  }

  #onReplies(replies: readonly Reply[]): void {
    for (const reply of replies) {
      const waiting = this.#waiting.get(reply.id)
      if (waiting === undefined) continue
      this.#waiting.delete(reply.id)
      if ('failure' in reply) waiting.reject(fromFailure(reply.failure))
      else waiting.resolve(reply.result)
      this.#gate.leave(waiting.bytes)
    }
    this.#events.onQueue(this.#waiting.size, this.#gate.bytes)
    this.#events.onCommit()
  }

  #onExit(worker: Worker, death: Error | undefined, failOpening: (error: Error) => void): void {
    const error = new WriterLostError(
      `the writer thread of the log ${this.#options.path} ended${death === undefined ? '' : `: ${death.message}`}`,
      {
        cause: death,
        retry: {kind: 'later'},
        remedy: [
          'what was not acknowledged may or may not be in the log: publish it once more; a new writer is started for it',
          'please report this: it is a bug',
        ],
      },
    )
    failOpening(error)
    if (this.#worker !== worker && this.#state !== 'closed') return
    this.#worker = null
    const waiting = [...this.#waiting.values()]
    this.#waiting.clear()
    for (const {bytes, reject} of waiting) {
      reject(error)
      this.#gate.leave(bytes)
    }
  }

  /** A writer thread that ended by itself is started anew by the next request. */
  #postLater<K extends OpName>(op: K, input: WriterOps[K]['in'], waiting: Waiting): void {
    const reconnected = this.#state === 'open' ? this.connect() : Promise.reject(this.notConnected())
    reconnected.then(
      () => this.#post(op, input, waiting),
      (error: Error) => {
        waiting.reject(error)
        this.#gate.leave(waiting.bytes)
      },
    )
  }

  async #start(): Promise<void> {
    const {path, busyTimeoutMs, lingerMs, retentionCheckMs} = this.#options
    const workerData: WriterOptions = {path, busyTimeoutMs, lingerMs, retentionCheckMs}
    const worker = new Worker(workerEntry('bus-writer'), {workerData, name: 'bus-writer', resourceLimits: WRITER_LIMITS})
    const opened = Promise.withResolvers<void>()
    let death: Error | undefined
    worker.on('message', (message: FromWriter) => this.#onMessage(message, opened))
    worker.on('error', (error: Error) => {
      death = error
    })
    worker.on('exit', () => this.#onExit(worker, death, opened.reject))
    try {
      await orLate(opened.promise, OPEN_MS, `opening the log ${path}`)
    } catch (error) {
      await worker.terminate()
      throw error
    }
    this.#worker = worker
  }

  notConnected(): NotConnectedError {
    return new NotConnectedError(`the log ${this.#options.path} is not open`, {
      remedy: ['call connect() first; after close() the bus is over'],
    })
  }
}
