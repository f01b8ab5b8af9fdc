import {randomUUID} from 'node:crypto'
import type {Context} from '../../core/context.ts'
import {CoinpipeError} from '../../core/errors.ts'
import type {
  Bus,
  BusAdmin,
  BusMessage,
  BusNode,
  GroupDescription,
  GroupLag,
  LeaderElection,
  NodeSetting,
  OutgoingRecord,
  Position,
  PublishResult,
  ReadOptions,
  SubscribeOptions,
  TopicChanges,
  TopicConfig,
  TopicDescription,
  Transaction,
  TransactionOptions,
} from '../../core/ports/bus.ts'
import {currentProcess, type ProcessIdentity} from '../../core/process-identity.ts'
import {checkTopicName, defaultTopicConfig} from '../../core/topics.ts'
import type {GroupBackend} from '../group-backend.ts'
import {checkTopicChanges, checkTopicConfig} from '../limits.ts'
import {readWaiting} from '../read-waiting.ts'
import {GroupSubscription} from '../subscription.ts'
import {runTransaction, type TransactionParts} from '../transaction.ts'
import {Inspector} from './inspector.ts'
import {checkNode, embeddedNode, fixedSettings, nodeSetting, SHOWN_PRAGMAS} from './node.ts'
import {pack, unpack} from './pack.ts'
import {LogReader} from './reader.ts'
import {isBusy, translateSqliteError} from './sqlite-errors.ts'
import {LogWatcher} from './watcher.ts'
import {WriterClient} from './writer-client.ts'

const COMPONENT = 'embedded-bus'
const LABELS = {component: COMPONENT}
const DEFAULT_BUSY_MS = 5_000
const RETRY_MS = 5

export interface EmbeddedBusOptions {
  /** The log file, by custom `<data-dir>/log/coinpipe-log.sqlite`; created where missing. On a local disk only: file locks lie on network mounts. */
  readonly path: string
  /** What topics get when they are created; others get the defaults of core/topics.ts. */
  readonly topics?: Readonly<Record<string, TopicConfig>>
  /** How long a write waits for the lock that another process holds; default 5 s. */
  readonly busyTimeoutMs?: number
  /** Longest wait for more to commit together; default 5 ms. */
  readonly lingerMs?: number
  /** Most bytes on their way to the writer thread; a publish beyond it waits. Default 64 MiB. */
  readonly maxQueueBytes?: number
  /** How often retention looks; default 10 s. */
  readonly retentionCheckMs?: number
}

/**
 * The log that needs nothing installed: one SQLite file that several processes write and read at once.
 *
 * Every acknowledged record is on disk (synchronous=FULL). A publish that rejects has written nothing, save with COINPIPE_BUS_WRITER_LOST; none is ever
 * repeated by the bus itself, so `idempotence` holds: one call's records are in the log once or not at all.
 */
export class EmbeddedBus implements Bus, BusAdmin {
  readonly capabilities = {transactions: true, idempotence: true, staticMembership: true, cooperative: true}
  readonly #options: EmbeddedBusOptions
  readonly #context: Context
  readonly #writer: WriterClient
  readonly #process: ProcessIdentity
  readonly #subscriptions = new Set<GroupSubscription>()
  #open: {readonly reader: LogReader; readonly watcher: LogWatcher; readonly inspector: Inspector} | null = null
  #closing: Promise<void> | null = null

