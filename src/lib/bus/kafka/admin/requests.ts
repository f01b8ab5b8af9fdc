import type {metadataV12} from '@platformatic/kafka'
import type {Clock} from '../../../core/context.ts'
import type {PartitionReplication} from '../../../core/ports/bus.ts'
import {unknownTopic} from '../../errors.ts'
import type {Api, CallOptions, KafkaClient, Target} from '../client.ts'
import {errorOfCode} from '../errors.ts'
import {untilDone} from '../retry.ts'

type MetadataResponse = metadataV12.MetadataResponse

/** A broker as the others see it. */
export interface Broker {
  readonly id: number
  readonly address: string
  readonly rack: string | null
}

export interface TopicView {
  readonly name: string
  readonly id: string
  /** One that Kafka keeps for itself. */
  readonly internal: boolean
  readonly partitions: readonly PartitionReplication[]
}

export interface ClusterView {
  /** Those that are up, as far as the broker that was asked knows. */
  readonly brokers: readonly Broker[]
  /** In ZooKeeper mode the active controller; in KRaft mode any broker. */
  readonly controllerId: number
  readonly topics: readonly TopicView[]
}

export interface RequestsOptions {
  readonly client: KafkaClient
  readonly clock: Clock
  readonly requestTimeoutMs: number
  readonly connectTimeoutMs: number
  /** How long a request is made again. */
  readonly retryMs: number
}

/** Requests as the admin makes them: bounded in time, and made again while that may help. */
export class Requests {
  readonly client: KafkaClient
  readonly clock: Clock
  readonly timeoutMs: number
  readonly connectTimeoutMs: number
  readonly #retryMs: number

  constructor({client, clock, requestTimeoutMs, connectTimeoutMs, retryMs}: RequestsOptions) {
    this.client = client
    this.clock = clock
    this.timeoutMs = requestTimeoutMs
    this.connectTimeoutMs = connectTimeoutMs
    this.#retryMs = retryMs
  }

  /** How long a broker may work on a request, so that its answer still comes before we give up. */
  get brokerTimeoutMs(): number {
    return Math.round(this.timeoutMs / 2)
  }

  /** Only for what may be repeated. */
  async retrying<T>(work: () => Promise<T>): Promise<T> {
    return await untilDone(work, {clock: this.clock, deadlineMs: this.#retryMs})
  }

  /** Only for what may be repeated. */
  async call<Response>(target: Target, api: string | Api, args: readonly unknown[], options: CallOptions): Promise<Response> {
    return await this.retrying(() => this.client.call<Response>(target, api, args, options))
  }

  /** What a broker knows of the named topics, null for all; default any broker. Rejects with UnknownTopicError for one that is not there. */
  async cluster(topics: readonly string[] | null, target: Target = 'any'): Promise<ClusterView> {
    return await this.retrying(() => this.clusterOnce(topics, target))
  }

  async clusterOnce(topics: readonly string[] | null, target: Target = 'any'): Promise<ClusterView> {
    const what = topics === null || topics.length === 0 ? 'look at the cluster' : `look up topic '${topics.join("', '")}'`
    const answer = await this.client.call<MetadataResponse>(target, 'Metadata', [topics, false, false], {what, partial: true})
    const brokers = answer.brokers.map(({nodeId, host, port, rack}) => ({id: nodeId, address: `${host}:${port}`, rack: rack ?? null}))
    return {
      brokers: brokers.sort((a, b) => a.id - b.id),
      controllerId: answer.controllerId,
      // Asked for all, one that is just being deleted is no error.
      topics: answer.topics.filter(({errorCode}) => topics !== null || errorCode === 0).map((topic) => this.#topic(topic)),
    }
  }

  /** Rejects with UnknownTopicError. */
  async topic(topic: string): Promise<TopicView> {
    const [view] = (await this.cluster([topic])).topics
    if (view === undefined) throw unknownTopic(topic)
    return view
  }

  #topic({errorCode, name, topicId, isInternal, partitions}: MetadataResponse['topics'][number]): TopicView {
    const topic = name ?? ''
    if (errorCode !== 0) throw errorOfCode(errorCode, null, `look up topic '${topic}'`, this.client.brokers)
    const sorted = [...partitions].sort((a, b) => a.partitionIndex - b.partitionIndex)
    return {
      name: topic,
      id: topicId,
      internal: isInternal,
      partitions: sorted.map(({partitionIndex, leaderId, leaderEpoch, replicaNodes, isrNodes}) => ({
        topic,
        partition: partitionIndex,
        leader: leaderId < 0 ? null : leaderId,
        leaderEpoch,
        replicas: replicaNodes,
        isr: isrNodes,
      })),
    }
  }
}
