import type {Context} from '../core/context.ts'
import {AbortedError, CoinpipeError, isRetryable} from '../core/errors.ts'
import type {Bus, OutgoingRecord} from '../core/ports/bus.ts'
import type {Spill} from '../store/spill/spill.ts'
import {retrying} from './retry.ts'

export interface PublisherOptions {
  readonly bus: Bus
  readonly spill: Spill
  readonly component: string
  /** A publish that takes longer turns the next batches to the spill. */
  readonly patienceMs?: number
  /** Batches handed to the bus and not yet acknowledged. */
  readonly maxInFlight?: number
  /** A record that the bus refuses for what it is. */
  readonly onRefused: (record: OutgoingRecord, error: CoinpipeError) => Promise<void>
}

const PATIENCE_MS = 500
const MAX_IN_FLIGHT = 16
const SPILL_FULL_WAIT_MS = 100

interface InFlight {
  readonly startedMs: number
  readonly settled: Promise<void>
}

/** A batch that the bus failed to take; its sender still waits. */
interface Failed {
  readonly records: readonly OutgoingRecord[]
  readonly safe: () => void
  readonly lost: (error: unknown) => void
}

/**
 * Takes batches and has them safe: on the bus, or on disk while the bus is down or slow. What the bus failed to take is published again first,
 * then what waits on disk, and newer batches queue behind it, so records keep their order. A full spill makes `send` wait, which slows the source down.
 */
export class Publisher {
  readonly #options: PublisherOptions
  readonly #context: Context
  readonly #inFlight = new Set<InFlight>()
  readonly #stop = new AbortController()
  readonly #failed: Failed[] = []
  #draining: Promise<void> | undefined
  #fatal: unknown

  constructor(options: PublisherOptions, context: Context) {
    this.#options = options
    this.#context = context
  }

