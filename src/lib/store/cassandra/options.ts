import type {RecordType} from '../../core/records.ts'

export const CONSISTENCIES = ['any', 'one', 'local_one', 'two', 'three', 'quorum', 'local_quorum', 'each_quorum', 'all'] as const
export type ConsistencyName = (typeof CONSISTENCIES)[number]

/** How to reach a cluster. */
export interface CassandraOptions {
  /** Addresses to ask first; the others are learnt from them. `host` or `host:port`. */
  readonly hosts: readonly string[]
  readonly port: number
  /** The data centre whose nodes are asked; others are only fallen back on by Cassandra itself. */
  readonly localDatacenter: string
  readonly keyspace: string
  readonly username?: string
  readonly password?: string
  /** PEM texts. Present, even empty, it means TLS. */
  readonly tls?: {readonly ca?: string; readonly cert?: string; readonly key?: string}
  readonly connectTimeoutMs: number
  /** How long one node may take to answer one request. */
  readonly requestTimeoutMs: number
}

/** What tables are made with: all that `tables diff` compares besides the columns. */
export interface TableOptions {
  /** Copies of each row, in the local data centre. */
  readonly replicas: number
  /** Null keeps for ever. */
  readonly ttlSeconds: number | null
  /** By record type, in place of `ttlSeconds`: one TTL per table, so that SSTables expire whole. */
  readonly ttlSecondsOf: Readonly<Partial<Record<RecordType, number | null>>>
  readonly gcGraceSeconds: number
  /** Window of TimeWindowCompactionStrategy. */
  readonly windowMinutes: number
  /** How much time one partition holds. */
  readonly bucket: Bucket
}

export const BUCKETS = ['hour', 'day'] as const
export type Bucket = (typeof BUCKETS)[number]

/** How rows are written. */
export interface WriteOptions {
  /** Replicas that must have a row before it counts as written. */
  readonly consistency: ConsistencyName
  /** Levels kept of each side of an order book. */
  readonly bookLevels: number
  /** Most rows of one partition in one request. */
  readonly batchRows: number
  /** Longest wait for more rows of the same partition; 0 sends at once. */
  readonly lingerMs: number
  /** Most bytes of rows that are being written; more wait. */
  readonly maxInFlightBytes: number
  /** How long a row is tried before its batch is handed back to the runner, which starts over. */
  readonly deadlineMs: number
  /** Ask a second replica after so many milliseconds; null never. */
  readonly speculativeMs: number | null
  /** Larger batches and as much at once as the cluster takes, at the price of latency. */
  readonly catchUp: boolean
  /** Write each row with what is left of its TTL since it came onto the bus, and leave out those with nothing left. */
  readonly skipExpired: boolean
}

/** How rows are read. */
export interface ReadOptions {
  /** Replicas that are asked for a row; `any` is for writes only. */
  readonly consistency: Exclude<ConsistencyName, 'any'>
  /** How long an answer may take, tries included. */
  readonly deadlineMs: number
  /** The same for a sum of volumes, which reads every trade of its time. */
  readonly volumeDeadlineMs: number
}

export const CASSANDRA_DEFAULTS: Omit<CassandraOptions, 'hosts'> = {
  port: 9042,
  localDatacenter: 'datacenter1',
  keyspace: 'coinpipe',
  connectTimeoutMs: 5000,
  requestTimeoutMs: 3000,
}

/** A day more than what Cassandra takes is refused by it: 20 years of 365 days. */
export const MAX_TTL_SECONDS = 20 * 365 * 86_400

/** 2038-01-19T03:14:06Z: no row expires later, unless nodes have `storage_compatibility_mode: NONE` (CASSANDRA-14092, CASSANDRA-14227). */
export const LAST_EXPIRY_SECONDS = 2 ** 31 - 2

export const TABLE_DEFAULTS: TableOptions = {
  replicas: 2,
  ttlSeconds: 3600,
  ttlSecondsOf: {},
  // A node hands on what another one missed (hints) for as long as this, and collects hints for three hours.
  gcGraceSeconds: 10_800,
  windowMinutes: 5,
  bucket: 'hour',
}

export const WRITE_DEFAULTS: WriteOptions = {
  consistency: 'one',
  bookLevels: 15,
  batchRows: 100,
  lingerMs: 20,
  maxInFlightBytes: 32 * 1024 * 1024,
  deadlineMs: 30_000,
  speculativeMs: null,
  catchUp: false,
  skipExpired: false,
}

export const READ_DEFAULTS: ReadOptions = {consistency: 'one', deadlineMs: 10_000, volumeDeadlineMs: 600_000}
