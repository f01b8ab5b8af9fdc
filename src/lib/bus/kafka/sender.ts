import type {Context} from '../../core/context.ts'
import {type CoinpipeError, DeadlineError, isRetryable, UnknownTopicError} from '../../core/errors.ts'
import {partitionOutOfRange, RecordTooLargeError} from '../errors.ts'
import type {KafkaDriver, SendOutcome} from './driver.ts'
import type {KnownTopic, KnownTopics} from './known-topics.ts'
import type {KafkaOptions} from './options.ts'
import {PartitionQueue, type QueuedBatch} from './partition-queue.ts'
import type {Chunk} from './publication.ts'

/** A batch of this size is worth a request of its own: it does not wait for more. */
const READY_BYTES = 128 * 1024
/** Most bytes in one request; brokers take 100 MiB. */
const REQUEST_BYTES = 8 * 1024 * 1024
const FIRST_WAIT_MS = 50
const LONGEST_WAIT_MS = 1_000

export interface SenderOptions {
  readonly driver: Pick<KafkaDriver, 'send'>
  readonly topics: Pick<KnownTopics, 'lookUp'>
  readonly options: Pick<KafkaOptions, 'batchBytes' | 'lingerMs' | 'idempotent' | 'deliveryTimeoutMs'>
  readonly context: Context
  readonly component: string
}

interface Group {
  readonly queues: PartitionQueue[]
  bytes: number
}

/**
 * Sends what waits: one batch of a partition at a time, so that its order holds, and the batches of one leader together. What fails and may be repeated
 * is sent again until its deadline.
 */
export class Sender {
  readonly #parts: SenderOptions
  readonly #queues = new Map<KnownTopic, PartitionQueue[]>()
  readonly #active = new Set<PartitionQueue>()
  #lingerMs: number
  #timer: NodeJS.Timeout | null = null
  #timerMs = Number.POSITIVE_INFINITY
  #immediate: NodeJS.Immediate | null = null
  #idle: (() => void)[] = []

  constructor(parts: SenderOptions) {
    this.#parts = parts
    this.#lingerMs = parts.options.lingerMs
  }

  push(chunks: readonly Chunk[]): void {
    const nowMs = this.#nowMs()
    for (const chunk of chunks) {
      const queue = this.#queueOf(chunk.topic, chunk.partition)
      // What has no partition of its own goes on to the next one when a batch begins, or is large enough.
      if (queue.first === undefined || queue.bytes + chunk.bytes >= READY_BYTES) chunk.topic.unstick()
      queue.push({chunk, from: 0, to: chunk.records.length, bytes: chunk.bytes}, nowMs)
      this.#active.add(queue)
      if (!queue.sending) this.#wakeAt(this.#dueMs(queue))
    }
  }

  /** Sends without waiting for more from now on; resolves when nothing waits. */
  async flush(): Promise<void> {
    this.#lingerMs = 0
    if (this.#active.size === 0) return
    this.#wakeAt(0)
    await new Promise<void>((resolve) => this.#idle.push(resolve))
  }

  /** Fails what waits, and what is under way: nobody waits for its outcome then. */
  stop(error: CoinpipeError): void {
    for (const queue of this.#active) this.#failAll(queue, error)
    this.#active.clear()
    if (this.#timer !== null) clearTimeout(this.#timer)
    if (this.#immediate !== null) clearImmediate(this.#immediate)
    this.#onIdle()
  }

  readonly #tick = () => {
    const nowMs = this.#nowMs()
    const groups: Group[] = []
    const byLeader = new Map<number, Group>()
    let nextMs = Number.POSITIVE_INFINITY
    for (const queue of this.#active) {
      if (queue.sending) continue
      this.#expire(queue, nowMs)
      if (queue.batch === null && queue.first === undefined) {
        this.#active.delete(queue)
        continue
      }
      const dueMs = this.#dueMs(queue)
      if (dueMs > nowMs) nextMs = Math.min(nextMs, dueMs, oldestOf(queue))
      else this.#collect(queue, nowMs, groups, byLeader)
    }
    for (const group of groups) void this.#send(group.queues)
    this.#wakeAt(nextMs)
    if (this.#active.size === 0) this.#onIdle()
  }

  #onIdle(): void {
    const idle = this.#idle
    this.#idle = []
    for (const resolve of idle) resolve()
  }

  #collect(queue: PartitionQueue, nowMs: number, groups: Group[], byLeader: Map<number, Group>): void {
    const {topic, partition} = queue
    // Deleted and made again with fewer partitions.
    if (partition >= topic.partitions) this.#failAll(queue, partitionOutOfRange(topic.name, partition, topic.partitions))
    const batch = queue.batch ?? queue.take(nowMs)
    if (batch === null) {
      this.#active.delete(queue)
      return
    }
    queue.sending = true
    const leader = topic.leader(partition)
    let group = byLeader.get(leader)
    if (group === undefined || group.bytes + batch.bytes > REQUEST_BYTES) {
      group = {queues: [], bytes: 0}
      groups.push(group)
      byLeader.set(leader, group)
    }
    group.queues.push(queue)
    group.bytes += batch.bytes
  }

  async #send(queues: readonly PartitionQueue[]): Promise<void> {
    const batches = queues.flatMap(({batch}) => batch?.wire ?? [])
    let outcomes: readonly SendOutcome[]
    try {
      outcomes = await this.#parts.driver.send(batches)
    } catch (error) {
      outcomes = batches.map(() => ({error}))
    }
    for (const [index, queue] of queues.entries()) {
      queue.sending = false
      const outcome = outcomes[index]
      // Where everything was given up meanwhile, nobody waits for the outcome.
      if (queue.batch !== null && outcome !== undefined) this.#settle(queue, queue.batch, outcome)
    }
    this.#wakeAt(0)
  }

  #settle(queue: PartitionQueue, batch: QueuedBatch, outcome: SendOutcome): void {
    if ('error' in outcome) {
      this.#onError(queue, batch, outcome.error)
      return
    }
    let offset = outcome.baseOffset
    queue.batch = null
    for (const part of batch.parts) {
      part.chunk.publication.place(part, offset)
      if (offset !== null) offset += part.to - part.from
    }
  }

  #onError(queue: PartitionQueue, batch: QueuedBatch, error: unknown): void {
    if (error instanceof RecordTooLargeError && batch.wire.records.length > 1) {
      queue.shrink(batch)
      queue.putBack()
    } else if (error instanceof UnknownTopicError) void this.#onceFound(queue, batch, error)
    else if (isRetryable(error)) this.#repeat(queue, batch, error)
    else this.#failBatch(queue, error)
  }

