import type {Broker, ClusterMetadata, ClusterTopicMetadata, Connection} from '@platformatic/kafka'
import {CoinpipeError, isRetryable} from '../../core/errors.ts'
import type {TopicPartition} from '../../core/ports/bus.ts'
import {orLate} from '../deadline.ts'
import {askInTurn} from './ask-in-turn.ts'
import {BrokerPool} from './broker-pool.ts'
import {type Api, Discovery} from './discovery.ts'
import {
  fromProtocol,
  isMisuse,
  isNetworkError,
  notConnected,
  protocolErrorOf,
  tlsWanted,
  translateKafkaError,
  unreachable,
} from './errors.ts'
import type {KafkaOptions} from './options.ts'

export type {Api} from './discovery.ts'

/**
 * Which broker a request goes to: one by its id, any, the active controller, or the coordinator of a group or a transaction. Any is for questions that are
 * answered at once and may be asked twice: a broker that takes long over one is taken for one that never answers, and another is asked too.
 */
export type Target = {readonly node: number} | 'any' | 'controller' | {readonly group: string} | {readonly transaction: string}

const GROUP = 0
const TRANSACTION = 1
/** The coordinator moved, or is not ready: it is looked up again. */
const MOVED = new Set(['NOT_COORDINATOR', 'COORDINATOR_NOT_AVAILABLE', 'NOT_CONTROLLER'])

/**
 * Requests to a Kafka cluster, each tried once: brokers, versions, coordinators and deadlines are looked after here, retries by the caller, who knows
 * what may be repeated. A broker answers the requests of one connection one after the other, so whoever sends requests that wait on the broker (a
 * fetch, a join) has a client of his own.
 */
export class KafkaClient {
  readonly #options: KafkaOptions
  readonly #coordinators = new Map<string, number>()
  #open: {readonly discovery: Discovery; readonly pool: BrokerPool} | null = null
  #closed = false

  constructor(options: KafkaOptions) {
    this.#options = options
  }

  get brokers(): readonly string[] {
    return this.#options.brokers
  }

  /** Reaches any one broker; rejects with BrokerUnreachableError or KafkaAuthError. */
  async connect(): Promise<void> {
    if (this.#closed) throw notConnected()
    this.#open ??= this.#create()
    await this.metadata([])
  }

  /** Ends at once; requests under way reject. */
  async close(): Promise<void> {
    this.#closed = true
    const open = this.#open
    this.#open = null
    if (open === null) return
    const closed = Promise.all([open.discovery.close(), open.pool.close()])
    await orLate(closed, this.#options.connectTimeoutMs, 'closing the connections to Kafka').catch(() => undefined)
  }

  /** Brokers, and the topics that are named. Rejects with UnknownTopicError where one of them does not exist. `fresh` asks the brokers again. */
  async metadata(topics: readonly string[], {fresh = false}: {fresh?: boolean} = {}): Promise<ClusterMetadata> {
    const what = topics.length === 0 ? 'connect to Kafka' : `look up topic '${topics.join("', '")}'`
    return await this.#attempt(what, ({discovery}) => discovery.metadata(topics, fresh))
  }

  async topic(topic: string, options: {fresh?: boolean} = {}): Promise<ClusterTopicMetadata> {
    const found = (await this.metadata([topic], options)).topics.get(topic)
    if (found === undefined) throw fromProtocol('UNKNOWN_TOPIC_OR_PARTITION', 'it does not exist', `look up topic '${topic}'`)
    return found
  }

  /** Forgets who leads which partition: after an error that says so. */
  forgetLeaders(): void {
    this.#open?.discovery.forget()
  }

  async leader({topic, partition}: TopicPartition): Promise<number> {
    return (await this.topic(topic)).partitions[partition]?.leader ?? -1
  }

  /** The newest version of an API that the brokers and this client both know; rejects with UnsupportedError. */
  async api(name: string): Promise<Api> {
    return await this.#attempt(name, ({discovery}) => discovery.api(name))
  }

  /**
   * One request. Resolves with the API's answer; where that carries an error code, rejects with it, translated, save where `partial` is set: then an answer
   * with errors in it is an answer. `api` is the newest version where only its name is given.
   */
  async call<Response>(target: Target, api: string | Api, args: readonly unknown[], options: CallOptions = {}): Promise<Response> {
    const what = options.what ?? (typeof api === 'string' ? api : `version ${api.version} of a request`)
    try {
      const send = typeof api === 'string' ? await this.api(api) : api
      return await this.#attempt(what, async () => {
        if (target === 'any') return await this.#askAny(send, args, options)
        return await this.#askOne<Response>(await this.#broker(target), send, args, {...options, what})
      })
    } catch (error) {
      this.#forget(target, error)
      throw error
    }
  }

