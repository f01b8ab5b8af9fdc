import kafkajs, {type Broker, type Cluster, type Message} from 'kafkajs'
import type {Context} from '../../core/context.ts'
import type {OutgoingRecord, TopicPartition, Value} from '../../core/ports/bus.ts'
import type {PartitionBatch, SendOutcome} from '../kafka/driver.ts'
import {noLeader, notConnected} from '../kafka/errors.ts'
import type {Compression, KafkaOptions} from '../kafka/options.ts'
import {Connections, openCluster} from './connections.ts'
import {protocolTypeOf, translateKafkajsError} from './errors.ts'
import {forgetTopics, type ProduceAnswer} from './wire.ts'

const ACKS = {0: 0, 1: 1, all: -1} as const

/**
 * Sends each batch once, in a request of its own. kafkajs' own producer is not used: where a send of it spans several partitions and is tried again, it
 * takes brokers that had answered as done, also for partitions that have moved since, and so acknowledges records that nobody has; partitions that it
 * has not heard of yet it leaves out without a word; and it sorts records by partition in a time that grows with the square of their number.
 */
export class KafkajsProducer {
  readonly #options: KafkaOptions
  readonly #context: Pick<Context, 'logger'>
  readonly #connections: Connections
  readonly #cluster: Cluster
  readonly #topics = new Set<string>()
  #state: 'new' | 'open' | 'closed' = 'new'

  constructor(options: KafkaOptions, context: Pick<Context, 'logger'>) {
    this.#options = options
    this.#context = context
    this.#connections = new Connections(options, context)
    this.#cluster = openCluster(this.#connections)
  }

  /** Rejects with BrokerUnreachableError or KafkaAuthError. */
  async connect(): Promise<void> {
    if (this.#state === 'closed') throw notConnected()
    try {
      await this.#cluster.connect()
    } catch (error) {
      throw translateKafkajsError(error, 'connect to Kafka', this.#options.brokers)
    }
    this.#state = 'open'
  }

  async close(): Promise<void> {
    this.#state = 'closed'
    await this.#connections.close(() => this.#cluster.disconnect())
  }

  async send(batch: PartitionBatch): Promise<SendOutcome> {
    if (this.#state !== 'open') return {error: notConnected()}
    try {
      const broker = await this.#leader(batch)
      return {baseOffset: await this.#produce(broker, batch)}
    } catch (error) {
      if (protocolTypeOf(error) === 'UNKNOWN_TOPIC_OR_PARTITION') this.#forgetTopics()
      await this.#lookAgain()
      if (this.#isClosed()) return {error: notConnected()}
      return {error: translateKafkajsError(error, `publish to topic '${batch.topic}'`, this.#options.brokers)}
    }
  }

  async #leader({topic, partition}: TopicPartition): Promise<Broker> {
    if (!this.#topics.has(topic)) await this.#cluster.addTargetTopic(topic)
    this.#topics.add(topic)
    await this.#cluster.refreshMetadataIfNecessary()
    const leader = this.#cluster.findTopicPartitionMetadata(topic).find(({partitionId}) => partitionId === partition)?.leader ?? -1
    if (leader < 0) throw noLeader(`publish to partition ${partition} of topic '${topic}'`, this.#options.brokers)
    return await this.#cluster.findBroker({nodeId: String(leader)})
  }

  /** The offset of the first record; null without acknowledgement. */
  async #produce(broker: Broker, {topic, partition, records, compression}: PartitionBatch): Promise<number | null> {
    const {acks, requestTimeoutMs} = this.#options
    const answer: ProduceAnswer | undefined = await broker.produce({
      acks: ACKS[acks],
      timeout: requestTimeoutMs,
      compression: typeOf(compression),
      topicData: [{topic, partitions: [{partition, firstSequence: 0, messages: records.map(toMessage)}]}],
    })
    // Nobody answers, and nothing else would slow us down.
    if (acks === 0) await this.#connections.drained(requestTimeoutMs)
    const baseOffset = answer?.topics[0]?.partitions[0]?.baseOffset
    return baseOffset === undefined ? null : Number(baseOffset)
  }

  /** One of them is gone, and kafkajs does not say which: each is looked up again when it is next published to. */
  #forgetTopics(): void {
    this.#topics.clear()
    forgetTopics(this.#cluster)
  }

  /** Whatever went wrong, the leader may be another one by now. */
  async #lookAgain(): Promise<void> {
    try {
      if (!this.#isClosed()) await this.#cluster.refreshMetadata()
    } catch (error) {
      this.#context.logger.debug({err: error}, 'looking for the leaders failed')
    }
  }

  #isClosed(): boolean {
    return this.#state === 'closed'
  }
}

function typeOf(compression: Compression): number {
  const {None, GZIP, Snappy, LZ4, ZSTD} = kafkajs.CompressionTypes
  return {none: None, gzip: GZIP, snappy: Snappy, lz4: LZ4, zstd: ZSTD}[compression]
}

function toMessage({key, value, headers = {}}: OutgoingRecord): Message {
  return {key, value: toBytes(value), headers}
}

function toBytes(value: Value | null): string | Buffer | null {
  return value instanceof Uint8Array ? Buffer.from(value.buffer, value.byteOffset, value.byteLength) : value
}
