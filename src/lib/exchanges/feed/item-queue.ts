import {AbortedError} from '../../core/errors.ts'
import type {Delivery} from '../../core/ports/component.ts'
import type {SourceItem} from '../../core/ports/source.ts'

export interface QueueOptions {
  /** Items queued or delivered and not yet acked; reaching it pauses the sockets. */
  readonly maxRecords: number
  /** Bytes of frames behind those items; reaching it pauses the sockets. */
  readonly maxBytes: number
  /** Most items of one delivery. */
  readonly batchRecords: number
  /** How long the first item of a batch waits for company. */
  readonly lingerMs: number
  /** Told to stop reading, and to go on once half of the room is free again. */
  readonly onFull: () => void
  readonly onRoom: () => void
}

interface Batch {
  readonly sequence: number
  readonly items: SourceItem[]
  bytes: number
  /** Delivered at least once: nothing is added any more. */
  taken: boolean
  /** Set by the linger timer, or when the batch is full. */
  ready: boolean
  /** Told when the batch is acked. */
  readonly acked?: () => void
  /** Told when the queue closes before that. */
  readonly dropped?: () => void
}

/**
 * The bounded queue between sockets and consumer. `push` never waits, because a socket cannot: a full queue is said to `onFull` instead, and what
 * the socket has already read still fits. Batches come out in order; one that is acked with an error comes out again before newer ones.
 */
export class ItemQueue {
  readonly #options: QueueOptions
  readonly #batches: Batch[] = []
  readonly #inFlight = new Set<Batch>()
  #sequence = 0
  #records = 0
  #bytes = 0
  #full = false
  #ended = false
  #closed = false
  #failure: Error | undefined
  #wake: (() => void) | undefined

  constructor(options: QueueOptions) {
    this.#options = options
  }

  get records(): number {
    return this.#records
  }

  get bytes(): number {
    return this.#bytes
  }

  get isFull(): boolean {
    return this.#full
  }

  push(item: SourceItem, bytes: number): void {
    if (this.#ended) return
    const last = this.#batches.at(-1)
    const isOpen = last !== undefined && !last.taken && !last.acked && last.items.length < this.#options.batchRecords
    const batch = isOpen ? last : this.#openBatch()
    batch.items.push(item)
    batch.bytes += bytes
    this.#grow(1, bytes)
    if (batch.items.length === this.#options.batchRecords) this.#makeReady(batch)
  }

  /** Queues items as a batch of their own; resolves once they are acked. Rejects with AbortedError when the queue ends before. */
  deliver(items: SourceItem[], bytes: number): Promise<void> {
    if (this.#ended) return Promise.reject(new AbortedError())
    return new Promise((resolve, reject) => {
      const dropped = () => reject(new AbortedError())
      this.#batches.push({sequence: this.#sequence++, items, bytes, taken: false, ready: true, acked: resolve, dropped})
      this.#grow(items.length, bytes)
      this.#wake?.()
    })
  }

  /** Takes nothing more. What is queued still comes out; after it `failure` is thrown, or the deliveries end. */
  end(failure?: Error): void {
    if (this.#ended) return
    this.#ended = true
    this.#failure = failure
    this.#wake?.()
  }

  /** Ends, and forgets what is still queued. */
  close(): void {
    this.end()
    this.#closed = true
    for (const batch of [...this.#batches.splice(0), ...this.#inFlight]) batch.dropped?.()
    this.#wake?.()
  }

  async *deliveries(): AsyncGenerator<Delivery<SourceItem>> {
    while (!this.#closed) {
      const batch = this.#take()
      if (batch) yield this.#delivery(batch)
      else if (this.#ended && this.#inFlight.size === 0) break
      else
        await new Promise<void>((resolve) => {
          this.#wake = resolve
        })
    }
    if (this.#failure) throw this.#failure
  }

  #openBatch(): Batch {
    const batch: Batch = {sequence: this.#sequence++, items: [], bytes: 0, taken: false, ready: false}
    this.#batches.push(batch)
    setTimeout(() => this.#makeReady(batch), this.#options.lingerMs)
    return batch
  }

  #makeReady(batch: Batch): void {
    if (batch.ready) return
    batch.ready = true
    this.#wake?.()
  }

  #take(): Batch | undefined {
    const [first] = this.#batches
    if (!first || !(first.ready || this.#ended)) return undefined
    this.#batches.shift()
    first.taken = true
    this.#inFlight.add(first)
    return first
  }

  #delivery(batch: Batch): Delivery<SourceItem> {
    return {
      items: batch.items,
      ack: async (error?: Error) => {
        if (!this.#inFlight.delete(batch)) return
        if (error && !this.#closed) this.#putBack(batch)
        else this.#release(batch)
        this.#wake?.()
      },
    }
  }

  #putBack(batch: Batch): void {
    const newer = this.#batches.findIndex((other) => other.sequence > batch.sequence)
    this.#batches.splice(newer === -1 ? this.#batches.length : newer, 0, batch)
  }

  #release(batch: Batch): void {
    this.#records -= batch.items.length
    this.#bytes -= batch.bytes
    batch.acked?.()
    const {maxRecords, maxBytes, onRoom} = this.#options
    if (!this.#full || this.#records > maxRecords / 2 || this.#bytes > maxBytes / 2) return
    this.#full = false
    onRoom()
  }

  #grow(records: number, bytes: number): void {
    this.#records += records
    this.#bytes += bytes
    const {maxRecords, maxBytes, onFull} = this.#options
    if (this.#full || (this.#records < maxRecords && this.#bytes < maxBytes)) return
    this.#full = true
    onFull()
  }
}
