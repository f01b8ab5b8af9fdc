import {decodeRecord} from '../core/codec.ts'
import type {Context} from '../core/context.ts'
import {AbortedError, CoinpipeError, FencedError, isRetryable} from '../core/errors.ts'
import type {Bus, BusMessage, OutgoingRecord, Position} from '../core/ports/bus.ts'
import type {Delivery} from '../core/ports/component.ts'
import type {Sink, SinkItem} from '../core/ports/sink.ts'
import {messageDeadLetter, setAside} from './dead-letter.ts'
import {drainDeadline} from './drain.ts'
import {retrying} from './retry.ts'

export interface SinkRunOptions {
  readonly bus: Bus
  readonly sink: Sink
  /** Consumer group; also names the dead-letter topics. */
  readonly group: string
  readonly topics: readonly string[]
  /** Metrics label, for example `store`. */
  readonly component: string
  readonly instanceId?: string
}

interface Decoded {
  readonly items: SinkItem[]
  readonly letters: OutgoingRecord[]
}

/**
 * Bus → sink until `signal` aborts; what was read by then is written and committed. At least once with an idempotent sink: offsets are committed
 * after the sink has the rows, and a refused record only after its dead letter is on the bus.
 */
export async function runSink(options: SinkRunOptions, signal: AbortSignal, context: Context): Promise<void> {
  const {bus, sink, group, topics, instanceId} = options
  const subscription = bus.subscribe(
    {group, topics, startAt: (partitions) => sink.positions(group, partitions), ...(instanceId === undefined ? {} : {instanceId})},
    signal,
  )
  const deadline = drainDeadline(signal)
  try {
    for await (const delivery of subscription) await handle(delivery, options, deadline, context)
  } finally {
    await subscription.close()
  }
}

async function handle(delivery: Delivery<BusMessage>, options: SinkRunOptions, deadline: AbortSignal, context: Context): Promise<void> {
  const {component} = options
  context.metrics.counter('coinpipe_component_received_total').add(delivery.items.length, {component})
  try {
    await write(delivery.items, options, deadline, context)
  } catch (error) {
    await delivery.ack(error instanceof Error ? error : new AbortedError())
    throw error
  }
  try {
    await delivery.ack()
  } catch (error) {
    if (!(error instanceof FencedError || isRetryable(error))) throw error
    context.logger.warn(
      {component, code: error.code, reason: error.message},
      'written but not committed: the batch is delivered again, and known by its ids',
    )
  }
}

async function write(messages: readonly BusMessage[], options: SinkRunOptions, deadline: AbortSignal, context: Context): Promise<void> {
  const {bus, sink, group, component} = options
  const policy = {component, stage: 'write', signal: deadline}
  const startedMs = context.clock.monotonicMs()
  const next = nextPositions(messages)
  let {items, letters} = decode(messages, group)
  for (;;) {
    await retrying(() => setAside(bus, letters), policy, context)
    countDeadLetters(letters, component, context)
    const result = await retrying(() => sink.write({group, items, next}), policy, context)
    if (result.refused.length === 0) break
    letters = result.refused.flatMap((refused) => {
      const item = items[refused.index]
      return item ? [messageDeadLetter(group, item.message, {...refused, attempts: 1})] : []
    })
    const refused = new Set(result.refused.map(({index}) => index))
    items = items.filter((_, index) => !refused.has(index))
  }
  observe(items, startedMs, component, context)
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

function countDeadLetters(letters: readonly OutgoingRecord[], component: string, context: Context): void {
  for (const {headers} of letters) {
    const code = headers?.['error-code'] ?? 'unknown'
    context.metrics.counter('coinpipe_dead_letters_total').add(1, {component, code})
    context.logger.warn(
      {component, code, reason: headers?.['error-message'], offset: headers?.['source-offset']},
      'record set aside as a dead letter',
    )
  }
}

function observe(items: readonly SinkItem[], startedMs: number, component: string, context: Context): void {
  const {metrics, clock} = context
  metrics.counter('coinpipe_component_sent_total').add(items.length, {component})
  metrics.histogram('coinpipe_sink_write_seconds').observe((clock.monotonicMs() - startedMs) / 1000, {component})
  const first = items[0]
  if (first) metrics.histogram('coinpipe_event_to_store_seconds').observe((clock.nowUs() - first.record.receivedTime) / 1e6, {component})
}
