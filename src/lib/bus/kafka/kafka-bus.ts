import type {Context} from '../../core/context.ts'
import {CoinpipeError} from '../../core/errors.ts'
import type {
  Bus,
  BusAdmin,
  BusCapabilities,
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
import {checkTopicName, defaultTopicConfig} from '../../core/topics.ts'
import {checkRecords} from '../limits.ts'
import {GroupSubscription} from '../subscription.ts'
import {runTransaction, type TransactionParts} from '../transaction.ts'
import {KafkaAdmin} from './admin/kafka-admin.ts'
import {checkOptions, noStaticMembers, noTransactions} from './check-options.ts'
import {KafkaClient} from './client.ts'
import {type CreateKafkaDriver, KAFKA_COMPONENT, type KafkaDriver} from './driver.ts'
import {notConnected} from './errors.ts'
import {KnownTopics} from './known-topics.ts'
import type {KafkaOptions} from './options.ts'
import {Publisher} from './publisher.ts'
import {withEnd} from './with-end.ts'

const LABELS = {component: KAFKA_COMPONENT}
/** How long `close` waits for what was published and is not acknowledged yet. */
const FLUSH_MS = 10_000

/**
 * A Kafka cluster as a bus. Everything that makes publishing what it is - partitions, batches, order, retries, deadlines - is here and the same for every
 * client library; a {@link KafkaDriver} sends, reads and joins.
 *
 * A publish that rejects may have written some of its records, and with a deadline or a lost connection it is not known which. Without idempotence a retry
 * may write records twice: next to each other, save where a broker that had stopped still takes in the first try when newer ones are written. What is
 * acknowledged is in the order of the calls.
 */
export class KafkaBus implements Bus, BusAdmin {
  readonly capabilities: BusCapabilities
  readonly #options: KafkaOptions
  readonly #driver: KafkaDriver
  readonly #context: Context
  readonly #client: KafkaClient
  readonly #admin: KafkaAdmin
  readonly #topics: KnownTopics
  readonly #publisher: Publisher
  readonly #subscriptions = new Set<GroupSubscription>()
  #connected = false
  #closing: Promise<void> | null = null

  /** Throws InvalidInputError or UnsupportedError where the options do not go together, or not with the driver. */
  constructor(options: KafkaOptions, createDriver: CreateKafkaDriver, context: Context) {
    this.#options = options
    this.#context = context
    this.#client = new KafkaClient(options)
    this.#admin = new KafkaAdmin(options, context)
    this.#topics = new KnownTopics({
      client: this.#client,
      clock: context.clock,
      random: context.random,
      deadlineMs: options.deliveryTimeoutMs,
      compression: options.compression,
      configOf: this.#configOf,
      create: (topic, config) => this.#admin.ensureTopic(topic, config),
      onFailure: (error) => this.#onBackgroundError('metadata', error),
    })
    const ensureTopic = async (topic: string) => void (await this.#topics.lookUp(topic))
    const driver = createDriver(options, context, {ensureTopic})
    checkOptions(options, driver.capabilities)
    this.capabilities = {...driver.capabilities, idempotence: driver.capabilities.idempotence && options.idempotent}
    this.#driver = driver
    this.#publisher = new Publisher({driver, topics: this.#topics, options, context, component: KAFKA_COMPONENT})
  }

  async connect(): Promise<void> {
    if (this.#closing !== null) throw notConnected()
    // One first: where that fails, the others need not try, nor fail in words of their own.
    await this.#client.connect()
    await Promise.all([this.#admin.connect(), this.#driver.connect()])
    this.#connected = true
  }

  /** Asks a broker. */
  async check(): Promise<void> {
    this.#opened()
    await this.#admin.check()
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async publish(records: readonly OutgoingRecord[]): Promise<readonly PublishResult[]> {
    this.#opened()
    if (records.length === 0) return []
    const bytes = checkRecords(records)
    const startMs = performance.now()
    try {
      const results = await this.#publisher.publish(records, bytes)
      this.#countSent(results, bytes, startMs)
      return results
    } catch (error) {
      this.#countError('publish', error)
      throw error
    }
  }

  subscribe(options: SubscribeOptions, signal: AbortSignal): GroupSubscription {
    for (const topic of options.topics) checkTopicName(topic)
    if (options.instanceId !== undefined && !this.capabilities.staticMembership) throw noStaticMembers()
    const backend = withEnd(this.#driver.backend(options), () => this.#subscriptions.delete(subscription))
    const subscription: GroupSubscription = new GroupSubscription(backend, options, this.#context, signal)
    this.#subscriptions.add(subscription)
    return subscription
  }

  async transaction<T>(options: TransactionOptions, fn: (transaction: Transaction) => Promise<T>): Promise<T> {
    const {transactions} = this.#driver
    if (transactions === null) throw noTransactions()
    this.#opened()
    const parts: TransactionParts = {
      subscriptions: this.#subscriptions,
      start: (id) => transactions.start(id),
      commit: async (content) => transactions.commit(content, await this.#publisher.batches(content.records)),
    }
    return await runTransaction(parts, options, fn)
  }

  // Admin

  listTopics(): Promise<readonly string[]> {
    return this.#admin.listTopics()
  }

  describeTopic(topic: string): Promise<TopicDescription> {
    return this.#admin.describeTopic(topic)
  }

  ensureTopic(topic: string, config: TopicConfig): Promise<void> {
    return this.#admin.ensureTopic(topic, config)
  }

  alterTopic(topic: string, changes: TopicChanges): Promise<void> {
    return this.#admin.alterTopic(topic, changes)
  }

  async addPartitions(topic: string, partitions: number): Promise<void> {
    await this.#admin.addPartitions(topic, partitions)
    this.#topics.forget(topic)
  }

  electLeaders(topics?: readonly string[]): Promise<readonly LeaderElection[]> {
    return this.#admin.electLeaders(topics)
  }

  async deleteTopic(topic: string): Promise<void> {
    await this.#admin.deleteTopic(topic)
    this.#topics.forget(topic)
  }

  trim(positions: readonly Position[]): Promise<void> {
    return this.#admin.trim(positions)
  }

  listGroups(): Promise<readonly string[]> {
    return this.#admin.listGroups()
  }

  describeGroup(group: string): Promise<GroupDescription> {
    return this.#admin.describeGroup(group)
  }

  lag(group: string): Promise<readonly GroupLag[]> {
    return this.#admin.lag(group)
  }

  resetGroup(group: string, positions: readonly Position[]): Promise<void> {
    return this.#admin.resetGroup(group, positions)
  }

  deleteGroup(group: string): Promise<void> {
    return this.#admin.deleteGroup(group)
  }

  offsetsAt(topic: string, timestampMs: number): Promise<readonly Position[]> {
    return this.#admin.offsetsAt(topic, timestampMs)
  }

  read(position: Position, maxRecords: number, options?: ReadOptions): Promise<readonly BusMessage[]> {
    return this.#admin.read(position, maxRecords, options)
  }

  nodes(): Promise<readonly BusNode[]> {
    return this.#admin.nodes()
  }

  nodeSettings(id: string): Promise<readonly NodeSetting[]> {
    return this.#admin.nodeSettings(id)
  }

  alterNode(id: string, settings: Readonly<Record<string, string | null>>): Promise<void> {
    return this.#admin.alterNode(id, settings)
  }

  // Inside

  async #close(): Promise<void> {
    const connected = this.#connected
    this.#connected = false
    await Promise.all([...this.#subscriptions].map((subscription) => subscription.close()))
    if (connected) await this.#publisher.close(FLUSH_MS)
    await Promise.all([this.#driver.close(), this.#admin.close(), this.#client.close()])
  }

  readonly #configOf = (topic: string): TopicConfig => this.#options.topics?.[topic] ?? defaultTopicConfig(topic)

  #opened(): void {
    if (!this.#connected) throw notConnected()
  }

  /** A record without an acknowledgement does not count as sent. */
  #countSent(results: readonly PublishResult[], bytes: number, startMs: number): void {
    const {metrics} = this.#context
    const name = this.#options.acks === 0 ? 'coinpipe_component_unacknowledged_total' : 'coinpipe_component_sent_total'
    metrics.counter(name).add(results.length, LABELS)
    metrics.counter('coinpipe_component_bytes_total').add(bytes, LABELS)
    metrics.histogram('coinpipe_publish_seconds').observe((performance.now() - startMs) / 1000, LABELS)
  }

  #countError(stage: string, error: unknown): void {
    const code = error instanceof CoinpipeError ? error.code : 'BUG'
    this.#context.metrics.counter('coinpipe_component_errors_total').add(1, {...LABELS, stage, code})
  }

  #onBackgroundError(stage: string, error: unknown): void {
    this.#countError(stage, error)
    this.#context.logger.warn({stage, err: error}, 'Kafka is in trouble; it is asked again')
  }
}