  #repeat(queue: PartitionQueue, batch: QueuedBatch, error: CoinpipeError): void {
    const {context, component, topics} = this.#parts
    queue.notBeforeMs = this.#nowMs() + Math.min(FIRST_WAIT_MS * 2 ** batch.failures, LONGEST_WAIT_MS)
    batch.failures += 1
    batch.lastError = error
    context.metrics.counter('coinpipe_retries_total').add(1, {component, code: error.code})
    context.logger.debug({topic: batch.wire.topic, partition: batch.wire.partition, err: error}, 'batch is sent again')
    // Who leads may have changed. Where that cannot be found out, the deadline of the batch ends it.
    topics.lookUp(batch.wire.topic).catch(() => undefined)
  }

  /** The topic was deleted, or a broker has not heard of it yet. */
  async #onceFound(queue: PartitionQueue, batch: QueuedBatch, error: UnknownTopicError): Promise<void> {
    queue.notBeforeMs = Number.POSITIVE_INFINITY
    const failure = await this.#parts.topics.lookUp(batch.wire.topic).then(
      () => null,
      (cause: unknown) => ({cause}),
    )
    // Whatever came of it, and even if the batch was given up meanwhile: what waits behind it may go.
    queue.notBeforeMs = 0
    if (queue.batch === batch) {
      if (failure === null) this.#repeat(queue, batch, error)
      else this.#failBatch(queue, failure.cause)
    }
    this.#wakeAt(0)
  }

  /** Fails what is past its deadline. A batch that brokers know by its number is given up as a whole. */
  #expire(queue: PartitionQueue, nowMs: number): void {
    const {batch} = queue
    const isLate = ({deadlineMs}: Chunk) => deadlineMs <= nowMs
    if (batch?.parts.some(({chunk}) => isLate(chunk))) {
      for (const {chunk} of batch.parts) {
        if (this.#parts.options.idempotent || isLate(chunk)) this.#fail(chunk, this.#late(batch.wire.topic, batch.lastError))
      }
      queue.putBack()
    }
    for (let part = queue.first; part !== undefined && (part.chunk.settled || isLate(part.chunk)); part = queue.first) {
      this.#fail(part.chunk, this.#late(queue.topic.name, batch?.lastError ?? null))
      queue.shift()
    }
  }

  #late(topic: string, seen: CoinpipeError | null): DeadlineError {
    const seconds = this.#parts.options.deliveryTimeoutMs / 1000
    return new DeadlineError(
      `publish to topic '${topic}': not acknowledged within ${seconds} s${seen === null ? '' : `; last seen: ${seen.message}`}`,
      seen === null ? {remedy: ['look at the brokers: coinpipe nodes --bus kafka']} : {cause: seen, remedy: seen.remedy},
    )
  }

  #failAll(queue: PartitionQueue, error: unknown): void {
    this.#failBatch(queue, error)
    for (let part = queue.first; part !== undefined; part = queue.first) {
      this.#fail(part.chunk, error)
      queue.shift()
    }
  }

  #failBatch(queue: PartitionQueue, error: unknown): void {
    for (const {chunk} of queue.batch?.parts ?? []) this.#fail(chunk, error)
    queue.batch = null
  }

  #fail(chunk: Chunk, error: unknown): void {
    chunk.publication.fail(chunk, error)
  }

  #dueMs({batch, bytes, sinceMs, notBeforeMs}: PartitionQueue): number {
    if (batch !== null || bytes >= READY_BYTES) return notBeforeMs
    return Math.max(notBeforeMs, sinceMs + this.#lingerMs)
  }

  #queueOf(topic: KnownTopic, partition: number): PartitionQueue {
    let queues = this.#queues.get(topic)
    if (queues === undefined) {
      queues = []
      this.#queues.set(topic, queues)
    }
    queues[partition] ??= new PartitionQueue(topic, partition, this.#parts.options.batchBytes)
    return queues[partition]
  }

  /** Looks at the queues at that time, or as soon as the turn of the event loop is over. An earlier time stays. */
  #wakeAt(timeMs: number): void {
    const nowMs = this.#nowMs()
    if (timeMs <= nowMs) {
      this.#immediate ??= setImmediate(() => {
        this.#immediate = null
        this.#tick()
      })
      return
    }
    if (timeMs >= this.#timerMs) return
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timerMs = timeMs
    this.#timer = setTimeout(() => {
      this.#timer = null
      this.#timerMs = Number.POSITIVE_INFINITY
      this.#tick()
    }, timeMs - nowMs)
  }

  #nowMs(): number {
    return this.#parts.context.clock.monotonicMs()
  }
}

/** When the oldest records of a queue are given up. */
function oldestOf({batch, first}: PartitionQueue): number {
  return batch?.parts[0]?.chunk.deadlineMs ?? first?.chunk.deadlineMs ?? Number.POSITIVE_INFINITY
}
