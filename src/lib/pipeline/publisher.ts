import type {Context} from '../core/context.ts'
import {AbortedError, CoinpipeError, isRetryable} from '../core/errors.ts'
import type {Bus, OutgoingRecord, PublishResult} from '../core/ports/bus.ts'
import type {Spill} from '../store/spill/spill.ts'
import {retrying} from './retry.ts'

export interface PublisherOptions {
  readonly bus: Bus
  readonly spill: Spill
  readonly component: string
  /** A publish that takes longer turns all that wait, and all that comes, to the spill. */
  readonly patienceMs?: number
  /** A record that the bus refuses for what it is. */
  readonly onRefused: (record: OutgoingRecord, error: CoinpipeError) => Promise<void>
  /** Told when records begin to wait on disk, and when all of them have gone to the bus. */
  readonly onSpilling?: (spilling: boolean) => void
}

const PATIENCE_MS = 1000
const DRAIN_RECORDS = 5000
const SETTLE_MS = 5

/** A batch handed to the bus. Its sender waits for `safe`, which comes with the bus's acknowledgement or with a copy on disk. */
interface InFlight {
  readonly records: readonly OutgoingRecord[]
  readonly attempted: Promise<void>
  readonly patience: NodeJS.Timeout
  readonly safe: PromiseWithResolvers<void>
  published: boolean
}

/**
 * Takes batches and has them safe: on the bus, or on disk while the bus is down or slow. Batches become safe in the order in which they came: when the bus
 * stalls, those that it has not acknowledged go to disk before newer ones do, and what waits on disk is published before anything else is. A full spill makes
 * `send` wait, which slows the source down. After a crash a batch may be published twice, never out of order and never not at all.
 */
export class Publisher {
  readonly #options: PublisherOptions
  readonly #context: Context
  readonly #stop = new AbortController()
  #inFlight: InFlight[] = []
  /** What the first batches on disk are copies of; the drain leaves out those that the bus took after all. */
  #copied: InFlight[] = []
  #appends = 0
  #told = false
  #draining: Promise<void> | undefined
  #fatal: unknown

  constructor(options: PublisherOptions, context: Context) {
    this.#options = options
    this.#context = context
  }

  /** Resolves once every record is on the bus or on disk. Rejects where trying again cannot help (a corrupt log). */
  async send(records: readonly OutgoingRecord[]): Promise<void> {
    if (this.#fatal) throw this.#fatal
    if (records.length === 0) return
    await (this.#isSpilling() ? this.#spill(records) : this.#publishDirectly(records))
  }

  /** Starts to publish what an earlier run left on disk. */
  resume(): void {
    this.#startDraining()
  }

  /** Waits until all is on the bus, or `signal` aborts; tells which. Rejects as `send` does. */
  async drained(signal: AbortSignal): Promise<boolean> {
    const aborted = new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), {once: true}))
    while (!signal.aborted && !this.#stop.signal.aborted && (this.#isSpilling() || this.#inFlight.length > 0)) {
      await Promise.race([this.#draining ?? this.#settled(), aborted])
      if (this.#fatal) throw this.#fatal
    }
    return !this.#isSpilling() && this.#inFlight.length === 0
  }

  /** Stops publishing from disk; what is there stays for the next start. What the bus has not acknowledged goes there too, before the spill is closed. */
  async close(): Promise<void> {
    this.#stop.abort()
    await this.#draining
    this.#spillInFlight()
    await this.#options.spill.close()
  }

  #isSpilling(): boolean {
    return this.#draining !== undefined || this.#appends > 0 || !this.#options.spill.isEmpty
  }

  #tell(): void {
    const spilling = this.#isSpilling()
    if (spilling === this.#told) return
    this.#told = spilling
    this.#options.onSpilling?.(spilling)
  }

  async #publishDirectly(records: readonly OutgoingRecord[]): Promise<void> {
    const attempt = this.#publish(records)
    const entry: InFlight = {
      records,
      attempted: attempt.then(noop, noop),
      patience: setTimeout(() => this.#onSlow(entry), this.#options.patienceMs ?? PATIENCE_MS),
      safe: Promise.withResolvers(),
      published: false,
    }
    this.#inFlight.push(entry)
    attempt.then(
      () => this.#onPublished(entry),
      (error: unknown) => this.#onFailed(entry, error),
    )
    await entry.safe.promise
  }

  #onPublished(entry: InFlight): void {
    entry.published = true
    this.#forget(entry)
    entry.safe.resolve()
  }

