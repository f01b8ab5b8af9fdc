import cassandra from 'cassandra-driver'
import type {Trade} from '../../src/lib/core/records.ts'
import type {Bucket, CassandraOptions} from '../../src/lib/store/cassandra/options.ts'
import {bucketOf} from '../../src/lib/store/cassandra/tables.ts'
import type {Writer} from './writer.ts'

const {BigDecimal, Long, consistencies, unset} = cassandra.types

interface Group {
  readonly routingKey: Buffer
  readonly params: unknown[][]
}

export interface BareOptions {
  readonly batchRows: number
  /** Requests under way. */
  readonly inFlight: number
  /** Of the table, bench/cassandra/table.ts. */
  readonly numbers?: 'decimal' | 'double'
  readonly bucket?: Bucket
  /** In place of the table's. */
  readonly ttlSeconds?: number
}

/** The driver of npm as anybody would use it: prepared, token-aware, unlogged batches of one partition, so many at once. */
export async function bareWriter({hosts, localDatacenter, keyspace}: CassandraOptions, options: BareOptions): Promise<Writer> {
  const {batchRows, inFlight, numbers = 'decimal', bucket = 'hour', ttlSeconds} = options
  const client = new cassandra.Client({contactPoints: [...hosts], localDataCenter: localDatacenter, keyspace})
  await client.connect()
  const columns = `exchange, symbol, bucket_${bucket}, event_time, id, event_us, received_us, price, size, side, sequence`
  const using = ttlSeconds === undefined ? '' : ` USING TTL ${ttlSeconds}`
  const query = `INSERT INTO trade_by_symbol (${columns}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)${using}`
  const number = numbers === 'double' ? Number : BigDecimal.fromString
  const underWay = new Set<Promise<unknown>>()
  let batches = 0
  const send = async ({params, routingKey}: Group): Promise<void> => {
    batches += 1
    const sent: Promise<unknown> = client
      .batch(
        params.map((values) => ({query, params: values})),
        {prepare: true, logged: false, isIdempotent: true, consistency: consistencies.one, routingKey},
      )
      .finally(() => underWay.delete(sent))
    underWay.add(sent)
    if (underWay.size >= inFlight) await Promise.race(underWay)
  }
  return {
    async write(items) {
      const groups = new Map<string, Group>()
      for (const {record} of items) {
        const row = record as Trade
        const start = bucketOf(row.eventTime, bucket)
        const key = `${row.exchange}\0${row.symbol}\0${start}`
        const group = groups.get(key) ?? {routingKey: routingKeyOf(row, start), params: []}
        group.params.push(paramsOf(row, start, number))
        if (group.params.length === 1) groups.set(key, group)
        if (group.params.length < batchRows) continue
        groups.delete(key)
        await send(group)
      }
      for (const group of groups.values()) await send(group)
      await Promise.all(underWay)
    },
    batches: () => batches,
    close: () => client.shutdown(),
  }
}

function paramsOf(row: Trade, bucket: number, number: (text: string) => unknown): unknown[] {
  return [
    row.exchange,
    row.symbol,
    new Date(bucket),
    new Date(Math.floor(row.eventTime / 1000)),
    row.tradeId,
    Long.fromNumber(row.eventTime),
    Long.fromNumber(row.receivedTime),
    number(row.price),
    number(row.size),
    row.side,
    row.sequence ?? unset,
  ]
}

/** A key of several columns: each with its length in front and a zero behind. */
function routingKeyOf({exchange, symbol}: Trade, bucket: number): Buffer {
  const time = Buffer.alloc(8)
  time.writeBigInt64BE(BigInt(bucket))
  const parts = [Buffer.from(exchange), Buffer.from(symbol), time].map((part) => {
    const length = Buffer.alloc(2)
    length.writeUInt16BE(part.length)
    return Buffer.concat([length, part, Buffer.of(0)])
  })
  return Buffer.concat(parts)
}
