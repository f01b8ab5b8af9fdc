import type {Context} from '../../core/context.ts'
import {AbortedError, CoinpipeError, DeadlineError, isRetryable, NotConnectedError} from '../../core/errors.ts'
import type {RefusedItem} from '../../core/ports/sink.ts'
import {AdaptiveLimit, type LimitOptions} from './concurrency.ts'
import {Gates} from './gates.ts'
import {Lane} from './lane.ts'
import type {Partition} from './partitions.ts'
import {PendingWrite} from './pending-write.ts'
import type {Row} from './row.ts'
import {Trouble} from './trouble.ts'

export interface BatchSettings {
  /** Most rows and bytes of one request; a larger row goes alone. */
  readonly rows: number
  readonly bytes: number
  /** Longest wait for more rows of the same partition. */
  readonly lingerMs: number
  readonly limit: LimitOptions
}

export interface BatcherOptions {
  readonly maxBytes: number
  /** How long rows are tried without success. */
  readonly deadlineMs: number
  readonly component: string
  /** Writes rows of one partition, in one request. Rejects with a CoinpipeError. */
  readonly send: (rows: readonly Row[]) => Promise<void>
  /** Whether an error is about a row of the request; the others of it are written without that row. */
  readonly isRowsFault: (error: unknown) => error is CoinpipeError
}

/** A part of a batch that was refused, on the way to the row that is to blame. */
interface Part {
  readonly lane: Lane
  readonly rows: readonly Row[]
}

const FIRST_BACKOFF_MS = 100
const MAX_BACKOFF_MS = 5000
/** How exactly linger, waits and deadlines are kept. */
const MIN_TICK_MS = 2
const MAX_TICK_MS = 25
const IDLE_LANES = 10_000

/**
 * Gathers rows by partition and sends them as batches of one partition, several at once. A partition is due when it has rows for a whole batch, or its
 * oldest row has lingered; those that are due take turns, one batch each, so that one with many rows never keeps others waiting. The order of rows inside
 * a partition does not matter: events are rows of their own, and states say how new they are; so batches of one partition may overtake each other, and a
 * failed one may be sent again behind others.
 *
 * A batch that fails is sent again, later and later, until the deadline of its rows; then their `write` rejects, and the caller starts over.
 */
export class RowBatcher {
  readonly #options: BatcherOptions
  readonly #context: Context
  readonly #labels: {readonly component: string}
  readonly #lanes = new Map<Partition, Lane>()
  /** In the order in which they began to linger; to be sent, in turn; waiting for another attempt. */
  readonly #lingering = new Set<Lane>()
  readonly #due = new Set<Lane>()
  readonly #backingOff = new Set<Lane>()
  readonly #parts: Part[] = []
  /** Oldest first. */
  readonly #writes = new Set<PendingWrite>()
  readonly #gates = new Gates()
  #settings: BatchSettings
  readonly #limit: AdaptiveLimit
  #bytes = 0
  #progressAtMs = Number.NEGATIVE_INFINITY
  readonly #trouble: Trouble
  #sweepAt = IDLE_LANES
  #closed: CoinpipeError | undefined
  #ticker = new AbortController()
  #ticking = false

  constructor(settings: BatchSettings, options: BatcherOptions, context: Context) {
    this.#settings = settings
    this.#options = options
    this.#context = context
    this.#labels = {component: options.component}
    this.#limit = new AdaptiveLimit(settings.limit)
    this.#trouble = new Trouble(options.component, context)
  }

  /** Bytes of rows that are being written. */
  get bytes(): number {
    return this.#bytes
  }

  get limit(): AdaptiveLimit {
    return this.#limit
  }

  /** What keeps rows from being written, as long as it does. */
  get trouble(): CoinpipeError | undefined {
    return this.#trouble.error
  }

  /** From the next batch on. */
  change(settings: BatchSettings): void {
    this.#settings = settings
    this.#limit.change(settings.limit)
  }

