import {decodeRecord} from '../core/codec.ts'
import type {Context} from '../core/context.ts'
import {AbortedError, CoinpipeError, FencedError, isRetryable} from '../core/errors.ts'
import {given} from '../core/given.ts'
import type {Health} from '../core/health.ts'
import type {Bus, BusAdmin, BusMessage, OutgoingRecord, Position, SubscribeOptions} from '../core/ports/bus.ts'
import type {Delivery} from '../core/ports/component.ts'
import type {Sink, SinkBatch, SinkItem, SinkResult} from '../core/ports/sink.ts'
import {countDeadLetters, messageDeadLetter, setAside} from './dead-letter.ts'
import {drainDeadline} from './drain.ts'
import {Outage} from './outage.ts'
import {retrying} from './retry.ts'
import {StallWatch} from './stall-watch.ts'
import {sinkStart} from './start-positions.ts'

export interface SinkRunOptions {
  readonly bus: Bus
  readonly admin: BusAdmin
  readonly sink: Sink
  /** Consumer group; also names the dead-letter topics. */
  readonly group: string
  readonly topics: readonly string[]
  /** Metrics label, for example `store`. */
  readonly component: string
  readonly instanceId?: string
  /** Where the sink says that its store is away. */
  readonly health?: Health
}

interface Decoded {
  readonly items: readonly SinkItem[]
  readonly letters: readonly OutgoingRecord[]
}

/** Most items of one write: one transaction, one sync. */
const BATCH_RECORDS = 5000
/** Deliveries that are decoded, or written and about to be committed, while others are written. */
const WAITING_DELIVERIES = 3
/** Most bytes of values in deliveries that are being worked on. */
const IN_FLIGHT_BYTES = 32 * 1024 * 1024
const BATCH_BYTES = 4 * 1024 * 1024

/**
 * Bus → sink until `signal` aborts; what was read by then is written and committed. At least once with an idempotent sink: offsets are committed
 * after the sink has the rows, and a refused record only after its dead letter is on the bus. As many batches are written at once as the sink takes, and
 * committed in the order of the bus; meanwhile the next one is decoded.
 */
export async function runSink(options: SinkRunOptions, signal: AbortSignal, context: Context): Promise<void> {
  const {bus, sink, group, component} = options
  const width = sink.concurrentWrites ?? 1
  const stop = new AbortController()
  const subscription = bus.subscribe(subscribeOptions(options, width, context), AbortSignal.any([signal, stop.signal]))
  // Once one batch can never be written, the others are not tried again either.
  const writer = new BatchWriter(options, AbortSignal.any([drainDeadline(signal), stop.signal]), context)
  const ended = new AbortController()
  const watching = writer.watch(ended.signal)
  const writes = new Set<Promise<void>>()
  const commits = new Set<Promise<void>>()
  let failure: unknown
  const fail = (error: unknown) => {
    failure ??= error
    stop.abort()
  }
  try {
    for await (const delivery of subscription) {
      context.metrics.counter('coinpipe_component_received_total').add(delivery.items.length, {component})
      const decoded = decode(delivery.items, group)
      while (writes.size >= width) await Promise.race(writes)
      if (failure !== undefined) break
      track(
        writes,
        writer.write(delivery, decoded).then(() => track(commits, writer.commit(delivery), fail)),
        (error) => {
          fail(error)
          return delivery.ack(error instanceof Error ? error : new AbortedError())
        },
      )
    }
    await Promise.all(writes)
    await Promise.all(commits)
    if (failure !== undefined) throw failure
  } finally {
    ended.abort()
    await subscription.close()
    await watching
  }
}

/** Keeps `work` in the set for as long as it runs; there it never rejects. */
function track(running: Set<Promise<void>>, work: Promise<void>, fail: (error: unknown) => void | Promise<void>): void {
  const tracked = work.catch(fail).finally(() => running.delete(tracked))
  running.add(tracked)
}

function subscribeOptions(options: SinkRunOptions, width: number, context: Context): SubscribeOptions {
  const {group, topics, instanceId} = options
  const maxInFlight = width + WAITING_DELIVERIES
  return {
    group,
    topics,
    maxInFlight,
    maxBatchRecords: BATCH_RECORDS,
    maxBatchBytes: Math.min(BATCH_BYTES, Math.floor(IN_FLIGHT_BYTES / maxInFlight)),
    startAt: (partitions) => sinkStart(options, partitions, context),
    ...given({instanceId}),
  }
}

