import type {Context} from '../../../core/context.ts'
import type {
  BusAdmin,
  BusMessage,
  BusNode,
  GroupDescription,
  GroupLag,
  LeaderElection,
  NodeSetting,
  Position,
  ReadOptions,
  TopicChanges,
  TopicConfig,
  TopicDescription,
} from '../../../core/ports/bus.ts'
import {KafkaClient} from '../client.ts'
import type {KafkaOptions} from '../options.ts'
import {electLeaders} from './elections.ts'
import {deleteGroup, lag, resetGroup} from './group-offsets.ts'
import {describeGroup, listGroups} from './groups.ts'
import {alterNode, nodeSettings, nodes} from './nodes.ts'
import {offsetsAt, trim} from './offsets.ts'
import {read} from './read.ts'
import {Requests} from './requests.ts'
import {addPartitions, alterTopic, deleteTopic, describeTopic, ensureTopic, listTopics} from './topics.ts'

/** What people ask of a Kafka cluster beside publishing and subscribing, with connections of its own. */
export class KafkaAdmin implements BusAdmin {
  readonly #options: KafkaOptions
  readonly #client: KafkaClient
  /** A read may wait on the broker, and whatever is asked on the same connection waits with it. */
  readonly #fetcher: KafkaClient
  readonly #requests: Requests

  constructor(options: KafkaOptions, {clock}: Pick<Context, 'clock'>) {
    this.#options = options
    this.#client = new KafkaClient(options)
    this.#fetcher = new KafkaClient(options)
    const {requestTimeoutMs, connectTimeoutMs, deliveryTimeoutMs} = options
    this.#requests = new Requests({client: this.#client, clock, requestTimeoutMs, connectTimeoutMs, retryMs: deliveryTimeoutMs})
  }

  async connect(): Promise<void> {
    await Promise.all([this.#client.connect(), this.#fetcher.connect()])
  }

  async check(): Promise<void> {
    await this.#requests.cluster([])
  }

  async close(): Promise<void> {
    await Promise.all([this.#client.close(), this.#fetcher.close()])
  }

  async listTopics(): Promise<readonly string[]> {
    return await listTopics(this.#requests)
  }

  async describeTopic(topic: string): Promise<TopicDescription> {
    return await describeTopic(this.#requests, topic)
  }

  async ensureTopic(topic: string, config: TopicConfig): Promise<void> {
    await ensureTopic(this.#requests, topic, config, this.#options.replicas)
  }

  async alterTopic(topic: string, changes: TopicChanges): Promise<void> {
    await alterTopic(this.#requests, topic, changes)
  }

  async addPartitions(topic: string, partitions: number): Promise<void> {
    await addPartitions(this.#requests, topic, partitions)
  }

  async electLeaders(topics?: readonly string[]): Promise<readonly LeaderElection[]> {
    return await electLeaders(this.#requests, topics)
  }

  async deleteTopic(topic: string): Promise<void> {
    await deleteTopic(this.#requests, topic)
  }

  async trim(positions: readonly Position[]): Promise<void> {
    await trim(this.#requests, positions)
  }

  async listGroups(): Promise<readonly string[]> {
    return await listGroups(this.#requests)
  }

  async describeGroup(group: string): Promise<GroupDescription> {
    return await describeGroup(this.#requests, group)
  }

  async lag(group: string): Promise<readonly GroupLag[]> {
    return await lag(this.#requests, group)
  }

  async resetGroup(group: string, positions: readonly Position[]): Promise<void> {
    await resetGroup(this.#requests, group, positions)
  }

  async deleteGroup(group: string): Promise<void> {
    await deleteGroup(this.#requests, group)
  }

  async offsetsAt(topic: string, timestampMs: number): Promise<readonly Position[]> {
    return await offsetsAt(this.#requests, topic, timestampMs)
  }

  async read(position: Position, maxRecords: number, options: ReadOptions = {}): Promise<readonly BusMessage[]> {
    return await read({requests: this.#requests, fetcher: this.#fetcher}, position, maxRecords, options)
  }

  async nodes(): Promise<readonly BusNode[]> {
    return await nodes(this.#requests)
  }

  async nodeSettings(id: string): Promise<readonly NodeSetting[]> {
    return await nodeSettings(this.#requests, id)
  }

  async alterNode(id: string, settings: Readonly<Record<string, string | null>>): Promise<void> {
    await alterNode(this.#requests, id, settings)
  }
}
