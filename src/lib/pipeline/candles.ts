import {CandleAggregator} from '../aggregate/candle-aggregator.ts'
import {decodeRecord, encodeRecord} from '../core/codec.ts'
import type {Context} from '../core/context.ts'
import {CoinpipeError, FencedError, isRetryable} from '../core/errors.ts'
import type {Bus, BusAdmin, BusMessage, OutgoingRecord, Position, TopicPartition} from '../core/ports/bus.ts'
import type {Checkpoints} from '../core/ports/checkpoints.ts'
import type {Delivery} from '../core/ports/component.ts'
import {type Candle, type CandleInterval, type MarketRecord, marketKey, type Trade} from '../core/records.ts'
import {TOPICS} from '../core/topics.ts'
import {messageDeadLetter} from './dead-letter.ts'

export interface CandlesOptions {
  readonly bus: Bus
  readonly admin: BusAdmin
  /** Keeps a snapshot of each partition's windows. */
  readonly checkpoints: Checkpoints
  readonly group: string
  /** Member name, stable across restarts; two processes of one group need two. */
  readonly instance: string
  readonly intervals: readonly CandleInterval[]
  readonly partitionOf: (topic: string, record: MarketRecord) => number | undefined
  /** How often changed candles are published; default 1 s. */
  readonly flushMs?: number
  /** How often windows are saved; a restart reads at most this much again. Default 5 s. */
  readonly snapshotMs?: number
}

const COMPONENT = 'candles'
const LABELS = {component: COMPONENT}
const FLUSH_MS = 1000
const SNAPSHOT_MS = 10_000
const MAX_UNCOMMITTED = 256
const RESTART_MS = 1000

/**
 * Trades on the bus → candles on the bus, exactly once: the candles and the offsets of the trades they hold are published in one transaction. Windows live
 * in memory and are saved with their offset every few seconds; a restart loads them and reads the trades since then again, publishing nothing that
 * was published before.
 */
export async function runCandles(options: CandlesOptions, signal: AbortSignal, context: Context): Promise<void> {
  while (!signal.aborted) {
    try {
      await new CandleRun(options, context).run(signal)
    } catch (error) {
      if (!(error instanceof FencedError || isRetryable(error))) throw error
      context.metrics.counter('coinpipe_retries_total').add(1, {component: COMPONENT, code: error.code})
      context.logger.warn({component: COMPONENT, code: error.code, reason: error.message}, 'starting again from the saved windows')
      await context.clock.sleep(RESTART_MS, signal).catch(() => undefined)
    }
  }
}

/** One input partition. */
interface PartitionState {
  readonly source: TopicPartition
  readonly aggregator: CandleAggregator
  /** The saved windows hold the trades below this offset: they are read again only to be known when they come twice. */
  readonly savedBelow: number
  /** Trades below this offset are in published candles already: they are counted again, and what they change is not published again. */
  readonly publishedBelow: number
  replaying: boolean
  next: number
}

interface Saved {
  readonly offset: number
  readonly windows: string
}

class CandleRun {
  readonly #options: CandlesOptions
  readonly #context: Context
  readonly #states = new Map<string, PartitionState>()
  readonly #letters: OutgoingRecord[] = []
  #uncommitted: Delivery<BusMessage>[] = []
  #savedAtMs = 0

  constructor(options: CandlesOptions, context: Context) {
    this.#options = options
    this.#context = context
  }

