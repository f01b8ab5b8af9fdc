import {randomInt} from 'node:crypto'
import type {
  apiVersionsV3,
  Broker,
  BrokerWithRack,
  ClusterMetadata,
  ClusterTopicMetadata,
  Connection,
  metadataV12,
} from '@platformatic/kafka'
import * as library from '@platformatic/kafka'
import {NetworkError, UnsupportedApiError} from '@platformatic/kafka'
import {DeadlineError} from '../../core/errors.ts'
import {orLate} from '../deadline.ts'
import {askInTurn} from './ask-in-turn.ts'
import {BrokerPool, type ConnectionOptions} from './broker-pool.ts'
import {errorOfCode, isNetworkError} from './errors.ts'

/** The wire-level function of one API in one version; `version` says which, as arguments and answers differ. */
export interface Api {
  readonly version: number
  (connection: Connection, ...args: unknown[]): void
}

export interface DiscoveryOptions {
  readonly clientId: string
  /** `host:port` of brokers to start from. */
  readonly brokers: readonly string[]
  readonly connection: ConnectionOptions
  /** How long one broker has to answer; one that takes longer is asked last from then on. */
  readonly patienceMs: number
}

const METADATA_AGE_MS = 30_000
/** A broker that did not answer is asked last for so long. */
const AVOID_MS = 10_000
const DEFAULT_PORT = 9092
const SOFTWARE = ['coinpipe', '0'] as const

/**
 * What any broker knows: which brokers there are, who leads what, which APIs they have. Asks one after the other until one answers, on connections that
 * nothing else uses, so that no request that waits on a broker is waited for. Errors may be the library's.
 */
export class Discovery {
  readonly #options: DiscoveryOptions
  readonly #pool: BrokerPool
  readonly #bootstrap: readonly Broker[]
  readonly #avoided = new Map<string, number>()
  readonly #topics = new Map<string, ClusterTopicMetadata>()
  readonly #questions = new Map<string, Promise<ClusterMetadata>>()
  /** Stay known when the leaders are forgotten: the address to start from may be the one that is down. */
  #brokers: ReadonlyMap<number, BrokerWithRack> = new Map()
  #cluster: Pick<ClusterMetadata, 'id' | 'controllerId' | 'lastUpdate'> | null = null
  #versions: apiVersionsV3.ApiVersionsResponse['apiKeys'] | null = null

  constructor(options: DiscoveryOptions) {
    this.#options = options
    this.#pool = new BrokerPool(options.clientId, options.connection)
    this.#bootstrap = options.brokers.map(parseAddress)
  }

  async close(): Promise<void> {
    await this.#pool.close()
  }

