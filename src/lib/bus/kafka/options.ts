import type {TopicConfig} from '../../core/ports/bus.ts'

export const COMPRESSIONS = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const
export type Compression = (typeof COMPRESSIONS)[number]

export interface KafkaSasl {
  readonly mechanism: 'plain' | 'scram-sha-256' | 'scram-sha-512'
  readonly username: string
  readonly password: string
}

/** PEM texts. */
export interface KafkaTls {
  readonly ca?: string
  readonly cert?: string
  readonly key?: string
}

/** How to reach the brokers, and what to ask of them. Times are milliseconds. */
export interface KafkaOptions {
  /** `host:port` of one broker or more to start from. */
  readonly brokers: readonly string[]
  /** How the brokers' logs and quotas call us. */
  readonly clientId: string
  readonly tls?: KafkaTls
  readonly sasl?: KafkaSasl
  /** What topics get when they are created; others get the defaults of core/topics.ts. */
  readonly topics?: Readonly<Record<string, TopicConfig>>
  /** Copies of the partitions of a topic that does not say; fewer where the cluster has fewer brokers is refused. */
  readonly replicas: number
  /** Brokers that must have a record before it counts as published: none, the leader, all in sync. */
  readonly acks: 0 | 1 | 'all'
  /** Writes each record once even where a request is repeated. */
  readonly idempotent: boolean
  /** For topics whose `compression.type` does not say. */
  readonly compression: Compression
  /** Longest wait for more records to send together. */
  readonly lingerMs: number
  /** Most bytes of one partition in one request. */
  readonly batchBytes: number
  /** Most bytes that wait to be sent; a publish beyond it waits. */
  readonly maxQueueBytes: number
  /** How long a publish is tried, waiting and retries included, before it rejects. */
  readonly deliveryTimeoutMs: number
  readonly requestTimeoutMs: number
  readonly connectTimeoutMs: number
  /** A member that is silent for longer is out of its group. */
  readonly sessionTimeoutMs: number
  /** How long the members of a group have to finish what they hold when it is shared anew. */
  readonly rebalanceTimeoutMs: number
  /** An open transaction whose producer is silent for longer is aborted by the broker. */
  readonly transactionTimeoutMs: number
}

/** What holds where nothing else is said. */
export const KAFKA_DEFAULTS = {
  clientId: 'coinpipe',
  replicas: 2,
  acks: 1,
  idempotent: false,
  compression: 'lz4',
  lingerMs: 5,
  batchBytes: 1024 * 1024,
  maxQueueBytes: 64 * 1024 * 1024,
  deliveryTimeoutMs: 30_000,
  requestTimeoutMs: 10_000,
  connectTimeoutMs: 3_000,
  sessionTimeoutMs: 10_000,
  rebalanceTimeoutMs: 30_000,
  transactionTimeoutMs: 60_000,
} as const satisfies Partial<KafkaOptions>