  /** The broker that looks after a group or a transaction. */
  async coordinator(target: {readonly group: string} | {readonly transaction: string}): Promise<number> {
    const [type, key] = 'group' in target ? [GROUP, target.group] : [TRANSACTION, target.transaction]
    const known = this.#coordinators.get(`${type}:${key}`)
    if (known !== undefined) return known
    const response = await this.call<CoordinatorResponse>('any', 'FindCoordinator', [type, [key]], {
      what: `find the coordinator of '${key}'`,
    })
    const nodeId = response.coordinators[0]?.nodeId
    if (nodeId === undefined || nodeId < 0) throw unreachable(`find the coordinator of '${key}'`, this.brokers)
    this.#coordinators.set(`${type}:${key}`, nodeId)
    return nodeId
  }

  async #broker(target: Exclude<Target, 'any'>): Promise<Broker> {
    const {brokers, controllerId} = await this.metadata([])
    const id = target === 'controller' ? controllerId : 'node' in target ? target.node : await this.coordinator(target)
    const broker = brokers.get(id)
    if (broker === undefined) throw unreachable(`ask broker ${id}`, this.brokers)
    return broker
  }

  async #askOne<Response>(
    broker: Broker,
    send: Api,
    args: readonly unknown[],
    options: CallOptions & {readonly what: string},
  ): Promise<Response> {
    try {
      return await sendOn<Response>(await this.#opened().pool.get(broker), send, args, options)
    } catch (error) {
      // Says which one it was.
      throw isNetworkError(error) ? translateKafkaError(error, options.what, [`${broker.host}:${broker.port}`]) : error
    }
  }

  async #askAny<Response>(send: Api, args: readonly unknown[], options: CallOptions): Promise<Response> {
    const {brokers} = await this.metadata([])
    const {discovery, pool} = this.#opened()
    if (brokers.size === 0) throw unreachable(options.what ?? 'ask any broker', this.brokers)
    const questions = discovery
      .inOrder([...brokers.values()])
      .map((broker) => () => discovery.attempt(broker, pool, (connection) => sendOn<Response>(connection, send, args, options)))
    return await askInTurn(questions, isNetworkError)
  }

  #forget(target: Target, error: unknown): void {
    const moved =
      MOVED.has(protocolErrorOf((error as {cause?: unknown}).cause) ?? '') || (error instanceof CoinpipeError && isRetryable(error))
    if (!moved || typeof target === 'string' || 'node' in target) {
      if (moved) this.forgetLeaders()
      return
    }
    this.#coordinators.delete('group' in target ? `${GROUP}:${target.group}` : `${TRANSACTION}:${target.transaction}`)
    this.forgetLeaders()
  }

  async #attempt<T>(what: string, work: (open: {readonly discovery: Discovery}) => Promise<T>): Promise<T> {
    const open = this.#opened()
    try {
      return await work(open)
    } catch (error) {
      if (this.#closed) throw notConnected()
      if (this.#options.tls === undefined && isMisuse(error)) throw tlsWanted(what, this.brokers, error)
      throw translateKafkaError(error, what, this.brokers)
    }
  }

  #create(): {readonly discovery: Discovery; readonly pool: BrokerPool} {
    const {brokers, clientId, requestTimeoutMs, connectTimeoutMs, tls, sasl} = this.#options
    const connection = {
      requestTimeout: requestTimeoutMs,
      connectTimeout: connectTimeoutMs,
      ...(tls === undefined ? {} : {tls}),
      ...(sasl === undefined ? {} : {sasl: {...sasl, mechanism: MECHANISMS[sasl.mechanism]}}),
    }
    return {
      discovery: new Discovery({clientId, brokers, connection, patienceMs: connectTimeoutMs}),
      pool: new BrokerPool(clientId, connection),
    }
  }

  #opened(): {readonly discovery: Discovery; readonly pool: BrokerPool} {
    if (this.#open === null || this.#closed) throw notConnected()
    return this.#open
  }
}

export interface CallOptions {
  /** What is being done, for messages; default the API's name. */
  readonly what?: string
  /** Resolve with an answer that has errors in it. */
  readonly partial?: boolean
  /** Awaited before the request is written, to wait until the connection takes it. */
  readonly before?: (connection: Connection) => Promise<void>
}

interface CoordinatorResponse {
  readonly coordinators: readonly {readonly nodeId: number}[]
}

const MECHANISMS = {plain: 'PLAIN', 'scram-sha-256': 'SCRAM-SHA-256', 'scram-sha-512': 'SCRAM-SHA-512'} as const

async function sendOn<Response>(connection: Connection, send: Api, args: readonly unknown[], options: CallOptions): Promise<Response> {
  await options.before?.(connection)
  return await new Promise<Response>((resolve, reject) => {
    send(connection, ...args, (error: (Error & {response?: Response}) | null, response?: Response) => {
      if (error === null || error === undefined) resolve(response as Response)
      else if (options.partial === true && error.response !== undefined) resolve(error.response)
      else reject(error)
    })
  })
}
