import type cassandra from 'cassandra-driver'
import type {Context} from '../../core/context.ts'
import {BatchRequest, rowHeader} from './batch-request.ts'
import type {ConsistencyName} from './options.ts'
import type {InsertTable} from './partitions.ts'
import type {Row} from './row.ts'
import {type CassandraSession, consistencyOf} from './session.ts'
import {insertStatement, usingOf, valueCount} from './statements.ts'
import type {Table, TableRecord} from './tables.ts'
import {translateCassandraError} from './translate-error.ts'

/** What the driver does not export; see driver-inside.d.ts. */
interface Inside {
  readonly requests: typeof import('cassandra-driver/lib/request-handler.js').default
  readonly prepare: typeof import('cassandra-driver/lib/prepare-handler.js').default
  readonly options: typeof import('cassandra-driver/lib/execution-options.js').default
}

async function driverInside(): Promise<Inside> {
  const [requests, prepare, options] = await Promise.all([
    import('cassandra-driver/lib/request-handler.js'),
    import('cassandra-driver/lib/prepare-handler.js'),
    import('cassandra-driver/lib/execution-options.js'),
  ])
  return {requests: requests.default, prepare: prepare.default, options: options.default}
}

/** Sends rows that are encoded already, through the driver's connections, choice of nodes and retries. */
export class RowSender {
  readonly #session: CassandraSession
  readonly #client: cassandra.Client
  readonly #inside: Inside
  readonly #consistency: cassandra.types.consistencies
  readonly #context: Context
  #lastTimestampUs = 0

  private constructor(session: CassandraSession, inside: Inside, consistency: ConsistencyName, context: Context) {
    this.#session = session
    this.#client = session.client
    this.#inside = inside
    this.#consistency = consistencyOf(session.driver, consistency)
    this.#context = context
  }

  static async open(session: CassandraSession, consistency: ConsistencyName, context: Context): Promise<RowSender> {
    return new RowSender(session, await driverInside(), consistency, context)
  }

  /** Prepares the statements that write rows of the tables. */
  async prepare(tables: readonly Table[], {ttl}: {readonly ttl: boolean}): Promise<ReadonlyMap<TableRecord, InsertTable>> {
    const prepared = await Promise.all(
      tables.map(async (table) => {
        const using = usingOf(table, {ttl})
        return {table, using, header: rowHeader(await this.#statementId(table, ttl), valueCount(table, using))}
      }),
    )
    return new Map(prepared.flatMap((each) => (each.table.record === null ? [] : [[each.table.record, each]])))
  }

  /** All of one partition, in one request. Rejects with what the errors of the driver are in our words. */
  async send(rows: readonly Row[]): Promise<void> {
    const {requests, options} = this.#inside
    const {keyspace} = this.#session.options
    const routingKey = rows[0]?.partition.routingKey
    if (routingKey === undefined) return
    const executionOptions = options.DefaultExecutionOptions.create(
      {isIdempotent: true, keyspace, routingKey, consistency: this.#consistency},
      this.#client,
    )
    try {
      await requests.send(new BatchRequest(rows, this.#consistency, this.#timestamp()), executionOptions, this.#client)
    } catch (error) {
      throw translateCassandraError(error, `write ${rows.length} rows of ${rows[0]?.partition.table.name}`, this.#session.options)
    }
  }

  async #statementId(table: Table, ttl: boolean): Promise<Buffer> {
    const {prepare, options} = this.#inside
    const query = insertStatement(this.#session.options.keyspace, table, usingOf(table, {ttl}))
    const policy = options.DefaultExecutionOptions.create({}, this.#client).getLoadBalancingPolicy()
    try {
      return (await prepare.getPrepared(this.#client, policy, query, undefined)).queryId
    } catch (error) {
      throw translateCassandraError(error, query, this.#session.options)
    }
  }

  /** Of rows that name none themselves: never the same twice, and never back. */
  #timestamp(): number {
    this.#lastTimestampUs = Math.max(this.#lastTimestampUs + 1, this.#context.clock.nowUs())
    return this.#lastTimestampUs
  }
}