  constructor(options: EmbeddedBusOptions, context: Context) {
    this.#options = options
    this.#context = context
    this.#process = currentProcess()
    this.#writer = new WriterClient(
      {
        path: options.path,
        busyTimeoutMs: options.busyTimeoutMs ?? DEFAULT_BUSY_MS,
        lingerMs: options.lingerMs ?? 5,
        retentionCheckMs: options.retentionCheckMs ?? 10_000,
        maxQueueBytes: options.maxQueueBytes ?? 64 * 1024 * 1024,
      },
      {
        onCommit: () => this.#open?.watcher.notify(),
        onQueue: this.#onQueue,
        onMaintained: this.#onMaintained,
        onMaintenanceFailed: (error) => this.#onBackgroundError('retention', error),
      },
    )
  }

  async connect(): Promise<void> {
    if (this.#closing !== null) throw this.#writer.notConnected()
    await this.#writer.connect()
    if (this.#open !== null) return
    const reader = await this.#patiently(() => new LogReader(this.#options.path))
    const watcher = new LogWatcher(reader, (error) => this.#onBackgroundError('poll', error))
    this.#open = {reader, watcher, inspector: new Inspector(reader)}
  }

  /** Takes and gives back the write lock, and reads. */
  async check(): Promise<void> {
    await this.#writer.call('probe', null)
    await this.listTopics()
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async publish(records: readonly OutgoingRecord[]): Promise<readonly PublishResult[]> {
    if (records.length === 0) return []
    const {batch, bytes} = pack(records, this.#configOf)
    const startMs = performance.now()
    try {
      const placed = await this.#writer.call('publish', batch, bytes)
      this.#countSent(records.length, bytes, startMs)
      return unpack(records, placed)
    } catch (error) {
      this.#countError('publish', error)
      throw error
    }
  }

  subscribe(options: SubscribeOptions, signal: AbortSignal): GroupSubscription {
    for (const topic of options.topics) checkTopicName(topic)
    const backend = {...this.#backend(options), ended: () => this.#subscriptions.delete(subscription)}
    const subscription: GroupSubscription = new GroupSubscription(backend, options, this.#context, signal)
    this.#subscriptions.add(subscription)
    return subscription
  }

  transaction<T>(options: TransactionOptions, fn: (transaction: Transaction) => Promise<T>): Promise<T> {
    return runTransaction(this.#transactionParts, options, fn)
  }

  // Admin

  listTopics(): Promise<readonly string[]> {
    return this.#ask((inspector) => inspector.listTopics())
  }

  describeTopic(topic: string): Promise<TopicDescription> {
    return this.#ask((inspector) => inspector.describeTopic(topic))
  }

  async ensureTopic(name: string, config: TopicConfig): Promise<void> {
    checkTopicName(name)
    checkTopicConfig(name, config)
    await this.#writer.call('ensureTopic', {name, config})
  }

  async alterTopic(topic: string, changes: TopicChanges): Promise<void> {
    checkTopicChanges(topic, changes)
    await this.#writer.call('alterTopic', {topic, changes})
  }

  async addPartitions(topic: string, partitions: number): Promise<void> {
    await this.#writer.call('addPartitions', {topic, partitions})
  }

  /** There is one copy of each partition, and so nothing to elect. */
  async electLeaders(topics: readonly string[] = []): Promise<readonly LeaderElection[]> {
    this.#opened()
    for (const topic of topics) await this.describeTopic(topic)
    return []
  }

  async deleteTopic(topic: string): Promise<void> {
    await this.#writer.call('deleteTopic', {topic})
  }

  async trim(positions: readonly Position[]): Promise<void> {
    await this.#writer.call('trim', {positions})
  }

  listGroups(): Promise<readonly string[]> {
    return this.#ask((inspector) => inspector.listGroups())
  }

  describeGroup(group: string): Promise<GroupDescription> {
    return this.#ask((inspector) => inspector.describeGroup(group))
  }

  lag(group: string): Promise<readonly GroupLag[]> {
    return this.#ask((inspector) => inspector.lag(group))
  }

  async resetGroup(group: string, positions: readonly Position[]): Promise<void> {
    await this.#writer.call('resetGroup', {group, positions})
  }

  async deleteGroup(group: string): Promise<void> {
    await this.#writer.call('deleteGroup', {group})
  }

  offsetsAt(topic: string, timestampMs: number): Promise<readonly Position[]> {
    return this.#ask((inspector) => inspector.offsetsAt(topic, timestampMs))
  }

  async read(position: Position, maxRecords: number, {waitMs = 0}: ReadOptions = {}): Promise<readonly BusMessage[]> {
    const read = () => this.#ask((inspector) => inspector.read(position, maxRecords))
    return readWaiting(read, (listener) => this.#opened().watcher.listen(listener), waitMs)
  }

  async nodes(): Promise<readonly BusNode[]> {
    return [embeddedNode(this.#options.path, await this.#ask((inspector) => inspector.countPartitions()))]
  }

  async nodeSettings(id: string): Promise<readonly NodeSetting[]> {
    checkNode(id)
    const values = await this.#writer.call('pragmas', {names: SHOWN_PRAGMAS})
    return SHOWN_PRAGMAS.map((name) =>
      nodeSetting(name, String(values[name]), name === 'busy_timeout' ? String(DEFAULT_BUSY_MS) : undefined),
    )
  }

  async alterNode(id: string): Promise<void> {
    this.#opened()
    checkNode(id)
    throw fixedSettings()
  }

  // Inside

  get #transactionParts(): TransactionParts {
    return {
      subscriptions: this.#subscriptions,
      start: (id) => this.#writer.call('transactionStart', {id}),
      commit: async ({id, epoch, records, bytes, commits}) => {
        await this.#writer.call('transactionCommit', {id, epoch, batch: pack(records, this.#configOf).batch, commits}, bytes)
      },
    }
  }

  #backend(options: SubscribeOptions): Omit<GroupBackend, 'ended'> {
    const {group} = options
    const from = options.from ?? 'earliest'
    const topics = options.topics.map((name) => ({name, config: this.#configOf(name)}))
    const instanceId = options.instanceId ?? null
    return {
      component: COMPONENT,
      join: () => this.#writer.call('join', {group, memberId: randomUUID(), instanceId, topics, from, process: this.#process}),
      sync: (memberId, drained) => this.#writer.call('sync', {group, memberId, instanceId, from, drained}),
      commit: async (memberId, positions) => {
        await this.#writer.call('commit', {group, memberId, positions})
      },
      leave: async (memberId) => {
        await this.#writer.call('leave', {group, memberId})
      },
      generation: () => this.#opened().reader.generation(group),
      read: (request) => this.#opened().reader.tryRead(request),
      onChange: (listener) => this.#opened().watcher.listen(listener),
    }
  }

  #ask<T>(question: (inspector: Inspector) => T): Promise<T> {
    return this.#patiently(() => question(this.#opened().inspector))
  }

  /** Reads; where the file is locked for a moment, again until that works or the lock timeout is over. */
  async #patiently<T>(read: () => T): Promise<T> {
    const {path, busyTimeoutMs = DEFAULT_BUSY_MS} = this.#options
    const deadline = performance.now() + busyTimeoutMs
    for (;;) {
      try {
        return read()
      } catch (error) {
        if (!isBusy(error) || performance.now() > deadline) throw translateSqliteError(error, path, busyTimeoutMs)
        await this.#context.clock.sleep(RETRY_MS)
      }
    }
  }

  async #close(): Promise<void> {
    await Promise.all([...this.#subscriptions].map((subscription) => subscription.close()))
    this.#open?.watcher.close()
    this.#open?.reader.close()
    this.#open = null
    await this.#writer.close()
  }

  readonly #configOf = (topic: string): TopicConfig => this.#options.topics?.[topic] ?? defaultTopicConfig(topic)

  #opened() {
    if (this.#open === null) throw this.#writer.notConnected()
    return this.#open
  }

  #countSent(records: number, bytes: number, startMs: number): void {
    const {metrics} = this.#context
    metrics.counter('coinpipe_component_sent_total').add(records, LABELS)
    metrics.counter('coinpipe_component_bytes_total').add(bytes, LABELS)
    metrics.histogram('coinpipe_publish_seconds').observe((performance.now() - startMs) / 1000, LABELS)
  }

  #countError(stage: string, error: unknown): void {
    const code = error instanceof CoinpipeError ? error.code : 'BUG'
    this.#context.metrics.counter('coinpipe_component_errors_total').add(1, {...LABELS, stage, code})
  }

  readonly #onQueue = (requests: number, bytes: number) => {
    this.#context.metrics.gauge('coinpipe_component_queue_records').set(requests, LABELS)
    this.#context.metrics.gauge('coinpipe_component_queue_bytes').set(bytes, LABELS)
  }

  readonly #onMaintained = (deleted: number, logBytes: number) => {
    this.#context.metrics.counter('coinpipe_retention_deleted_total').add(deleted, LABELS)
    this.#context.metrics.gauge('coinpipe_log_bytes').set(logBytes)
    if (deleted > 0) this.#context.logger.debug({deleted, logBytes}, 'retention removed records')
  }

  #onBackgroundError(stage: string, error: unknown): void {
    this.#countError(stage, error)
    this.#context.logger.warn({stage, err: error}, 'the log is in trouble; it is tried again')
  }
}
