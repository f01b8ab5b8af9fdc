import {RECORD_TYPES, type RecordType} from '../../src/lib/core/records.ts'
import {decodeDecimal} from '../../src/lib/store/cassandra/decimal.ts'
import type {Bucket} from '../../src/lib/store/cassandra/options.ts'
import type {InsertTable} from '../../src/lib/store/cassandra/partitions.ts'
import type {Row} from '../../src/lib/store/cassandra/row.ts'
import {RowEncoder, type RowOptions} from '../../src/lib/store/cassandra/rows.ts'
import {usingOf} from '../../src/lib/store/cassandra/statements.ts'
import {type Column, type CqlType, tableOf} from '../../src/lib/store/cassandra/tables.ts'

/** The tables as the encoder gets them, without a cluster that has prepared their statements. */
export function insertTables(bucket: Bucket = 'hour', ttl = false): ReadonlyMap<RecordType | 'market', InsertTable> {
  const types = [...RECORD_TYPES, 'market'] as const
  return new Map(
    types.map((type) => {
      const table = tableOf(type, bucket)
      return [type, {table, using: usingOf(table, {ttl}), header: Buffer.alloc(0)}]
    }),
  )
}

export function rowEncoder(options: Partial<RowOptions> = {}): RowEncoder {
  return new RowEncoder({tables: insertTables(), bucket: 'hour', bookLevels: 15, ...options})
}

export type Shown = string | number | boolean | null | 'unset' | readonly Shown[]

/** The values of a row by column, and `timestamp` and `ttl` where they are written. */
export function valuesOf({partition, chunk, start, end}: Row): Readonly<Record<string, Shown | undefined>> {
  const {table, using} = partition
  const columns: Pick<Column, 'name' | 'type'>[] = [...table.partition, ...table.clustering, ...table.columns]
  if (using.timestamp) columns.push({name: 'timestamp', type: 'bigint'})
  if (using.ttl) columns.push({name: 'ttl', type: 'int'})
  const values: Record<string, Shown> = {}
  let at = start
  for (const {name, type} of columns) {
    const length = chunk.readInt32BE(at)
    at += 4
    values[name] = length === -1 ? null : length === -2 ? 'unset' : decode(type, chunk.subarray(at, at + length))
    at += Math.max(length, 0)
  }
  if (at !== end) throw new RangeError(`the row has ${end - at} bytes more than its ${columns.length} columns`)
  return values
}

function decode(type: CqlType, bytes: Buffer): Shown {
  switch (type) {
    case 'text':
      return bytes.toString()
    case 'decimal':
      return decodeDecimal(bytes)
    case 'boolean':
      return bytes[0] === 1
    case 'int':
      return bytes.readInt32BE(0)
    case 'timestamp':
    case 'bigint':
      return Number(bytes.readBigInt64BE(0))
    case 'frozen<list<text>>':
      return elements(bytes).map(String)
    default:
      return elements(bytes).map((level) => sequence(level, 2).map(decodeDecimal))
  }
}

function elements(bytes: Buffer): Buffer[] {
  return sequence(bytes.subarray(4), bytes.readInt32BE(0))
}

function sequence(bytes: Buffer, count: number): Buffer[] {
  const found: Buffer[] = []
  for (let at = 0, i = 0; i < count; i++) {
    const length = bytes.readInt32BE(at)
    found.push(bytes.subarray(at + 4, at + 4 + length))
    at += 4 + length
  }
  return found
}
