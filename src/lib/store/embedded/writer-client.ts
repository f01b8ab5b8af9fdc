import {Worker} from 'node:worker_threads'
import {DeadlineError} from '../../core/errors.ts'
import {WRITER_LIMITS, workerEntry} from '../../core/worker-entry.ts'
import type {StoreRetention} from './batch.ts'
import {StoreCorruptError, StoreSchemaError, StoreWriterError, storeError} from './errors.ts'
import {SCHEMA_VERSION} from './schema.ts'
import type {WriterCall, WriterCalls, WriterReply} from './writer-protocol.ts'

/** More than a lock wait and the largest batch on a slow disk. */
const CALL_DEADLINE_MS = 60_000
const CLOSE_DEADLINE_MS = 10_000

export interface WriterClientOptions {
  readonly path: string
  readonly busyTimeoutMs: number
  readonly retention: StoreRetention
}

interface Pending {
  resolve(reply: unknown): void
  reject(error: unknown): void
  readonly timer: NodeJS.Timeout
}

/** The main thread's side of one writer thread. */
export class WriterClient {
  private readonly path: string
  private readonly worker: Worker
  private readonly pending = new Map<number, Pending>()
  private lastId = 0
  private ended: StoreWriterError | undefined

  private constructor(path: string) {
    this.path = path
    this.worker = new Worker(workerEntry('store-writer'), {name: 'store-writer', resourceLimits: WRITER_LIMITS})
    this.worker.on('message', (reply: WriterReply) => this.settle(reply))
    this.worker.on('error', (error) => this.end(error instanceof Error ? error.message : String(error), error))
    this.worker.on('exit', (code) => this.end(`exit code ${code}`))
  }

  /** Starts the thread and has it open the store. */
  static async open(options: WriterClientOptions): Promise<WriterClient> {
    const client = new WriterClient(options.path)
    try {
      await client.call('open', options)
      return client
    } catch (error) {
      await client.worker.terminate()
      throw error
    }
  }

  get alive(): boolean {
    return this.ended === undefined
  }

  call<C extends WriterCall>(call: C, request: WriterCalls[C]['request'], deadlineMs = CALL_DEADLINE_MS): Promise<WriterCalls[C]['reply']> {
    if (this.ended) return Promise.reject(this.ended)
    const id = ++this.lastId
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.pending.delete(id)
        reject(new DeadlineError(`the writer of the store ${this.path} did not answer '${call}' within ${deadlineMs} ms`))
      }, deadlineMs)
      this.pending.set(id, {resolve: resolve as (reply: unknown) => void, reject, timer})
      this.worker.postMessage({id, call, request})
    })
  }

  /** Lets the calls before it finish, closes the file and ends the thread. */
  async close(): Promise<void> {
    try {
      if (this.alive) await this.call('close', undefined, CLOSE_DEADLINE_MS)
    } finally {
      await this.worker.terminate()
    }
  }

  private settle(reply: WriterReply): void {
    const pending = this.pending.get(reply.id)
    // Past its deadline: the caller has been told already.
    if (!pending) return
    this.pending.delete(reply.id)
    clearTimeout(pending.timer)
    if (reply.ok) pending.resolve(reply.reply)
    else pending.reject(this.errorOf(reply))
  }

  private errorOf({error, errcode, refusal}: Extract<WriterReply, {ok: false}>): unknown {
    if (refusal?.kind === 'schema') return new StoreSchemaError(this.path, refusal.found, SCHEMA_VERSION, {cause: error})
    if (refusal?.kind === 'foreign') return new StoreCorruptError(this.path, refusal.seen, {cause: error})
    return storeError(this.path, error, errcode)
  }

  private end(seen: string, cause?: unknown): void {
    this.ended ??= new StoreWriterError(this.path, seen, cause === undefined ? {} : {cause})
    for (const {reject, timer} of this.pending.values()) {
      clearTimeout(timer)
      reject(this.ended)
    }
    this.pending.clear()
  }
}