  /** Rejects where a topic is unknown. A partition without a leader has -1 for one. */
  async metadata(topics: readonly string[], fresh: boolean): Promise<ClusterMetadata> {
    const cluster = this.#cluster
    const known = topics.map((topic) => [topic, this.#topics.get(topic)] as const)
    const current = [cluster, ...known.map(([, metadata]) => metadata)].every(
      (part) => part && Date.now() - part.lastUpdate < METADATA_AGE_MS,
    )
    if (!fresh && current && cluster !== null) {
      return {...cluster, brokers: new Map(this.#brokers), topics: new Map(known as (readonly [string, ClusterTopicMetadata])[])}
    }
    const key = topics.join()
    const running = this.#questions.get(key)
    // One that is under way may be answered from before what the caller wants to see.
    if (running !== undefined && !fresh) return await running
    const question = this.#askMetadata(topics).finally(() => this.#questions.delete(key))
    this.#questions.set(key, question)
    return await question
  }

  /** Has the next question go to the brokers. */
  forget(): void {
    this.#topics.clear()
    this.#cluster = null
  }

  /** The newest version that the brokers and the library both have. */
  async api(name: string): Promise<Api> {
    this.#versions ??= (await this.#ask((connection) => library.apiVersionsV3.api.async(connection, ...SOFTWARE))).apiKeys
    const range = this.#versions.find((api) => api.name === name)
    for (let version = range?.maxVersion ?? -1; range !== undefined && version >= range.minVersion; version--) {
      const found = (library as unknown as Record<string, {readonly api?: Api} | undefined>)[
        `${name[0]?.toLowerCase()}${name.slice(1)}V${version}`
      ]
      if (found?.api !== undefined) return found.api
    }
    throw new UnsupportedApiError(`these brokers have no usable ${name}`)
  }

  /** Brokers in random order, but those that lately did not answer last. */
  inOrder<B extends Broker>(brokers: readonly B[]): B[] {
    const start = brokers.length === 0 ? 0 : randomInt(brokers.length)
    const shuffled = [...brokers.slice(start), ...brokers.slice(0, start)]
    const avoided = (broker: Broker) => (this.#avoided.get(addressOf(broker)) ?? 0) > Date.now()
    return [...shuffled.filter((broker) => !avoided(broker)), ...shuffled.filter(avoided)]
  }

  /** Reaches a broker and asks it; one that cannot be reached or does not answer in time is asked last from now on. */
  async attempt<T>(broker: Broker, pool: BrokerPool, question: (connection: Connection) => Promise<T>): Promise<T> {
    try {
      return await orLate(question(await pool.get(broker)), this.#options.patienceMs, `an answer of ${addressOf(broker)}`)
    } catch (error) {
      if (!isNetworkError(error) && !(error instanceof DeadlineError)) throw error
      this.#avoided.set(addressOf(broker), Date.now() + AVOID_MS)
      throw error instanceof DeadlineError ? new NetworkError(error.message, {cause: error}) : error
    }
  }

  async #askMetadata(topics: readonly string[]): Promise<ClusterMetadata> {
    const api = await this.api('Metadata')
    const answer = await this.#ask(
      (connection) =>
        new Promise<metadataV12.MetadataResponse>((resolve, reject) => {
          api(
            connection,
            topics,
            false,
            false,
            (error: (Error & {response?: metadataV12.MetadataResponse}) | null, response: metadataV12.MetadataResponse) => {
              // An answer with errors in it: they are looked at below.
              const usable = error?.response ?? response
              if (usable === undefined) reject(error)
              else resolve(usable)
            },
          )
        }),
    )
    return this.#takeIn(answer)
  }

  #takeIn(answer: metadataV12.MetadataResponse): ClusterMetadata {
    const lastUpdate = Date.now()
    this.#brokers = new Map(answer.brokers.map(({nodeId, host, port, rack}) => [nodeId, {host, port, rack: rack ?? null}]))
    this.#cluster = {id: answer.clusterId ?? '', controllerId: answer.controllerId, lastUpdate}
    const topics = new Map<string, ClusterTopicMetadata>()
    for (const topic of answer.topics) {
      const name = topic.name ?? ''
      if (topic.errorCode !== 0) {
        this.#topics.delete(name)
        throw errorOfCode(topic.errorCode, null, `look up topic '${name}'`, this.#options.brokers)
      }
      topics.set(name, {id: topic.topicId, partitions: partitionsOf(topic), partitionsCount: topic.partitions.length, lastUpdate})
    }
    for (const [name, metadata] of topics) this.#topics.set(name, metadata)
    return {...this.#cluster, brokers: new Map(this.#brokers), topics}
  }

  async #ask<T>(question: (connection: Connection) => Promise<T>): Promise<T> {
    const questions = this.#candidates().map((broker) => () => this.attempt(broker, this.#pool, question))
    return await askInTurn(questions, isNetworkError)
  }

  #candidates(): Broker[] {
    const all = [...this.#bootstrap, ...this.#brokers.values()]
    return this.inOrder([...new Map(all.map((broker) => [addressOf(broker), broker])).values()])
  }
}

function partitionsOf({partitions}: metadataV12.MetadataResponse['topics'][number]): ClusterTopicMetadata['partitions'] {
  const sorted = [...partitions].sort((a, b) => a.partitionIndex - b.partitionIndex)
  return sorted.map(({leaderId, leaderEpoch, replicaNodes, isrNodes, offlineReplicas}) => ({
    leader: leaderId,
    leaderEpoch,
    replicas: replicaNodes,
    isr: isrNodes,
    offlineReplicas,
  }))
}

function addressOf({host, port}: Broker): string {
  return `${host}:${port}`
}

function parseAddress(address: string): Broker {
  const [, host = address, port = DEFAULT_PORT] = /^(.*):(\d+)$/.exec(address) ?? []
  return {host: host.replace(/^\[(.*)\]$/, '$1'), port: Number(port)}
}
