import type {Bucket} from '../../src/lib/store/cassandra/options.ts'
import type {CassandraSession} from '../../src/lib/store/cassandra/session.ts'

export interface TradeTable {
  readonly keyspace: string
  readonly replicas: number
  /** Type of prices and sizes. */
  readonly numbers?: 'decimal' | 'double'
  readonly bucket?: Bucket
  /** Whether files of rows that are removed are kept. */
  readonly snapshots?: boolean
  /** Rows go to a file of their own so often, and files are never put together. */
  readonly flushMs?: number
}

/** A keyspace with a table of trades that differs from the real one only in what is asked for. */
export async function makeTradeTable(session: CassandraSession, table: TradeTable): Promise<void> {
  const {keyspace, replicas, numbers = 'decimal', bucket = 'hour', snapshots = false, flushMs} = table
  const {localDatacenter} = session.options
  const compaction = {class: 'TimeWindowCompactionStrategy', compaction_window_unit: 'MINUTES', compaction_window_size: '5'}
  const options = [
    'CLUSTERING ORDER BY (event_time DESC, id ASC)',
    'default_time_to_live = 3600',
    'gc_grace_seconds = 10800',
    "read_repair = 'NONE'",
    `allow_auto_snapshot = ${snapshots}`,
    `compaction = ${cqlMap(flushMs === undefined ? compaction : {...compaction, enabled: 'false'})}`,
    ...(flushMs === undefined ? [] : [`memtable_flush_period_in_ms = ${flushMs}`]),
  ]
  const replication = cqlMap({class: 'NetworkTopologyStrategy', [localDatacenter]: String(replicas)})
  await session.change(`CREATE KEYSPACE ${keyspace} WITH replication = ${replication}`)
  await session.change(
    `CREATE TABLE ${keyspace}.trade_by_symbol (exchange text, symbol text, bucket_${bucket} timestamp, event_time timestamp, id text, ` +
      `event_us bigint, received_us bigint, price ${numbers}, size ${numbers}, side text, sequence text, ` +
      `PRIMARY KEY ((exchange, symbol, bucket_${bucket}), event_time, id)) WITH ${options.join(' AND ')}`,
  )
}

function cqlMap(values: Readonly<Record<string, string>>): string {
  return JSON.stringify(values).replaceAll('"', "'")
}

/** Removes all rows of a table, and its files. */
export async function truncate(session: CassandraSession, keyspace: string, table = 'trade_by_symbol'): Promise<void> {
  await session.change(`TRUNCATE ${keyspace}.${table}`)
}

/** Rows of the table of trades, partition by partition, so that no question takes long. */
export async function countTrades(session: CassandraSession, keyspace: string): Promise<number> {
  const table = `${keyspace}.trade_by_symbol`
  let count = 0
  for await (const page of session.pages(`SELECT DISTINCT exchange, symbol, bucket_hour FROM ${table}`)) {
    for (const {exchange, symbol, bucket_hour} of page) {
      const where = 'exchange = ? AND symbol = ? AND bucket_hour = ?'
      const [row] = await session.query(`SELECT count(*) AS rows FROM ${table} WHERE ${where}`, [exchange, symbol, bucket_hour])
      count += Number(row?.rows)
    }
  }
  return count
}
