import type {DatabaseSync} from 'node:sqlite'
import type {MessagePort} from 'node:worker_threads'
import {toFailure} from '../errors.ts'
import {maintain} from './maintenance.ts'
import {Operations} from './operations.ts'
import type {FromWriter, Reply, Request, ToWriter, WriterOptions} from './protocol.ts'
import {logBytes, openForWriting} from './schema.ts'
import {concernsWholeLog, integrity, translateSqliteError} from './sqlite-errors.ts'

/** Requests of one commit hold about this many records at most. */
const COMMIT_RECORDS = 1000
/** After a commit the writer waits for this many times as long as it took, within bounds: many small requests cost a tenth of a thread at most. */
const LINGER_FACTOR = 9

/**
 * The writer thread: all writes of a process, several requests to a commit. A request that comes after a pause is committed at once; under load the
 * next commit waits a little for more, at most `lingerMs` or until a thousand records are there, whichever is first.
 */
export function runWriter(port: MessagePort, options: WriterOptions): void {
  const send = (message: FromWriter) => port.postMessage(message)
  let db: DatabaseSync
  try {
    db = openForWriting(options.path, options.busyTimeoutMs)
  } catch (error) {
    send({kind: 'openFailed', failure: toFailure(translateSqliteError(error, options.path, options.busyTimeoutMs))})
    port.close()
    return
  }
  const writer = new Writer(db, options, send)
  port.on('message', (message: ToWriter) => {
    if (message.kind === 'request') return writer.push(message.request)
    writer.close()
    port.close()
  })
  send({kind: 'opened'})
}

class Writer {
  readonly #db: DatabaseSync
  readonly #options: WriterOptions
  readonly #send: (message: FromWriter) => void
  readonly #operations: Operations
  readonly #maintenanceTimer: NodeJS.Timeout
  #queue: Request[] = []
  #queuedRecords = 0
  #nextCommitMs = Number.NEGATIVE_INFINITY
  #timer: NodeJS.Timeout | null = null
  #immediate: NodeJS.Immediate | null = null
  #maintaining = false
  /** Found out once: it takes a while. */
  #damage: string | null = null
  #closed = false

  constructor(db: DatabaseSync, options: WriterOptions, send: (message: FromWriter) => void) {
    this.#db = db
    this.#options = options
    this.#send = send
    this.#operations = new Operations(db)
    this.#maintenanceTimer = setInterval(() => this.#startMaintenance(), options.retentionCheckMs)
    this.#startMaintenance()
  }

  push(request: Request): void {
    this.#queue.push(request)
    this.#queuedRecords += recordsOf(request)
    this.#schedule()
  }

  /** Writes what is queued, then closes the file. */
  close(): void {
    while (this.#queue.length > 0) this.#flush()
    this.#closed = true
    clearInterval(this.#maintenanceTimer)
    if (this.#timer !== null) clearTimeout(this.#timer)
    if (this.#immediate !== null) clearImmediate(this.#immediate)
    this.#db.close()
  }

  #schedule(): void {
    if (this.#immediate !== null) return
    const waitMs = this.#queuedRecords >= COMMIT_RECORDS ? 0 : this.#nextCommitMs - performance.now()
    if (waitMs <= 0) {
      if (this.#timer !== null) clearTimeout(this.#timer)
      this.#timer = null
      // Not at once: messages that have arrived by now join this commit.
      this.#immediate = setImmediate(() => {
        this.#immediate = null
        this.#flush()
        if (this.#queue.length > 0) this.#schedule()
      })
    } else {
      this.#timer ??= setTimeout(() => {
        this.#timer = null
        this.#schedule()
      }, waitMs)
    }
  }

  #flush(): void {
    const requests = this.#takeBatch()
    const startMs = performance.now()
    const replies = this.#commitTogether(requests)
    const endMs = performance.now()
    this.#nextCommitMs = endMs + Math.min(this.#options.lingerMs, (endMs - startMs) * LINGER_FACTOR)
    this.#send({kind: 'replies', replies})
  }

  #takeBatch(): Request[] {
    let records = 0
    let count = 0
    while (count < this.#queue.length && records < COMMIT_RECORDS) records += recordsOf(this.#queue[count++] as Request)
    this.#queuedRecords -= records
    return this.#queue.splice(0, count)
  }

  #takeAll(): Request[] {
    this.#queuedRecords = 0
    return this.#queue.splice(0)
  }

  /** One transaction for all; where a request fails for its own reasons, one for each, so that the others go through. */
  #commitTogether(requests: readonly Request[]): Reply[] {
    try {
      return this.#transact(() => requests.map(({id, op, input}) => ({id, result: this.#operations.run(op, input, Date.now())})))
    } catch (error) {
      const whole = concernsWholeLog(error)
      if (requests.length > 1 && !whole) return requests.flatMap((request) => this.#commitTogether([request]))
      // Those behind have waited for as long as these: to try each again would add a lock wait per commit.
      const failed = whole ? [...requests, ...this.#takeAll()] : requests
      const failure = toFailure(this.#translate(error))
      return failed.map(({id}) => ({id, failure}))
    }
  }

  #transact<T>(work: () => T): T {
    try {
      this.#db.exec('BEGIN IMMEDIATE')
      const result = work()
      this.#operations.beforeCommit()
      this.#db.exec('COMMIT')
      return result
    } catch (error) {
      // SQLite has rolled back by itself after some errors (disk full, for one).
      if (this.#db.isTransaction) this.#db.exec('ROLLBACK')
      throw error
    } finally {
      this.#operations.afterTransaction()
    }
  }

  #startMaintenance(): void {
    if (this.#maintaining) return
    this.#maintaining = true
    this.#maintainStep(maintain(this.#db, Date.now()), 0)
  }

  /** Each step is a transaction; what was queued meanwhile goes first. */
  #maintainStep(steps: Generator<number, void, void>, deleted: number): void {
    setImmediate(() => {
      if (this.#closed) return
      try {
        const step = this.#transact(() => steps.next())
        if (!step.done) return this.#maintainStep(steps, deleted + step.value)
        this.#send({kind: 'maintained', deleted, logBytes: logBytes(this.#options.path)})
      } catch (error) {
        this.#send({kind: 'maintenanceFailed', failure: toFailure(this.#translate(error))})
      }
      this.#maintaining = false
    })
  }

  #translate(error: unknown): unknown {
    return translateSqliteError(error, this.#options.path, this.#options.busyTimeoutMs, () => {
      this.#damage ??= integrity(this.#db)
      return this.#damage
    })
  }
}

function recordsOf(request: Request): number {
  if (request.op === 'publish') return request.input.keyOf.length
  return request.op === 'transactionCommit' ? request.input.batch.keyOf.length + 1 : 1
}
