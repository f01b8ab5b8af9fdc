import type cassandra from 'cassandra-driver'
import type {Context} from '../../core/context.ts'
import {AbortedError, DeadlineError, InvalidInputError, NotConnectedError} from '../../core/errors.ts'
import type {CassandraOptions, ConsistencyName} from './options.ts'
import {policiesOf} from './policies.ts'
import {translateCassandraError} from './translate-error.ts'

type Driver = typeof cassandra

export interface QueryOptions {
  readonly consistency?: ConsistencyName
  /** Rows a page; default 5000. */
  readonly fetchSize?: number
  /** In place of the session's own. */
  readonly requestTimeoutMs?: number
}

export interface PageOptions extends QueryOptions {
  readonly pageState?: string
}

export interface Page {
  readonly rows: readonly Row[]
  /** `pageState` of the next one; null where this is the last. */
  readonly next: string | null
}

export type Row = cassandra.types.Row

/** Addresses of nodes, and whether the driver thinks that they are up. */
export interface NodeState {
  readonly address: string
  readonly datacenter: string
  readonly up: boolean
}

const CLOSE_MS = 5000
const CHANGE_MS = 30_000
const AGREEMENT_MS = 30_000
const AGREEMENT_PAUSE_MS = 100
/** A node that hangs is noticed by a question asked so often. */
const HEARTBEAT_MS = 2000

export interface SessionSettings {
  /** Ask a second node where the first has not answered for so long; default never. */
  readonly speculativeMs?: number | null
}

/** A connection to a cluster, by the driver; its errors are translated. Names in queries are qualified by the keyspace. */
export class CassandraSession {
  readonly options: CassandraOptions
  readonly #context: Context
  readonly #speculativeMs: number | null
  #driver: Driver | null = null
  #client: cassandra.Client | null = null

  constructor(options: CassandraOptions, context: Context, {speculativeMs = null}: SessionSettings = {}) {
    this.options = options
    this.#context = context
    this.#speculativeMs = speculativeMs
  }

