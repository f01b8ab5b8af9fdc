import {CandleAggregator} from '../aggregate/candle-aggregator.ts'
import {decodeRecord, encodeRecord} from '../core/codec.ts'
import type {Context} from '../core/context.ts'
import {CoinpipeError, FencedError, isRetryable} from '../core/errors.ts'
import type {Bus, BusAdmin, BusMessage, OutgoingRecord, Position, Subscription, TopicPartition} from '../core/ports/bus.ts'
import type {Checkpoints} from '../core/ports/checkpoints.ts'
import type {Delivery} from '../core/ports/component.ts'
import {type Candle, type CandleInterval, type MarketRecord, marketKey, type Trade} from '../core/records.ts'
import {TOPICS} from '../core/topics.ts'
import {countDeadLetters, messageDeadLetter} from './dead-letter.ts'
import {type GroupProgress, groupProgress} from './start-positions.ts'

export interface CandlesOptions {
  readonly bus: Bus
  readonly admin: BusAdmin
  /** Keeps a snapshot of each partition's windows. */
  readonly checkpoints: Checkpoints
  readonly group: string
  /** Names its transactions, the same across restarts: one that still hangs is fenced by its successor. Two processes of one group need two. */
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
/** Trades that are kept until they are committed; more make the flush come earlier. */
const FLUSH_RECORDS = 4000
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
  /** Whether the subscription has held it: it is loaded a little before that. */
  held: boolean
}

/** As the checkpoints have it. */
interface Snapshot {
  readonly key: string
  readonly value: string
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
  #uncommittedRecords = 0
  /** Flushes take turns: a transaction fences the one before it that has its id. */
  #turn: Promise<void> = Promise.resolve()
  #savedAtMs = 0

  constructor(options: CandlesOptions, context: Context) {
    this.#options = options
    this.#context = context
  }

  async run(signal: AbortSignal): Promise<void> {
    const {bus, group} = this.#options
    await this.#endLast()
    const stop = new AbortController()
    const reading = AbortSignal.any([signal, stop.signal])
    const subscription = bus.subscribe(
      {
        group,
        topics: [TOPICS.trade],
        maxInFlight: FLUSH_RECORDS,
        startAt: (partitions) => this.#assigned(partitions),
      },
      reading,
    )
    const flushing = this.#flushRegularly(subscription, reading).catch((error: unknown) => {
      stop.abort()
      throw error
    })
    flushing.catch(() => undefined)
    try {
      for await (const delivery of subscription) {
        this.#add(delivery)
        if (this.#uncommittedRecords >= FLUSH_RECORDS) await this.#flush(false)
      }
      await flushing
      this.#forgetLost(subscription.assignment())
      await this.#flush(true)
    } finally {
      stop.abort()
      // A transaction that is under way must have ended before the next run asks how far the group is.
      await Promise.allSettled([flushing])
      await subscription.close()
    }
  }

  /**
   * An earlier run that was killed may have left a transaction open, with offsets in it that the group cannot be asked for until it ends: by the next start of
   * one of its id, or by the brokers after its timeout.
   */
  async #endLast(): Promise<void> {
    const {bus, group, instance} = this.#options
    await bus.transaction({id: `${group}.${instance}`}, async () => undefined)
  }

  /** Loads what is saved of each partition and answers where to read on. */
  async #assigned(partitions: readonly TopicPartition[]): Promise<Position[]> {
    const {admin, group} = this.#options
    const progress = await groupProgress(admin, group, partitions)
    return Promise.all(progress.map((each) => this.#load(each)))
  }

  async #load({topic, partition, earliest, ...progress}: GroupProgress): Promise<Position> {
    const {checkpoints, intervals} = this.#options
    const source = {topic, partition}
    const committed = progress.committed ?? earliest
    const found = await checkpoints.get(this.#key(source))
    const saved = found ? (JSON.parse(found.value) as Saved) : undefined
    const usable = saved !== undefined && saved.offset <= committed
    const aggregator = usable ? CandleAggregator.restore(saved.windows, {intervals}) : new CandleAggregator({intervals})
    if (saved && !usable) {
      this.#context.logger.warn(
        {...source, saved: saved.offset, committed},
        'the group was set back, or the log is a new one: building candles anew from there',
      )
      // At once: the next start must not take the old windows for its own when the new offsets have passed theirs.
      const {key, value} = this.#snapshot(source, committed, aggregator)
      await checkpoints.put(key, value)
    }
    const savedBelow = usable ? saved.offset : saved ? committed : earliest
    const start = usable ? Math.min(aggregator.rememberFrom, saved.offset) : savedBelow
    const replaying = savedBelow < committed
    const state = {source, aggregator, savedBelow, publishedBelow: committed, replaying, next: savedBelow, held: false}
    this.#states.set(stateKey(source), state)
    return {...source, offset: start}
  }

  #add(delivery: Delivery<BusMessage>): void {
    this.#context.metrics.counter('coinpipe_component_received_total').add(delivery.items.length, LABELS)
    for (const message of delivery.items) this.#addMessage(message)
    this.#uncommitted.push(delivery)
    this.#uncommittedRecords += delivery.items.length
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

  async #flushRegularly(subscription: Subscription, reading: AbortSignal): Promise<void> {
    while (!reading.aborted) {
      await this.#context.clock.sleep(this.#options.flushMs ?? FLUSH_MS, reading).catch(() => undefined)
      this.#forgetLost(subscription.assignment())
      if (!reading.aborted) await this.#flush(false)
    }
  }

  /** Partitions that went to another member have their windows and snapshots there from now on. */
  #forgetLost(assignment: readonly TopicPartition[]): void {
    const held = new Set(assignment.map(stateKey))
    for (const [key, state] of this.#states) {
      if (held.has(key)) state.held = true
      else if (state.held) this.#states.delete(key)
    }
  }

  #flush(last: boolean): Promise<void> {
    const turn = this.#turn.then(() => this.#flushNow(last))
    this.#turn = turn.catch(() => undefined)
    return turn
  }

  /** Publishes changed candles and commits the trades in them; now and then saves the windows as of that commit. */
  async #flushNow(last: boolean): Promise<void> {
    const {bus, group, instance} = this.#options
    const deliveries = this.#uncommitted
    this.#uncommitted = []
    this.#uncommittedRecords = 0
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
      countDeadLetters(letters, COMPONENT, this.#context)
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

  #snapshots(last: boolean): Snapshot[] {
    const nowMs = this.#context.clock.monotonicMs()
    if (!last && nowMs - this.#savedAtMs < (this.#options.snapshotMs ?? SNAPSHOT_MS)) return []
    this.#savedAtMs = nowMs
    return [...this.#states.values()]
      .filter((state) => !state.replaying)
      .map(({source, aggregator, next}) => this.#snapshot(source, next, aggregator))
  }

  #snapshot(source: TopicPartition, offset: number, aggregator: CandleAggregator): Snapshot {
    const saved: Saved = {offset, windows: aggregator.snapshot()}
    return {key: this.#key(source), value: JSON.stringify(saved)}
  }

  #key(source: TopicPartition): string {
    return `candles/${this.#options.group}/${stateKey(source)}`
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
}

function stateKey({topic, partition}: TopicPartition): string {
  return `${topic}/${partition}`
}