  async run(signal: AbortSignal): Promise<void> {
    const {bus, group, instance} = this.#options
    const stop = new AbortController()
    const reading = AbortSignal.any([signal, stop.signal])
    const subscription = bus.subscribe(
      {
        group,
        topics: [TOPICS.trade],
        instanceId: instance,
        maxInFlight: MAX_UNCOMMITTED,
        startAt: (partitions) => this.#assigned(partitions),
      },
      reading,
    )
    const flushing = this.#flushRegularly(reading).catch((error: unknown) => {
      stop.abort()
      throw error
    })
    flushing.catch(() => undefined)
    try {
      for await (const delivery of subscription) this.#add(delivery)
      await flushing
      await this.#flush(true)
    } finally {
      stop.abort()
      await subscription.close()
    }
  }

  /** Loads what is saved of each partition and answers where to read on. */
  async #assigned(partitions: readonly TopicPartition[]): Promise<Position[]> {
    const {admin, group} = this.#options
    const lags = await admin.lag(group)
    const {offsets} = await admin.describeTopic(TOPICS.trade)
    const find = <T extends TopicPartition>(list: readonly T[], at: TopicPartition) =>
      list.find((entry) => entry.partition === at.partition)
    return Promise.all(
      partitions.map(async (source) => {
        const earliest = find(offsets, source)?.earliest ?? 0
        const committed = find(lags, source)?.committed ?? earliest
        return this.#load(source, committed, earliest)
      }),
    )
  }

  async #load(source: TopicPartition, committed: number, earliest: number): Promise<Position> {
    const {checkpoints, intervals} = this.#options
    const found = await checkpoints.get(this.#checkpointKey(source))
    const saved = found ? (JSON.parse(found.value) as Saved) : undefined
    const usable = saved !== undefined && saved.offset <= committed
    if (saved && !usable)
      this.#context.logger.warn({...source, saved: saved.offset, committed}, 'the group was set back: building candles anew from there')
    const aggregator = usable ? CandleAggregator.restore(saved.windows, {intervals}) : new CandleAggregator({intervals})
    const savedBelow = usable ? saved.offset : saved ? committed : earliest
    const start = usable ? Math.min(aggregator.rememberFrom, saved.offset) : savedBelow
    const replaying = savedBelow < committed
    this.#states.set(stateKey(source), {source, aggregator, savedBelow, publishedBelow: committed, replaying, next: savedBelow})
    return {...source, offset: start}
  }

  #add(delivery: Delivery<BusMessage>): void {
    this.#context.metrics.counter('coinpipe_component_received_total').add(delivery.items.length, LABELS)
    for (const message of delivery.items) this.#addMessage(message)
    this.#uncommitted.push(delivery)
  }

  #addMessage(message: BusMessage): void {
    const state = this.#states.get(stateKey(message))
    if (!state) throw new FencedError(`${message.topic} partition ${message.partition} was delivered without being assigned`)
    if (state.replaying && message.offset >= state.publishedBelow) this.#endReplay(state)
    state.next = Math.max(state.next, message.offset + 1)
    if (message.value === null) return
    try {
      const record = decodeRecord(message.value)
      if (record.type === 'trade') this.#addTrade(state, record, message.offset)
    } catch (error) {
      if (!(error instanceof CoinpipeError)) throw error
      const refusal = {code: error.code, message: error.message, attempts: 1}
      if (message.offset >= state.publishedBelow) this.#letters.push(messageDeadLetter(this.#options.group, message, refusal))
    }
  }

  #addTrade({aggregator, savedBelow}: PartitionState, trade: Trade, offset: number): void {
    if (offset < savedBelow) aggregator.remember(trade, offset)
    else if (aggregator.add(trade, offset) === 'duplicate') this.#context.metrics.counter('coinpipe_duplicates_total').add(1, LABELS)
  }

  /** What the replay changed had been published before the restart. */
  #endReplay(state: PartitionState): void {
    state.aggregator.flush(this.#context.clock.nowUs())
    state.replaying = false
  }

  async #flushRegularly(reading: AbortSignal): Promise<void> {
    while (!reading.aborted) {
      await this.#context.clock.sleep(this.#options.flushMs ?? FLUSH_MS, reading).catch(() => undefined)
      if (!reading.aborted) await this.#flush(false)
    }
  }

  /** Publishes changed candles and commits the trades in them; now and then saves the windows as of that commit. */
  async #flush(last: boolean): Promise<void> {
    const {bus, group, instance} = this.#options
    const deliveries = this.#uncommitted
    this.#uncommitted = []
    const letters = this.#letters.splice(0)
    const candles = this.#changed()
    const saves = this.#snapshots(last)
    if (candles.length > 0 || letters.length > 0 || deliveries.length > 0) {
      const records = [...candles.map((candle) => this.#toOutgoing(candle)), ...letters]
      await bus.transaction({id: `${group}.${instance}`}, async (transaction) => {
        await transaction.publish(records)
        for (const delivery of deliveries) transaction.consume(delivery)
      })
      this.#count(candles)
    }
    for (const {key, value} of saves) await this.#options.checkpoints.put(key, value)
  }

  #changed(): Candle[] {
    const now = this.#context.clock.nowUs()
    const candles: Candle[] = []
    for (const state of this.#states.values()) {
      if (state.replaying && state.next >= state.publishedBelow) this.#endReplay(state)
      if (!state.replaying) candles.push(...state.aggregator.flush(now))
    }
    return candles
  }

  #snapshots(last: boolean): {key: string; value: string}[] {
    const nowMs = this.#context.clock.monotonicMs()
    if (!last && nowMs - this.#savedAtMs < (this.#options.snapshotMs ?? SNAPSHOT_MS)) return []
    this.#savedAtMs = nowMs
    return [...this.#states.values()]
      .filter((state) => !state.replaying)
      .map(({source, aggregator, next}) => {
        const saved: Saved = {offset: next, windows: aggregator.snapshot()}
        return {key: this.#checkpointKey(source), value: JSON.stringify(saved)}
      })
  }

  #toOutgoing(candle: Candle): OutgoingRecord {
    const partition = this.#options.partitionOf(TOPICS.candle, candle)
    const record = {topic: TOPICS.candle, key: marketKey(candle), value: encodeRecord(candle)}
    return partition === undefined ? record : {...record, partition}
  }

  #count(candles: readonly Candle[]): void {
    const {metrics} = this.#context
    for (const candle of candles) metrics.counter('coinpipe_candles_total').add(1, {kind: candle.closed ? 'closed' : 'open'})
    metrics.counter('coinpipe_component_sent_total').add(candles.length, LABELS)
  }

  #checkpointKey({topic, partition}: TopicPartition): string {
    return `candles/${this.#options.group}/${topic}/${partition}`
  }
}

function stateKey({topic, partition}: TopicPartition): string {
  return `${topic}/${partition}`
}