  #onFailed(entry: InFlight, error: unknown): void {
    if (!isRetryable(error)) {
      this.#forget(entry)
      entry.safe.reject(error)
    } else if (this.#inFlight.includes(entry)) {
      const {component} = this.#options
      this.#context.metrics.counter('coinpipe_component_errors_total').add(1, {component, stage: 'publish', code: error.code})
      this.#context.logger.warn({component, code: error.code, reason: error.message}, 'the bus fails, spilling to disk')
      this.#spillInFlight()
    }
  }

  #onSlow(entry: InFlight): void {
    if (!this.#inFlight.includes(entry)) return
    this.#context.logger.warn({component: this.#options.component}, 'the bus is slow, spilling to disk')
    this.#spillInFlight()
  }

  #forget(entry: InFlight): void {
    clearTimeout(entry.patience)
    this.#inFlight = this.#inFlight.filter((other) => other !== entry)
  }

  /** Copies what the bus has not acknowledged to disk, so that newer batches may follow. */
  #spillInFlight(): void {
    const entries = this.#inFlight
    if (entries.length === 0) return
    this.#inFlight = []
    for (const entry of entries) {
      clearTimeout(entry.patience)
      this.#copied.push(entry)
      this.#spill(entry.records).then(entry.safe.resolve, entry.safe.reject)
    }
  }

  /** Publishes; where the bus refuses the batch for what is in it, the bad records are set aside one by one and the good ones go through. */
  async #publish(records: readonly OutgoingRecord[]): Promise<void> {
    const {bus, component, onRefused} = this.#options
    const startedMs = this.#context.clock.monotonicMs()
    try {
      const results = await bus.publish(records)
      this.#countSent(results, startedMs)
    } catch (error) {
      if (!(error instanceof CoinpipeError) || error.retry.kind !== 'never' || error instanceof AbortedError) throw error
      const [only] = records
      if (records.length === 1 && only) {
        this.#context.metrics.counter('coinpipe_component_errors_total').add(1, {component, stage: 'publish', code: error.code})
        return await onRefused(only, error)
      }
      for (const half of halves(records)) await this.#publish(half)
    }
  }

  #countSent(results: readonly PublishResult[], startedMs: number): void {
    const {component} = this.#options
    const acknowledged = results[0]?.offset !== null
    const name = acknowledged ? 'coinpipe_component_sent_total' : 'coinpipe_component_unacknowledged_total'
    this.#context.metrics.counter(name).add(results.length, {component})
    this.#context.metrics.histogram('coinpipe_publish_seconds').observe((this.#context.clock.monotonicMs() - startedMs) / 1000, {component})
  }

  async #spill(records: readonly OutgoingRecord[]): Promise<void> {
    const {spill, component} = this.#options
    const {metrics, logger} = this.#context
    this.#appends += 1
    this.#tell()
    const appending = spill.append(records)
    if (spill.isFull) logger.warn({component, bytes: spill.bytes}, 'the spill is full, slowing the source down')
    try {
      await appending
      metrics.counter('coinpipe_spill_records_total').add(records.length, {component, direction: 'out'})
      metrics.gauge('coinpipe_spill_bytes').set(spill.bytes, {component})
    } finally {
      this.#appends -= 1
      this.#startDraining()
      this.#tell()
    }
  }

  #startDraining(): void {
    if (this.#draining || this.#fatal || this.#stop.signal.aborted || this.#options.spill.isEmpty) return
    this.#draining = this.#drain()
      .catch((error: unknown) => {
        if (!this.#stop.signal.aborted) this.#fatal = error
      })
      .finally(() => {
        this.#draining = undefined
        this.#startDraining()
        this.#tell()
      })
    this.#tell()
  }

  async #drain(): Promise<void> {
    const policy = {component: this.#options.component, stage: 'publish', signal: this.#stop.signal}
    while (await retrying(() => this.#publishOldest(), policy, this.#context));
  }

  /** Publishes the oldest batches on disk; false where none waits. */
  async #publishOldest(): Promise<boolean> {
    const {spill, component} = this.#options
    const oldest = await spill.next(DRAIN_RECORDS)
    if (!oldest) return false
    const originals = this.#copied.slice(0, oldest.batches.length)
    await Promise.all(originals.map(({attempted}) => attempted))
    const records = oldest.batches.filter((_, index) => !originals[index]?.published).flat()
    if (records.length > 0) await this.#publish(records)
    await oldest.done()
    this.#copied.splice(0, originals.length)
    this.#context.metrics.counter('coinpipe_spill_records_total').add(oldest.batches.flat().length, {component, direction: 'in'})
    this.#context.metrics.gauge('coinpipe_spill_bytes').set(spill.bytes, {component})
    return true
  }

  /** A moment later than now at which there is something to look at again. */
  async #settled(): Promise<void> {
    if (this.#inFlight.length > 0) await Promise.race(this.#inFlight.map((entry) => entry.attempted))
    await this.#context.clock.sleep(SETTLE_MS)
  }
}

function halves(records: readonly OutgoingRecord[]): (readonly OutgoingRecord[])[] {
  const middle = Math.ceil(records.length / 2)
  return [records.slice(0, middle), records.slice(middle)]
}

function noop(): void {
  // the outcome is handled where the work was started
}