  /** Waits while too many bytes are being written. Rejects with DeadlineError, or with what keeps rows from being written. */
  async room(): Promise<void> {
    if (this.#closed) throw this.#closed
    if (this.#bytes < this.#options.maxBytes && this.#gates.size === 0) return
    const open = this.#gates.wait(this.#nowMs())
    this.#tick()
    await open
  }

  /** Resolves with the refused rows once all others are written. Rejects when the deadline passed, or with an error that no other attempt would mend. */
  write(rows: readonly Row[]): Promise<readonly RefusedItem[]> {
    if (this.#closed) return Promise.reject(this.#closed)
    if (rows.length === 0) return Promise.resolve([])
    const nowMs = this.#nowMs()
    const write = new PendingWrite(rows.length, nowMs)
    this.#writes.add(write)
    for (const row of rows) {
      row.write = write
      this.#bytes += row.bytes
      const lane = this.#laneOf(row.partition)
      lane.add(row)
      this.#queue(lane, nowMs)
    }
    this.#send()
    this.#openGate()
    this.#report()
    this.#tick()
    return write.done
  }

  /** Waits for what is being written, at most until the deadline that ends what is left. Nothing is taken any more. */
  async close(withinMs: number): Promise<void> {
    this.#closed ??= new NotConnectedError('the connection to Cassandra was closed')
    const {clock} = this.#context
    const pending = Promise.allSettled([...this.#writes].map(({done}) => done))
    const late = new AbortController()
    await Promise.race([pending, clock.sleep(withinMs, late.signal).catch(() => undefined)])
    late.abort()
    for (const write of this.#writes) this.#fail(write, this.#closed)
    this.#gates.fail(this.#closed)
    this.#ticker.abort()
  }

  #laneOf(partition: Partition): Lane {
    let lane = this.#lanes.get(partition)
    if (lane === undefined) {
      if (this.#lanes.size >= this.#sweepAt) this.#sweep()
      lane = new Lane(partition)
      this.#lanes.set(partition, lane)
    }
    return lane
  }

  #sweep(): void {
    for (const [partition, lane] of this.#lanes) if (lane.isIdle) this.#lanes.delete(partition)
    this.#sweepAt = Math.max(IDLE_LANES, 2 * this.#lanes.size)
  }

  /** Puts a lane that has rows where it belongs. */
  #queue(lane: Lane, nowMs: number): void {
    if (this.#due.has(lane) || this.#backingOff.has(lane)) return
    const {rows, bytes, lingerMs} = this.#settings
    if (lane.rows >= rows || lane.bytes >= bytes || nowMs - lane.sinceMs >= lingerMs) {
      this.#lingering.delete(lane)
      this.#due.add(lane)
    } else {
      this.#lingering.add(lane)
    }
  }

  #send(): void {
    while (this.#limit.free) {
      const part = this.#parts.shift()
      if (part) {
        for (const row of part.rows) if (!row.isWanted) row.each(this.#forget)
        void this.#attempt(
          part.lane,
          part.rows.filter((row) => row.isWanted),
        )
        continue
      }
      const [lane] = this.#due
      if (!lane) return
      this.#due.delete(lane)
      const nowMs = this.#nowMs()
      const {rows, bytes} = this.#settings
      const taken = lane.take(rows, bytes, this.#forget)
      if (lane.rows > 0) this.#queue(lane, nowMs)
      if (taken.length === 0) this.#trouble.over(lane)
      void this.#attempt(lane, taken)
    }
  }

  async #attempt(lane: Lane, batch: readonly Row[]): Promise<void> {
    if (batch.length === 0) return
    const sentAtMs = this.#nowMs()
    this.#limit.enter()
    lane.inFlight += 1
    try {
      await this.#options.send(batch)
      this.#limit.succeeded(sentAtMs, this.#nowMs())
      this.#succeeded(lane, batch)
    } catch (error) {
      this.#failed(lane, batch, error, sentAtMs)
    }
    lane.inFlight -= 1
    this.#send()
    this.#openGate()
    this.#report()
  }

  #succeeded(lane: Lane, batch: readonly Row[]): void {
    const {metrics} = this.#context
    metrics.counter('coinpipe_sink_batches_total').add(1, this.#labels)
    metrics.counter('coinpipe_sink_rows_total').add(batch.length, this.#labels)
    this.#progressAtMs = this.#nowMs()
    for (const row of batch) row.each(this.#written)
    this.#trouble.over(lane)
  }

  #failed(lane: Lane, batch: readonly Row[], error: unknown, sentAtMs: number): void {
    if (isRetryable(error)) {
      this.#limit.failed(sentAtMs, this.#nowMs())
      this.#trouble.failed(lane, error)
      this.#backOff(lane, batch, error)
      return
    }
    this.#limit.left()
    if (this.#options.isRowsFault(error)) {
      this.#narrow(lane, batch, error)
      return
    }
    if (error instanceof CoinpipeError) this.#trouble.hopeless(error)
    this.#giveUp(batch, error)
    for (const row of batch) row.each(this.#forget)
  }

  #backOff(lane: Lane, batch: readonly Row[], error: CoinpipeError): void {
    const nowMs = this.#nowMs()
    // All that was under way when a lane began to fail is one failure.
    if (lane.failures === 0 || !this.#backingOff.has(lane)) {
      const longest = Math.min(MAX_BACKOFF_MS, FIRST_BACKOFF_MS * 2 ** Math.min(lane.failures, 16))
      if (lane.failures === 0) lane.failingSinceMs = nowMs
      lane.failures += 1
      lane.retryAtMs = nowMs + longest * (0.5 + this.#context.random() / 2)
    }
    lane.putBack(batch)
    this.#lingering.delete(lane)
    this.#due.delete(lane)
    this.#backingOff.add(lane)
    const latestMs = nowMs - this.#options.deadlineMs
    if (lane.failingSinceMs > latestMs) return
    this.#giveUp(
      lane.waiting.filter(({write}) => write !== undefined && write.startedMs <= latestMs),
      error,
    )
  }

  /** Halves until the row that is to blame stands alone; a state that it stood for is then sent in its place. */
  #narrow(lane: Lane, batch: readonly Row[], error: CoinpipeError): void {
    const [only] = batch
    if (only && batch.length === 1) {
      const {replaced} = only
      only.replaced = undefined
      this.#forget(only)
      only.write?.refuse({index: only.index, code: error.code, message: error.message})
      this.#drop(only)
      if (replaced) this.#parts.push({lane, rows: [replaced]})
      return
    }
    const middle = Math.ceil(batch.length / 2)
    this.#parts.push({lane, rows: batch.slice(0, middle)}, {lane, rows: batch.slice(middle)})
  }

  readonly #written = (row: Row): void => {
    this.#forget(row)
    row.write?.written()
    this.#drop(row)
  }

  readonly #forget = (row: Row): void => {
    this.#bytes -= row.bytes
  }

  #openGate(): void {
    if (this.#bytes < this.#options.maxBytes) this.#gates.openOne()
  }

  #drop({write}: Row): void {
    if (write?.settled) this.#writes.delete(write)
  }

  /** The rows stay where they are, and are left out when their turn comes. */
  #giveUp(rows: readonly Row[], error: unknown): void {
    for (const row of rows) row.each(({write}) => write && this.#fail(write, error))
  }

  #fail(write: PendingWrite, error: unknown): void {
    write.fail(error)
    this.#writes.delete(write)
  }

  /** Looks after all that waits for a time, for as long as anything is being written. */
  #tick(): void {
    if (this.#ticking) return
    this.#ticking = true
    void this.#tickUntilDone()
  }

  async #tickUntilDone(): Promise<void> {
    const {clock} = this.#context
    while (this.#writes.size > 0 || this.#gates.size > 0 || this.#bytes > 0) {
      const tickMs = Math.min(MAX_TICK_MS, Math.max(MIN_TICK_MS, this.#settings.lingerMs / 4))
      try {
        await clock.sleep(tickMs, this.#ticker.signal)
      } catch (error) {
        if (error instanceof AbortedError) return
        throw error
      }
      this.#wake(this.#nowMs())
    }
    this.#ticking = false
  }

  #wake(nowMs: number): void {
    for (const lane of this.#lingering) this.#queue(lane, nowMs)
    for (const lane of this.#backingOff) {
      if (lane.retryAtMs > nowMs) continue
      this.#backingOff.delete(lane)
      this.#due.add(lane)
    }
    const latestMs = nowMs - this.#options.deadlineMs
    if (this.#progressAtMs <= latestMs) this.#giveUpSince(latestMs)
    this.#send()
    this.#openGate()
  }

  /** Nothing at all was written for so long; what has merely waited behind other rows is not given up. */
  #giveUpSince(latestMs: number): void {
    for (const write of this.#writes) {
      if (write.startedMs > latestMs) break
      this.#fail(write, this.#late())
    }
    this.#gates.fail(this.#late(), latestMs)
  }

  #late(): CoinpipeError {
    return (
      this.#trouble.error ??
      new DeadlineError(`rows were not written within ${this.#options.deadlineMs} ms`, {
        remedy: ['look at the nodes: coinpipe cluster status'],
      })
    )
  }

  #report(): void {
    const {metrics} = this.#context
    metrics.gauge('coinpipe_component_queue_bytes').set(this.#bytes, this.#labels)
    metrics.gauge('coinpipe_sink_requests').set(this.#limit.inFlight, this.#labels)
    metrics.gauge('coinpipe_sink_requests_limit').set(this.#limit.limit, this.#labels)
  }

  #nowMs(): number {
    return this.#context.clock.monotonicMs()
  }
}
