import {encodeRecord} from '../core/codec.ts'
import type {Context} from '../core/context.ts'
import {AbortedError} from '../core/errors.ts'
import type {OutgoingRecord} from '../core/ports/bus.ts'
import type {Delivery} from '../core/ports/component.ts'
import type {Source, SourceItem} from '../core/ports/source.ts'
import {type CoinRecord, type MarketRecord, marketKey} from '../core/records.ts'
import {recordTopic} from '../core/topics.ts'
import {frameDeadLetter} from './dead-letter.ts'
import type {Publisher} from './publisher.ts'

export interface IngestOptions {
  readonly source: Source
  readonly publisher: Publisher
  /** Exchange id; names the dead-letter topic. */
  readonly exchange: string
  /** Metrics label. */
  readonly component: string
  /** Partition of a market record where the config pins it; undefined leaves it to the key. */
  readonly partitionOf: (topic: string, record: MarketRecord) => number | undefined
}

/** Deliveries whose records are on their way to the bus; more make the source wait. */
const MAX_UNACKED = 256

/** Source → bus until the source ends or `signal` aborts; every delivery taken by then is published (or spilled) and acked. */
export async function runIngest(options: IngestOptions, signal: AbortSignal, context: Context): Promise<void> {
  const unacked = new Set<Promise<void>>()
  let failure: unknown
  const stop = new AbortController()
  const either = AbortSignal.any([signal, stop.signal])
  for await (const delivery of options.source.deliveries(either)) {
    const work = handle(delivery, options, context)
      .catch((error: unknown) => {
        failure ??= error
        stop.abort()
      })
      .finally(() => unacked.delete(work))
    unacked.add(work)
    if (unacked.size >= MAX_UNACKED) await Promise.race(unacked)
  }
  await Promise.all(unacked)
  if (failure) throw failure
}

async function handle(delivery: Delivery<SourceItem>, options: IngestOptions, context: Context): Promise<void> {
  const {publisher, component} = options
  const outgoing = delivery.items.map((item) => toOutgoing(item, options, context))
  context.metrics.counter('coinpipe_component_received_total').add(outgoing.length, {component})
  try {
    await publisher.send(outgoing)
  } catch (error) {
    await delivery.ack(error instanceof Error ? error : new AbortedError())
    throw error
  }
  await delivery.ack()
}

function toOutgoing(item: SourceItem, options: IngestOptions, context: Context): OutgoingRecord {
  if (item.kind === 'rejected') {
    const {code, message} = item.rejected
    context.metrics.counter('coinpipe_dead_letters_total').add(1, {component: options.component, code})
    context.logger.warn({component: options.component, code, reason: message}, 'frame set aside as a dead letter')
    return frameDeadLetter(options.exchange, item.rejected)
  }
  const {record} = item
  const topic = recordTopic(record)
  if (!isMarket(record)) return {topic, key: record.id, value: encodeRecord(record)}
  const partition = options.partitionOf(topic, record)
  const base = {topic, key: marketKey(record), value: encodeRecord(record)}
  return partition === undefined ? base : {...base, partition}
}

function isMarket(record: CoinRecord): record is MarketRecord {
  return 'exchange' in record
}
