import {type CassandraSinkConfig, withImplicitCassandra} from '../config/cassandra-sink.ts'
import type {Config} from '../config/load.ts'
import type {Context} from '../core/context.ts'
import {InvalidInputError} from '../core/errors.ts'
import {given} from '../core/given.ts'
import type {MarketReader} from '../core/ports/market-reader.ts'
import {type CassandraOptions, type ReadOptions, type TableOptions, WRITE_DEFAULTS, type WriteOptions} from '../store/cassandra/options.ts'
import {CassandraSession} from '../store/cassandra/session.ts'

/** A sink of kind `cassandra`, as the room that writes to Cassandra takes it. */
export interface CassandraSettings {
  /** Of the sink. */
  readonly name: string
  readonly options: CassandraOptions
  readonly tables: TableOptions
  readonly write: WriteOptions
  readonly readConsistency: ReadOptions['consistency']
}

/**
 * The settings of the sink of that name; without a name those of the only sink of kind `cassandra`, or the defaults where the config has none. Throws
 * InvalidInputError where the name is not one of them, or one of several has to be named.
 */
export function cassandraSettings(config: Config, {sink: wanted}: {readonly sink?: string | undefined} = {}): CassandraSettings {
  const {sinks} = withImplicitCassandra(config)
  const names = Object.keys(sinks).filter((known) => sinks[known]?.kind === 'cassandra')
  const name = wanted ?? (names.length === 1 ? names[0] : undefined)
  const sink = name === undefined ? undefined : sinks[name]
  if (name !== undefined && sink?.kind === 'cassandra') return settingsOf(name, sink)
  const saw = wanted === undefined ? `${names.length} sinks of kind cassandra` : `no sink of kind cassandra that is named '${wanted}'`
  throw new InvalidInputError(`the config has ${saw}`, {
    remedy:
      names.length > 0 ? names.map((known) => `name it: --sink ${known}`) : ['add one to coinpipe.yaml: sinks: {cass: {kind: cassandra}}'],
  })
}

/** Answers from the tables of the sink; not connected yet. */
export async function cassandraReader({options, tables, readConsistency}: CassandraSettings, context: Context): Promise<MarketReader> {
  // Loaded only now: most commands have no use for it.
  const {openCassandraReader} = await import('../store/cassandra/reader.ts')
  return openCassandraReader(options, tables, context, {consistency: readConsistency})
}

/** Opens a connection for as long as `use` runs. */
export async function withCassandraSession<T>(
  {options}: Pick<CassandraSettings, 'options'>,
  context: Context,
  use: (session: CassandraSession) => Promise<T>,
): Promise<T> {
  const session = new CassandraSession(options, context)
  try {
    await session.connect()
    return await use(session)
  } finally {
    await session.close()
  }
}

function settingsOf(name: string, sink: CassandraSinkConfig): CassandraSettings {
  return {name, options: connectionOf(sink), tables: tablesOf(sink), write: writeOf(sink), readConsistency: sink.readConsistency}
}

function connectionOf({hosts, port, localDatacenter, keyspace, username, password, tls, ...sink}: CassandraSinkConfig): CassandraOptions {
  return {
    hosts,
    port,
    localDatacenter,
    keyspace,
    connectTimeoutMs: sink.connectTimeout,
    requestTimeoutMs: sink.requestTimeout,
    ...given({
      username,
      password: password?.reveal(),
      tls: tls && given({ca: tls.ca?.reveal(), cert: tls.cert?.reveal(), key: tls.key?.reveal()}),
    }),
  }
}

function tablesOf({replicas, ttl, ttlOf, gcGrace, window, bucket}: CassandraSinkConfig): TableOptions {
  const ttls = Object.entries(given(ttlOf)).map(([type, ms]) => [type, secondsOf(ms)])
  return {
    replicas,
    ttlSeconds: secondsOf(ttl),
    ttlSecondsOf: Object.fromEntries(ttls),
    gcGraceSeconds: gcGrace / 1000,
    windowMinutes: window / 60_000,
    bucket,
  }
}

function secondsOf(ms: number | null): number | null {
  return ms === null ? null : ms / 1000
}

function writeOf({consistency, bookLevels, batchRows, linger, maxInFlight, deadline, speculative}: CassandraSinkConfig): WriteOptions {
  return {
    ...WRITE_DEFAULTS,
    consistency,
    bookLevels,
    batchRows,
    lingerMs: linger,
    maxInFlightBytes: maxInFlight,
    deadlineMs: deadline,
    speculativeMs: speculative ?? null,
  }
}