/** Writes and commits deliveries. */
class BatchWriter {
  readonly #options: SinkRunOptions
  readonly #deadline: AbortSignal
  readonly #context: Context
  readonly #outage: Outage
  readonly #stalls: StallWatch

  constructor(options: SinkRunOptions, deadline: AbortSignal, context: Context) {
    this.#options = options
    this.#deadline = deadline
    this.#context = context
    this.#outage = new Outage(options.component, context, options.health)
    this.#outage.ready()
    this.#stalls = new StallWatch(options.sink, this.#outage, context)
  }

  /** Says that the store is away as soon as writes hang, until `signal` aborts. */
  watch(signal: AbortSignal): Promise<void> {
    return this.#stalls.run(signal)
  }

  /** Resolves once every item is in the sink or in the dead-letter topic. Rejects where neither can be. */
  async write(delivery: Delivery<BusMessage>, decoded: Decoded): Promise<void> {
    const startedMs = this.#context.clock.monotonicMs()
    const items = await this.#writeAll(decoded, nextPositions(delivery.items))
    observe(items, startedMs, this.#options.component, this.#context)
  }

  /** A commit that fails is no loss: the batch is delivered again, and known by its ids. */
  async commit(delivery: Delivery<BusMessage>): Promise<void> {
    try {
      await delivery.ack()
    } catch (error) {
      if (!(error instanceof FencedError || isRetryable(error))) throw error
      const {component} = this.#options
      this.#context.logger.warn(
        {component, code: error.code, reason: error.message},
        'written but not committed: the batch is delivered again',
      )
    }
  }

  async #writeAll({items, letters}: Decoded, next: readonly Position[]): Promise<readonly SinkItem[]> {
    const {bus, group, component} = this.#options
    const policy = {component, stage: 'set-aside', signal: this.#deadline}
    for (let pending = items, refusals = letters; ; ) {
      await retrying(() => setAside(bus, refusals), policy, this.#context)
      countDeadLetters(refusals, component, this.#context)
      const batch = pending
      const {refused} = await this.#tryUntilWritten({group, items: batch, next})
      if (refused.length === 0) return batch
      refusals = refused.flatMap((refusal) => {
        const item = batch[refusal.index]
        return item ? [messageDeadLetter(group, item.message, {...refusal, attempts: 1})] : []
      })
      const indexes = new Set(refused.map(({index}) => index))
      pending = batch.filter((_, index) => !indexes.has(index))
    }
  }

  async #tryUntilWritten(batch: SinkBatch): Promise<SinkResult> {
    const {sink, component} = this.#options
    const onFailure = (error: CoinpipeError) => this.#outage.failed(batch, error)
    this.#stalls.started(batch)
    try {
      const policy = {component, stage: 'write', signal: this.#deadline, onFailure}
      const result = await retrying(() => sink.write(batch), policy, this.#context)
      this.#outage.succeeded(batch)
      return result
    } finally {
      this.#stalls.ended(batch)
      this.#outage.gaveUp(batch)
    }
  }
}

function decode(messages: readonly BusMessage[], group: string): Decoded {
  const items: SinkItem[] = []
  const letters: OutgoingRecord[] = []
  for (const message of messages) {
    if (message.value === null) continue
    try {
      items.push({record: decodeRecord(message.value), message})
    } catch (error) {
      if (!(error instanceof CoinpipeError)) throw error
      letters.push(messageDeadLetter(group, message, {code: error.code, message: error.message, attempts: 1}))
    }
  }
  return {items, letters}
}

/** One past the last message of each partition. */
export function nextPositions(messages: readonly BusMessage[]): Position[] {
  const next = new Map<string, Position>()
  for (const {topic, partition, offset} of messages) next.set(`${topic}/${partition}`, {topic, partition, offset: offset + 1})
  return [...next.values()]
}

function observe(items: readonly SinkItem[], startedMs: number, component: string, context: Context): void {
  const {metrics, clock} = context
  metrics.counter('coinpipe_component_sent_total').add(items.length, {component})
  metrics.histogram('coinpipe_sink_write_seconds').observe((clock.monotonicMs() - startedMs) / 1000, {component})
  const first = items[0]
  if (first) metrics.histogram('coinpipe_event_to_store_seconds').observe((clock.nowUs() - first.record.receivedTime) / 1e6, {component})
}