  /** Resolves once every record is on the bus or on disk. Rejects where trying again cannot help (a corrupt log). */
  async send(records: readonly OutgoingRecord[]): Promise<void> {
    if (records.length === 0) return
    if (this.#fatal) throw this.#fatal
    if (this.#mustSpill()) return this.#spillBatch(records)
    await this.#publishDirectly(records)
  }

  /** Starts to read back what an earlier run left on disk. */
  resume(): void {
    if (!this.#options.spill.isEmpty) this.#startDraining()
  }

  /** Waits until nothing is left on disk, or `signal` aborts. True when all is on the bus. */
  async drained(signal: AbortSignal): Promise<boolean> {
    while (this.#draining || this.#inFlight.size > 0) {
      if (signal.aborted) return false
      await Promise.race([this.#draining ?? this.#allAttempted(), aborted(signal)])
    }
    return this.#options.spill.isEmpty
  }

  /** Stops reading back; what is on disk stays there for the next start. */
  async close(): Promise<void> {
    this.#stop.abort()
    await this.#draining
    await this.#spillFailed()
    await this.#allAttempted()
  }

  #mustSpill(): boolean {
    if (this.#draining || !this.#options.spill.isEmpty) return true
    if (this.#inFlight.size >= (this.#options.maxInFlight ?? MAX_IN_FLIGHT)) return true
    const [oldest] = this.#inFlight
    return oldest !== undefined && this.#context.clock.monotonicMs() - oldest.startedMs > (this.#options.patienceMs ?? PATIENCE_MS)
  }

  async #publishDirectly(records: readonly OutgoingRecord[]): Promise<void> {
    const attempt = this.#publish(records)
    const entry: InFlight = {startedMs: this.#context.clock.monotonicMs(), settled: attempt.then(noop, noop)}
    this.#inFlight.add(entry)
    try {
      await attempt
    } catch (error) {
      if (!isRetryable(error)) throw error
      const {component} = this.#options
      this.#context.logger.warn({component, code: error.code, reason: error.message}, 'bus unavailable, spilling to disk until it is back')
      await new Promise<void>((safe, lost) => {
        this.#failed.push({records, safe, lost})
        this.#startDraining()
      })
    } finally {
      this.#inFlight.delete(entry)
    }
  }

  /** Publishes; where the bus refuses the batch for what is in it, the bad records are set aside one by one and the good ones go through. */
  async #publish(records: readonly OutgoingRecord[]): Promise<void> {
    const {bus, component, onRefused} = this.#options
    const startedMs = this.#context.clock.monotonicMs()
    try {
      await bus.publish(records)
      this.#countSent(records.length, startedMs)
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

  #countSent(records: number, startedMs: number): void {
    const {component} = this.#options
    this.#context.metrics.counter('coinpipe_component_sent_total').add(records, {component})
    this.#context.metrics.histogram('coinpipe_publish_seconds').observe((this.#context.clock.monotonicMs() - startedMs) / 1000, {component})
  }

  async #spillBatch(records: readonly OutgoingRecord[]): Promise<void> {
    const {spill, component} = this.#options
    while (!(await spill.append(records))) {
      this.#context.logger.warn({component, bytes: spill.bytes}, 'spill is full, slowing the source down')
      this.#startDraining()
      await this.#context.clock.sleep(SPILL_FULL_WAIT_MS, this.#stop.signal)
    }
    this.#context.metrics.counter('coinpipe_spill_records_total').add(records.length, {component, direction: 'out'})
    this.#context.metrics.gauge('coinpipe_spill_bytes').set(spill.bytes, {component})
    this.#startDraining()
  }

  #startDraining(): void {
    if (this.#draining || this.#stop.signal.aborted) return
    this.#draining = this.#drain()
      .catch((error: unknown) => this.#giveUp(error))
      .finally(() => {
        this.#draining = undefined
        if (!this.#fatal && (this.#failed.length > 0 || !this.#options.spill.isEmpty)) this.#startDraining()
      })
  }

  #giveUp(error: unknown): void {
    if (this.#stop.signal.aborted) return
    this.#fatal = error
    for (const failed of this.#failed.splice(0)) failed.lost(error)
  }

  async #drain(): Promise<void> {
    const policy = {component: this.#options.component, stage: 'publish', signal: this.#stop.signal}
    await this.#allAttempted()
    for (let failed = this.#failed[0]; failed; failed = this.#failed[0]) {
      const {records, safe} = failed
      await retrying(() => this.#publish(records), policy, this.#context)
      this.#failed.shift()
      safe()
    }
    while (await retrying(() => this.#readBack(), policy, this.#context));
  }

  /** Publishes the oldest batch on disk; false where none waits. */
  async #readBack(): Promise<boolean> {
    const {spill, component} = this.#options
    const batch = await spill.next()
    if (!batch) return false
    await this.#publish(batch.records)
    await batch.done()
    this.#context.metrics.counter('coinpipe_spill_records_total').add(batch.records.length, {component, direction: 'in'})
    this.#context.metrics.gauge('coinpipe_spill_bytes').set(spill.bytes, {component})
    return true
  }

  /** Puts batches whose publish keeps failing on disk, so that stopping loses nothing. */
  async #spillFailed(): Promise<void> {
    for (let failed = this.#failed.shift(); failed; failed = this.#failed.shift()) {
      if (!(await this.#options.spill.append(failed.records))) {
        this.#context.logger.error(
          {component: this.#options.component, records: failed.records.length},
          'spill is full: unacknowledged records dropped',
        )
      }
      failed.safe()
    }
  }

  async #allAttempted(): Promise<void> {
    await Promise.all([...this.#inFlight].map((entry) => entry.settled))
  }
}

function halves(records: readonly OutgoingRecord[]): (readonly OutgoingRecord[])[] {
  const middle = Math.ceil(records.length / 2)
  return [records.slice(0, middle), records.slice(middle)]
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), {once: true}))
}

function noop(): void {
  // the outcome is handled where it was started
}
