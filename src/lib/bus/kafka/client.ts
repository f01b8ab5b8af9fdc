import {randomInt} from 'node:crypto'
import {
  Base,
  type BrokerWithRack,
  type Callback,
  type ClusterMetadata,
  type ClusterTopicMetadata,
  type Connection,
  kGetApi,
  kGetBootstrapConnection,
} from '@platformatic/kafka'
import {CoinpipeError, isRetryable} from '../../core/errors.ts'
import type {TopicPartition} from '../../core/ports/bus.ts'
import {orLate} from '../deadline.ts'
import {BrokerUnreachableError, fromProtocol, notConnected, protocolErrorOf, translateKafkaError, unreachable} from './errors.ts'
import type {KafkaOptions} from './options.ts'

/** Which broker a request goes to: one by its id, any, the active controller, or the coordinator of a group or a transaction. */
export type Target = {readonly node: number} | 'any' | 'controller' | {readonly group: string} | {readonly transaction: string}

/** The wire-level function of one API in the newest version that both sides know; `version` says which, as arguments and answers differ. */
export interface Api {
  readonly version: number
  (connection: Connection, ...args: unknown[]): void
}

const GROUP = 0
const TRANSACTION = 1
/** The coordinator moved, or is not ready: it is looked up again. */
const MOVED = new Set(['NOT_COORDINATOR', 'COORDINATOR_NOT_AVAILABLE', 'NOT_CONTROLLER'])
const METADATA_AGE_MS = 30_000

/**
 * Requests to a Kafka cluster, each tried once: brokers, versions, coordinators and deadlines are looked after here, retries by the caller, who knows
 * what may be repeated. A broker answers the requests of one connection one after the other, so whoever sends requests that wait on the broker (a
 * fetch, a join) has a client of his own.
 */
export class KafkaClient {
  readonly #options: KafkaOptions
  readonly #coordinators = new Map<string, number>()
  #base: RotatingBase | null = null
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
    const {brokers, clientId, requestTimeoutMs, connectTimeoutMs, tls, sasl} = this.#options
    this.#base ??= new RotatingBase({
      clientId,
      bootstrapBrokers: [...brokers],
      timeout: requestTimeoutMs,
      requestTimeout: requestTimeoutMs,
      connectTimeout: connectTimeoutMs,
      retries: 0,
      metadataMaxAge: METADATA_AGE_MS,
      ...(tls === undefined ? {} : {tls, tlsServerName: true}),
      ...(sasl === undefined ? {} : {sasl: {...sasl, mechanism: MECHANISMS[sasl.mechanism]}}),
    })
    await this.metadata([])
  }

  /** Ends at once; requests under way reject. */
  async close(): Promise<void> {
    this.#closed = true
    const base = this.#base
    this.#base = null
    if (base !== null) await orLate(base.close(), this.#options.connectTimeoutMs, 'closing the connections to Kafka').catch(() => undefined)
  }

  /** Brokers, and the topics that are named. Rejects with UnknownTopicError where one of them does not exist. `fresh` asks the brokers again. */
  async metadata(topics: readonly string[], {fresh = false}: {fresh?: boolean} = {}): Promise<ClusterMetadata> {
    const what = topics.length === 0 ? 'connect to Kafka' : `look up topic '${topics.join("', '")}'`
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#attempt(what, (base) => base.metadata({topics: [...topics], forceUpdate: fresh}))
      } catch (error) {
        if (!(error instanceof BrokerUnreachableError) || attempt >= this.brokers.length) throw error
        // It took the connection and never answered: a paused process does that. Another one may do better.
        this.#opened().rotate()
      }
    }
  }

  async topic(topic: string, options: {fresh?: boolean} = {}): Promise<ClusterTopicMetadata> {
    const found = (await this.metadata([topic], options)).topics.get(topic)
    if (found === undefined) throw fromProtocol('UNKNOWN_TOPIC_OR_PARTITION', 'it does not exist', `look up topic '${topic}'`)
    return found
  }

  /** Forgets who leads which partition: after an error that says so. */
  forgetLeaders(): void {
    this.#base?.clearMetadata()
  }

  async leader({topic, partition}: TopicPartition): Promise<number> {
    return (await this.topic(topic)).partitions[partition]?.leader ?? -1
  }

  /** The newest version of an API that the brokers and this client both know; rejects with UnsupportedError. */
  async api(name: string): Promise<Api> {
    return await this.#attempt(
      name,
      (base) =>
        new Promise<Api>((resolve, reject) => {
          base[kGetApi](name, (error, api) => (error ? reject(error) : resolve(api as unknown as Api)))
        }),
    )
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
        const connection = await this.#connection(target)
        await options.before?.(connection)
        return await new Promise<Response>((resolve, reject) => {
          send(connection, ...args, (error: (Error & {response?: Response}) | null, response?: Response) => {
            if (error === null || error === undefined) resolve(response as Response)
            else if (options.partial === true && error.response !== undefined) resolve(error.response)
            else reject(error)
          })
        })
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

  async #connection(target: Target): Promise<Connection> {
    const {brokers, controllerId} = await this.metadata([])
    const base = this.#opened()
    if (target === 'any') return await base.connections.getFirstAvailable(shuffled([...brokers.values()]))
    const id = target === 'controller' ? controllerId : 'node' in target ? target.node : await this.coordinator(target)
    const broker = brokers.get(id)
    if (broker === undefined) throw unreachable(`ask broker ${id}`, this.brokers)
    return await base.connections.get(broker)
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

  async #attempt<T>(what: string, work: (base: Base) => Promise<T>): Promise<T> {
    const base = this.#opened()
    try {
      return await work(base)
    } catch (error) {
      if (this.#closed) throw notConnected()
      throw translateKafkaError(error, what, this.brokers)
    }
  }

  #opened(): RotatingBase {
    if (this.#base === null || this.#closed) throw notConnected()
    return this.#base
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

/** Asks for metadata at another broker than the last one when told to; the library itself begins with the same one each time. */
class RotatingBase extends Base {
  #shift = randomInt(1 << 16)

  rotate(): void {
    this.#shift += 1
  }

  override [kGetBootstrapConnection](callback: Callback<Connection>, attempt = 0): void {
    super[kGetBootstrapConnection](callback, attempt + this.#shift)
  }
}

interface CoordinatorResponse {
  readonly coordinators: readonly {readonly nodeId: number}[]
}

const MECHANISMS = {plain: 'PLAIN', 'scram-sha-256': 'SCRAM-SHA-256', 'scram-sha-512': 'SCRAM-SHA-512'} as const

/** Starts at a random broker, so that one that is down or slow is not everyone's first. */
function shuffled(brokers: readonly BrokerWithRack[]): BrokerWithRack[] {
  const start = brokers.length === 0 ? 0 : randomInt(brokers.length)
  return [...brokers.slice(start), ...brokers.slice(0, start)]
}
