import type {Using} from './statements.ts'
import type {Table} from './tables.ts'
import {ValueWriter} from './value-writer.ts'

/** A table with the prepared statement that writes its rows. */
export interface InsertTable {
  readonly table: Table
  readonly using: Using
  /** What a request has before the values of each row; see batch-request.ts. */
  readonly header: Buffer
}

/** One partition of a table. */
export interface Partition extends InsertTable {
  /** As Cassandra hashes it: a single value as it is, several each with its length and a zero. */
  readonly routingKey: Buffer
  /** The header and the values of the partition key: how each of its rows starts. */
  readonly prefix: Buffer
}

/** A value of a partition key: a text, or milliseconds of a `timestamp`. */
export type KeyPart = string | number

/** Partitions by their key, so that each is encoded once. As many as `limit`; then it starts over. */
export class Partitions {
  readonly #limit: number
  readonly #writer = new ValueWriter()
  readonly #partitions = new Map<string, Partition>()

  constructor(limit: number) {
    this.#limit = limit
  }

  /** Throws CassandraRecordError where a text is empty or too long for a key. */
  of(table: InsertTable, parts: readonly KeyPart[]): Partition {
    let key = table.table.name
    for (const part of parts) key += typeof part === 'string' ? `:${part.length}:${part}` : `:${part}`
    const known = this.#partitions.get(key)
    if (known) return known
    const partition = this.#encode(table, parts)
    if (this.#partitions.size >= this.#limit) this.#partitions.clear()
    this.#partitions.set(key, partition)
    return partition
  }

  #encode(table: InsertTable, parts: readonly KeyPart[]): Partition {
    const writer = this.#writer
    writer.begin()
    writer.raw(table.header)
    const values: Buffer[] = []
    for (const [index, part] of parts.entries()) {
      const from = writer.length
      if (typeof part === 'string') writer.key(part, table.table.partition[index]?.name ?? 'key')
      else writer.bigint(part)
      values.push(writer.copy(from + 4))
    }
    const prefix = writer.copy(0)
    return {...table, prefix, routingKey: routingKey(values)}
  }
}

function routingKey(values: readonly Buffer[]): Buffer {
  const [single] = values
  if (single && values.length === 1) return single
  return Buffer.concat(
    values.flatMap((value) => {
      const length = Buffer.alloc(2)
      length.writeUInt16BE(value.length)
      return [length, value, Buffer.alloc(1)]
    }),
  )
}
