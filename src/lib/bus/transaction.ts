import {InvalidInputError} from '../core/errors.ts'
import type {BusMessage, OutgoingRecord, Transaction, TransactionOptions} from '../core/ports/bus.ts'
import type {Delivery} from '../core/ports/component.ts'
import {orLate} from './deadline.ts'
import {RecordTooLargeError} from './errors.ts'
import type {CommitPosition, Consumption} from './group-backend.ts'
import {checkRecords} from './limits.ts'
import type {GroupSubscription} from './subscription.ts'

/** A transaction is kept in memory until it commits. */
const MAX_BYTES = 64 * 1024 * 1024
/** How long a transaction waits for the acks of deliveries before its own. */
const TURN_MS = 30_000

export interface GroupCommit {
  readonly group: string
  readonly memberId: string
  readonly positions: readonly CommitPosition[]
}

/** What a transaction writes, all of it or nothing. */
export interface TransactionContent {
  readonly id: string
  readonly epoch: number
  readonly records: readonly OutgoingRecord[]
  readonly bytes: number
  readonly commits: readonly GroupCommit[]
}

export interface TransactionParts {
  readonly subscriptions: Iterable<GroupSubscription>
  /** Fences older holders of the id; returns the epoch that the commit must still find. */
  start(id: string): Promise<number>
  /** Rejects with FencedError, having written nothing, where the id or one of the partitions has a newer holder. */
  commit(content: TransactionContent): Promise<void>
}

/** Collects what `fn` publishes and consumes, then has all of it written at once. */
export async function runTransaction<T>(
  parts: TransactionParts,
  {id}: TransactionOptions,
  fn: (transaction: Transaction) => Promise<T>,
): Promise<T> {
  const epoch = await parts.start(id)
  const collected = new Collected(parts, id)
  try {
    const result = await fn(collected)
    await collected.turns()
    const {records, bytes, consumed} = collected
    const commits = consumed.map(({group, memberId, positions}) => ({group, memberId, positions}))
    await parts.commit({id, epoch, records, bytes, commits})
    for (const consumption of consumed) consumption.done()
    return result
  } catch (error) {
    for (const consumption of collected.consumed) consumption.failed(error)
    throw error
  } finally {
    collected.over = true
  }
}

class Collected implements Transaction {
  readonly records: OutgoingRecord[] = []
  readonly consumed: Consumption[] = []
  bytes = 0
  over = false
  readonly #parts: TransactionParts
  readonly #id: string

  constructor(parts: TransactionParts, id: string) {
    this.#parts = parts
    this.#id = id
  }

  async publish(records: readonly OutgoingRecord[]): Promise<void> {
    this.#checkOpen()
    const bytes = this.bytes + checkRecords(records)
    if (bytes > MAX_BYTES) throw this.#tooLarge(bytes)
    this.bytes = bytes
    for (const record of records) this.records.push(record)
  }

  consume(delivery: Delivery<BusMessage>): void {
    this.#checkOpen()
    for (const subscription of this.#parts.subscriptions) {
      const consumption = subscription.consume(delivery, this)
      if (consumption !== undefined) return void this.consumed.push(consumption)
    }
    throw new InvalidInputError('a transaction can only consume deliveries of open subscriptions of the same bus')
  }

  async turns(): Promise<void> {
    const turns = Promise.all(this.consumed.map((consumption) => consumption.turn()))
    await orLate(turns, TURN_MS, `transaction '${this.#id}': waiting for the acks of earlier deliveries`)
  }

  #checkOpen(): void {
    if (this.over) throw new InvalidInputError(`transaction '${this.#id}' is over: await everything inside its function`)
  }

  #tooLarge(bytes: number): RecordTooLargeError {
    return new RecordTooLargeError(`transaction '${this.#id}' holds ${bytes} bytes; the most allowed is ${MAX_BYTES}`, {
      remedy: ['work in smaller batches: lower the batch size of the pipeline in coinpipe.yaml'],
    })
  }
}