  /** Rejects with CassandraUnreachableError, CassandraAuthError, or InvalidInputError where the data centre is another. */
  async connect(): Promise<void> {
    if (this.#client) return
    // Loaded only now: most commands have no use for it.
    const driver = (await import('cassandra-driver')).default
    const client = new driver.Client(this.#clientOptions(driver))
    client.on('log', (level, className, message) => {
      if (level !== 'verbose') this.#context.logger.debug({severity: level, from: className, message}, 'cassandra driver')
    })
    try {
      await client.connect()
    } catch (error) {
      await this.#shutdown(client)
      throw this.#translate(error, 'connect to Cassandra')
    }
    this.#driver = driver
    this.#client = client
  }

  /** Asks one node something. */
  async check(): Promise<void> {
    await this.query('SELECT release_version FROM system.local')
  }

  async close(): Promise<void> {
    const client = this.#client
    this.#client = null
    if (client) await this.#shutdown(client)
  }

  nodes(): readonly NodeState[] {
    return this.client.hosts.values().map((host) => ({address: host.address, datacenter: host.datacenter ?? '', up: host.isUp()}))
  }

  /** The driver's own client. Throws NotConnectedError before `connect` and after `close`. */
  get client(): cassandra.Client {
    if (this.#client) return this.#client
    throw new NotConnectedError('the connection to Cassandra is not open')
  }

  get driver(): Driver {
    if (this.#driver) return this.#driver
    throw new NotConnectedError('the connection to Cassandra is not open')
  }

  /** A prepared statement; the first page of its rows. */
  async query(query: string, params: readonly unknown[] = [], options: QueryOptions = {}): Promise<readonly Row[]> {
    return (await this.page(query, params, options)).rows
  }

  /** One page: the first, or the one at `pageState`. */
  async page(query: string, params: readonly unknown[] = [], options: PageOptions = {}): Promise<Page> {
    const {client} = this
    const {pageState, ...others} = options
    try {
      const result = await client.execute(query, [...params], {...this.#queryOptions(others), ...(pageState ? {pageState} : {})})
      return {rows: result.rows, next: result.pageState ?? null}
    } catch (error) {
      throw this.#translate(error, query)
    }
  }

  /** The same, page after page, for as long as the caller takes them. */
  async *pages(query: string, params: readonly unknown[] = [], options: QueryOptions = {}): AsyncGenerator<readonly Row[]> {
    for (let pageState: string | undefined; ; ) {
      const {rows, next} = await this.page(query, params, {...options, ...(pageState === undefined ? {} : {pageState})})
      yield rows
      if (next === null) return
      pageState = next
    }
  }

  /** Statements that change tables, in this order; then waits until all nodes of the data centre that answer agree on them. */
  async change(...statements: readonly string[]): Promise<void> {
    const {client} = this
    for (const statement of statements) {
      if (this.#context.signal.aborted) throw new AbortedError()
      try {
        // Nodes write a schema to disk before they answer.
        await client.execute(statement, [], {prepare: false, readTimeout: CHANGE_MS})
      } catch (error) {
        throw this.#translate(error, statement)
      }
    }
    await this.#agreement()
  }

  async #agreement(): Promise<void> {
    const {clock, signal} = this.#context
    const deadline = clock.monotonicMs() + AGREEMENT_MS
    while ((await this.#schemaVersions()).size > 1) {
      if (clock.monotonicMs() > deadline) {
        throw new DeadlineError(`after ${AGREEMENT_MS / 1000} s the nodes do not agree on the tables yet`, {
          remedy: ['look at the nodes: coinpipe cluster status', 'then run the same again: what is done already stays as it is'],
        })
      }
      await clock.sleep(AGREEMENT_PAUSE_MS, signal)
    }
  }

  /** Asked of each node itself: the driver's own wait counts nodes that are down, and so never ends well while one is. */
  async #schemaVersions(): Promise<Set<string>> {
    const {client, options} = this
    const hosts = client.hosts.values().filter((host) => host.isUp() && host.datacenter === options.localDatacenter)
    const ask = async (host: cassandra.Host): Promise<string[]> => {
      try {
        const {rows} = await client.execute('SELECT schema_version FROM system.local', [], {prepare: false, host})
        return rows.map((row) => String(row.schema_version))
      } catch (error) {
        this.#context.logger.debug({error, node: host.address}, 'node says nothing of its tables')
        return []
      }
    }
    return new Set((await Promise.all(hosts.map(ask))).flat())
  }

  #queryOptions({consistency, fetchSize, requestTimeoutMs}: QueryOptions): cassandra.QueryOptions {
    return {
      prepare: true,
      isIdempotent: true,
      ...(consistency === undefined ? {} : {consistency: consistencyOf(this.driver, consistency)}),
      ...(fetchSize === undefined ? {} : {fetchSize}),
      ...(requestTimeoutMs === undefined ? {} : {readTimeout: requestTimeoutMs}),
    }
  }

  #clientOptions(driver: Driver): cassandra.ClientOptions {
    const {hosts, port, localDatacenter, username, password, tls, connectTimeoutMs, requestTimeoutMs} = this.options
    if (hosts.length === 0) {
      throw new InvalidInputError('no Cassandra nodes are named, and no local cluster is running', {
        remedy: ['name them: --hosts address,… or hosts of the sink in coinpipe.yaml', 'or start some: coinpipe cluster up cassandra'],
      })
    }
    return {
      ...policiesOf(driver, {localDatacenter, speculativeMs: this.#speculativeMs}, this.#context),
      contactPoints: [...hosts],
      localDataCenter: localDatacenter,
      // session.change() waits by itself.
      protocolOptions: {port, maxSchemaAgreementWaitSeconds: 0},
      pooling: {heartBeatInterval: HEARTBEAT_MS},
      socketOptions: {connectTimeout: connectTimeoutMs, readTimeout: requestTimeoutMs},
      ...(username === undefined ? {} : {authProvider: new driver.auth.PlainTextAuthProvider(username, password ?? '')}),
      ...(tls === undefined ? {} : {sslOptions: {...tls, rejectUnauthorized: true}}),
    }
  }

  async #shutdown(client: cassandra.Client): Promise<void> {
    const late = new Promise<void>((resolve) => setTimeout(resolve, CLOSE_MS).unref())
    await Promise.race([client.shutdown().catch((error: unknown) => this.#context.logger.debug({error}, 'closing cassandra')), late])
  }

  #translate(error: unknown, what: string): unknown {
    return translateCassandraError(error, what, this.options)
  }
}

const CODES: Readonly<Record<ConsistencyName, keyof Driver['types']['consistencies']>> = {
  any: 'any',
  one: 'one',
  local_one: 'localOne',
  two: 'two',
  three: 'three',
  quorum: 'quorum',
  local_quorum: 'localQuorum',
  each_quorum: 'eachQuorum',
  all: 'all',
}

export function consistencyOf({types}: Driver, name: ConsistencyName): cassandra.types.consistencies {
  return types.consistencies[CODES[name]]
}
