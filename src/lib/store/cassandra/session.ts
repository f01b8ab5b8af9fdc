import type cassandra from 'cassandra-driver'
import type {Context} from '../../core/context.ts'
import {DeadlineError, InvalidInputError, NotConnectedError} from '../../core/errors.ts'
import type {CassandraOptions, ConsistencyName} from './options.ts'
import {translateCassandraError} from './translate-error.ts'

type Driver = typeof cassandra

export interface QueryOptions {
  readonly consistency?: ConsistencyName
  /** Rows a page; default 5000. */
  readonly fetchSize?: number
  /** In place of the session's own. */
  readonly requestTimeoutMs?: number
}

export interface BatchOptions {
  readonly consistency: ConsistencyName
  /** The partition key of all rows, as sent to Cassandra: sends the batch to a replica. */
  readonly routingKey: Buffer
}

export interface BatchStatement {
  readonly query: string
  readonly params: unknown[]
}

export type Row = cassandra.types.Row

/** Addresses of nodes, and whether the driver thinks that they are up. */
export interface NodeState {
  readonly address: string
  readonly datacenter: string
  readonly up: boolean
}

const CLOSE_MS = 5000
/** A node that hangs is noticed by a question asked so often. */
const HEARTBEAT_MS = 2000

/** A connection to a cluster, by the driver; its errors are translated. Names in queries are qualified by the keyspace. */
export class CassandraSession {
  readonly options: CassandraOptions
  readonly #context: Context
  #driver: Driver | null = null
  #client: cassandra.Client | null = null

  constructor(options: CassandraOptions, context: Context) {
    this.options = options
    this.#context = context
  }

  /** Rejects with CassandraUnreachableError, CassandraAuthError, or InvalidInputError where the data centre is another. */
  async connect(): Promise<void> {
    if (this.#client) return
    // Loaded only now: most commands have no use for it.
    const driver = (await import('cassandra-driver')).default
    const client = new driver.Client(this.#clientOptions(driver))
    client.on('log', (level, className, message) => {
      if (level !== 'verbose') this.#context.logger.debug({level, from: className, message}, 'cassandra driver')
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

  get connected(): boolean {
    return this.#client !== null
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

  /** A prepared statement; one page of rows. */
  async query(query: string, params: readonly unknown[] = [], options: QueryOptions = {}): Promise<readonly Row[]> {
    const {client} = this
    try {
      return (await client.execute(query, [...params], this.#queryOptions(options))).rows
    } catch (error) {
      throw this.#translate(error, query)
    }
  }

  /** The same, page after page, for as long as the caller takes them. */
  async *pages(query: string, params: readonly unknown[] = [], options: QueryOptions = {}): AsyncGenerator<readonly Row[]> {
    const {client} = this
    for (let pageState: string | undefined; ; ) {
      let result: cassandra.types.ResultSet
      try {
        result = await client.execute(query, [...params], {...this.#queryOptions(options), ...(pageState ? {pageState} : {})})
      } catch (error) {
        throw this.#translate(error, query)
      }
      yield result.rows
      if (!result.pageState) return
      pageState = result.pageState
    }
  }

  /** A statement that changes tables: waits until all nodes that are up agree on them. */
  async change(statement: string): Promise<void> {
    const {client} = this
    let agreed: boolean
    try {
      // Nodes write a schema to disk before they answer.
      const {info} = await client.execute(statement, [], {prepare: false, readTimeout: 30_000})
      // Missing in the driver's types.
      agreed = (info as {isSchemaInAgreement?: boolean}).isSchemaInAgreement !== false
    } catch (error) {
      throw this.#translate(error, statement)
    }
    if (!agreed) throw new DeadlineError(`the nodes do not agree on the tables yet, after: ${statement}`)
  }

  /** Rows of one partition, unlogged, in one request; may be repeated. */
  async batch(statements: readonly BatchStatement[], {consistency, routingKey}: BatchOptions): Promise<void> {
    const {client, driver} = this
    try {
      await client.batch([...statements], {
        prepare: true,
        logged: false,
        isIdempotent: true,
        keyspace: this.options.keyspace,
        routingKey,
        consistency: consistencyOf(driver, consistency),
      })
    } catch (error) {
      throw this.#translate(error, `write ${statements.length} rows`)
    }
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

  #clientOptions({auth}: Driver): cassandra.ClientOptions {
    const {hosts, port, localDatacenter, username, password, tls, connectTimeoutMs, requestTimeoutMs} = this.options
    if (hosts.length === 0) {
      throw new InvalidInputError('no Cassandra nodes are named, and no local cluster is running', {
        remedy: ['name them: --hosts address,… or hosts of the sink in coinpipe.yaml', 'or start some: coinpipe cluster up cassandra'],
      })
    }
    return {
      contactPoints: [...hosts],
      localDataCenter: localDatacenter,
      protocolOptions: {port},
      pooling: {heartBeatInterval: HEARTBEAT_MS},
      socketOptions: {connectTimeout: connectTimeoutMs, readTimeout: requestTimeoutMs},
      ...(username === undefined ? {} : {authProvider: new auth.PlainTextAuthProvider(username, password ?? '')}),
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
