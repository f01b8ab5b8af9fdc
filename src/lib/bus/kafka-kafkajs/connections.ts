import {once} from 'node:events'
import {connect as connectTcp, isIP, type Socket} from 'node:net'
import {connect as connectTls} from 'node:tls'
import kafkajs, {type Cluster, type Kafka, type KafkaConfig, type SASLOptions} from 'kafkajs'
import type {Context} from '../../core/context.ts'
import {orLate} from '../deadline.ts'
import {notConnected} from '../kafka/errors.ts'
import type {KafkaOptions} from '../kafka/options.ts'
import {amendKafkajs} from './amend-kafkajs.ts'

const KEEP_ALIVE_MS = 60_000
/** How long a connection may take to end in good order. */
const CLOSE_MS = 1_000

/**
 * A kafkajs client whose sockets can be ended for good: kafkajs waits for the answers under way, and a broker that has stopped or holds a request back
 * would keep the process alive for minutes.
 */
export class Connections {
  readonly kafka: Kafka
  readonly #sockets = new Set<Socket>()
  #ended = false

  constructor(options: KafkaOptions, {logger}: Pick<Context, 'logger'>) {
    amendKafkajs()
    const config: KafkaConfig = {
      clientId: options.clientId,
      brokers: [...options.brokers],
      connectionTimeout: options.connectTimeoutMs,
      authenticationTimeout: options.requestTimeoutMs,
      requestTimeout: options.requestTimeoutMs,
      // Only its way to a broker is tried again, once with each address; requests are repeated by us, who know which may be.
      retry: {retries: options.brokers.length, initialRetryTime: 100, maxRetryTime: 500},
      socketFactory: this.#connect,
      logLevel: kafkajs.logLevel.INFO,
      // Whatever it says is a detail to us: what went wrong comes back as an error.
      logCreator:
        () =>
        ({namespace, label, log: {message, broker, groupId}}) =>
          logger.debug({namespace, level: label, text: message, broker, groupId}, 'kafkajs'),
      ...(options.tls === undefined ? {} : {ssl: options.tls}),
      ...(options.sasl === undefined ? {} : {sasl: {...options.sasl} as SASLOptions}),
    }
    this.kafka = new kafkajs.Kafka(config)
  }

  /** Ends `work`, which disconnects, in bounded time; what is still open then is cut off, and its requests reject. */
  async close(work: () => Promise<void>): Promise<void> {
    const late = await orLate(work(), CLOSE_MS, 'closing the connections to Kafka').then(
      () => undefined,
      () => notConnected(),
    )
    this.#ended = true
    for (const socket of this.#sockets) socket.destroy(late)
  }

  /** Waits while more is on its way to the brokers than the sockets hold. Rejects with DeadlineError. */
  async drained(ms: number): Promise<void> {
    for (const socket of this.#sockets) {
      if (socket.writableNeedDrain) await orLate(once(socket, 'drain'), ms, 'sending to Kafka')
    }
  }

  readonly #connect: NonNullable<KafkaConfig['socketFactory']> = ({host, port, ssl, onConnect}) => {
    const name = isIP(host) === 0 ? {servername: host} : {}
    const socket = ssl ? connectTls({host, port, ...name, ...ssl}, onConnect) : connectTcp({host, port}, onConnect)
    socket.setKeepAlive(true, KEEP_ALIVE_MS)
    socket.setNoDelay(true)
    this.#sockets.add(socket)
    socket.once('close', () => this.#sockets.delete(socket))
    if (this.#ended) socket.destroy(notConnected())
    return socket
  }
}

/** Old enough to be asked for again: so fast are new partitions and moved leaders seen without an error. */
const METADATA_AGE_MS = 5_000

/**
 * kafkajs' view of the brokers, without its consumer and its producer. The consumer rejoins before what was read could be committed, says that commits
 * were made which it never sent while it restarts, and lets records of aborted transactions through where transactions overlap; so groups are run here,
 * on its requests. Partition assigners are the way by which kafkajs hands this object out.
 */
export function openCluster({kafka}: Connections): Cluster {
  let opened: Cluster | undefined
  kafka.consumer({
    groupId: 'unused',
    metadataMaxAge: METADATA_AGE_MS,
    allowAutoTopicCreation: false,
    partitionAssigners: [
      ({cluster}) => {
        opened = cluster
        return {name: 'none', version: 0, assign: async () => [], protocol: () => ({name: 'none', metadata: Buffer.alloc(0)})}
      },
    ],
  })
  if (opened === undefined) throw notConnected()
  return opened
}
