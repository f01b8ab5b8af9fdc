import type {Context} from '../core/context.ts'
import {type CoinpipeError, isRetryable} from '../core/errors.ts'
import type {BusAdmin, BusMessage, Isolation, Position} from '../core/ports/bus.ts'

/** How long a read of a partition that had nothing new waits for a record. On Kafka, reads of partitions of one broker may wait one after the other. */
const WAIT_MS = 100
/**
 * How long other partitions are held up by a read: one that waits for a record may bring it soon after the others bring theirs; one of a partition that
 * had more is answered at once, as fast as the network and the brokers are.
 */
const HOLD_UP_MS = {waiting: 20, asking: 1000} as const
const FIRST_READ_RECORDS = 10
const MAX_READ_RECORDS = 1000
/** Between two reads that failed; doubled each time. */
const RETRY_MS = {first: 100, most: 5000} as const
/** A run that has an end gives up a partition that fails for so long; one without an end never does. */
const GIVE_UP_MS = 30_000

export interface FeedOptions {
  readonly admin: Pick<BusAdmin, 'read'>
  readonly isolation: Isolation
  /** The first offset that is not wanted, where there is one. */
  readonly end: number | null
  /** A record of this time or later is the first that is not wanted. */
  readonly stopMs: number | undefined
  /** Called after each read, whatever came of it. */
  readonly onRead: () => void
}

/** The records of one partition that are read and not yet taken; never more than one read. */
export class Feed {
  readonly partition: number
  readonly #position: Position
  readonly #options: FeedOptions
  readonly #context: Context
  #offset: number
  #queue: readonly BusMessage[] = []
  #next = 0
  /** Nothing was there when last asked. */
  #isIdle = false
  #isReading = false
  #readSinceMs = 0
  #failures = 0
  #failingSinceMs = 0
  #retryAtMs = 0
  #maxRecords = FIRST_READ_RECORDS
  #ended: boolean
  #closed = false
  #error: unknown

  constructor(position: Position, options: FeedOptions, context: Context) {
    this.partition = position.partition
    this.#position = position
    this.#offset = position.offset
    this.#options = options
    this.#context = context
    this.#ended = options.end !== null && position.offset >= options.end
  }

  /** The oldest record not yet taken. */
  get head(): BusMessage | undefined {
    return this.#queue[this.#next]
  }

  /** Nothing more will come, and all that came was taken. */
  get over(): boolean {
    return this.#ended && this.head === undefined
  }

  /** Until when, on the monotonic clock, what it brings next is worth waiting for. */
  get holdsUpUntilMs(): number {
    return this.#isReading ? this.#readSinceMs + (this.#isIdle ? HOLD_UP_MS.waiting : HOLD_UP_MS.asking) : 0
  }

  take(): void {
    this.#next += 1
  }

  /** Starts a read where nothing is left and none is under way. Throws what ended the partition. `maxBytes`: about what one read may bring. */
  pull(maxBytes: number): void {
    if (this.#error !== undefined) throw this.#error
    if (this.#ended || this.head !== undefined || this.#isReading) return
    const nowMs = this.#context.clock.monotonicMs()
    if (nowMs >= this.#retryAtMs) void this.#read(nowMs, maxBytes)
  }

  /** What the read under way brings is not wanted any more, nor why it fails. */
  close(): void {
    this.#closed = true
  }

  async #read(nowMs: number, maxBytes: number): Promise<void> {
    const {admin, isolation, end, onRead} = this.#options
    const askedAtMs = this.#context.clock.nowUs() / 1000
    this.#isReading = true
    this.#readSinceMs = nowMs
    try {
      const waitMs = end === null && this.#isIdle ? WAIT_MS : 0
      const messages = await admin.read({...this.#position, offset: this.#offset}, this.#maxRecords, {isolation, waitMs})
      this.#failures = 0
      this.#accept(messages, askedAtMs)
      this.#fit(messages, maxBytes)
    } catch (error) {
      this.#onFailed(error)
    } finally {
      this.#isReading = false
      onRead()
    }
  }

  #accept(messages: readonly BusMessage[], askedAtMs: number): void {
    const {end, stopMs} = this.#options
    const last = messages.at(-1)
    this.#isIdle = last === undefined
    // Of a log that stamps arrivals, nothing from before `stopMs` can come once it is past.
    if (last === undefined) this.#ended = end !== null || (stopMs !== undefined && askedAtMs > stopMs)
    else this.#offset = last.offset + 1
    const unwanted = messages.findIndex(
      ({offset, timestampMs}) => (end !== null && offset >= end) || (stopMs !== undefined && timestampMs >= stopMs),
    )
    if (unwanted >= 0 || (end !== null && this.#offset >= end)) this.#ended = true
    this.#queue = unwanted < 0 ? messages : messages.slice(0, unwanted)
    this.#next = 0
  }

  /** Ports count records, memory counts bytes: large records are read a few at a time. */
  #fit(messages: readonly BusMessage[], maxBytes: number): void {
    if (messages.length === 0) return
    const bytes = messages.reduce((sum, {value}) => sum + (value?.length ?? 0), 0)
    const fitting = Math.floor((maxBytes * messages.length) / Math.max(bytes, 1))
    this.#maxRecords = Math.min(Math.max(fitting, 1), MAX_READ_RECORDS, this.#maxRecords * 4)
  }

  #onFailed(error: unknown): void {
    if (this.#closed) return
    if (!isRetryable(error)) {
      this.#error = error
      return
    }
    const nowMs = this.#context.clock.monotonicMs()
    if (this.#failures === 0) this.#onFirstFailure(error, nowMs)
    if (this.#options.end !== null && nowMs - this.#failingSinceMs > GIVE_UP_MS) this.#error = error
    this.#retryAtMs = nowMs + Math.min(RETRY_MS.first * 2 ** this.#failures, RETRY_MS.most)
    this.#failures += 1
  }

  #onFirstFailure({code, message}: CoinpipeError, nowMs: number): void {
    this.#failingSinceMs = nowMs
    this.#context.logger.warn({partition: this.partition, code, reason: message}, 'a partition cannot be read; trying again')
  }
}
