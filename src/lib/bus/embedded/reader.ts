import type {DatabaseSync, StatementSync} from 'node:sqlite'
import type {BusMessage, Headers, TopicPartition} from '../../core/ports/bus.ts'
import {partitionOutOfRange, unknownTopic} from '../errors.ts'
import type {ReadRequest, ReadResult} from '../fair-read.ts'
import {openForReading} from './schema.ts'
import {isBusy, translateSqliteError} from './sqlite-errors.ts'

export interface PartitionRow extends TopicPartition {
  readonly id: number
  readonly earliest: number
  readonly next: number
}

type RecordRow = [offset: number, timestampMs: number, key: string | null, value: string | Uint8Array | null, headers: string | null]

const NO_HEADERS: Headers = Object.freeze({})

/** Reads the log on the calling thread, from a connection of its own that can't write and never waits for a lock. */
export class LogReader {
  readonly #path: string
  readonly db: DatabaseSync
  readonly #dataVersion: StatementSync
  readonly #generation: StatementSync
  readonly #partition: StatementSync
  readonly #records = new Map<number, StatementSync>()

  constructor(path: string) {
    this.#path = path
    this.db = openForReading(path)
    this.#dataVersion = this.db.prepare('PRAGMA data_version', {returnArrays: true})
    this.#generation = this.db.prepare('SELECT generation FROM groups WHERE name = ?')
    this.#partition = this.db.prepare('SELECT id, earliest, next FROM partitions WHERE topic = ? AND partition = ?', {returnArrays: true})
  }

  close(): void {
    this.db.close()
  }

  /** Changes with every commit by any other connection, the writer's of this process included. Null where the file is locked just now. */
  dataVersion(): number | null {
    return this.#attempt(() => Number((this.#dataVersion.get() as unknown as [number])[0]))
  }

  generation(group: string): number | null {
    return this.#attempt(() => Number(this.#generation.get(group)?.generation ?? 0))
  }

  partition(topic: string, partition: number): PartitionRow | undefined {
    const row = this.#partition.get(topic, partition) as unknown as [number, number, number] | undefined
    return row && {topic, partition, id: row[0], earliest: row[1], next: row[2]}
  }

  /** Throws UnknownTopicError. */
  partitions(topic: string): PartitionRow[] {
    const rows = this.db.prepare('SELECT partition, id, earliest, next FROM partitions WHERE topic = ? ORDER BY partition').all(topic)
    if (rows.length === 0) throw unknownTopic(topic)
    return rows.map((row) => ({
      topic,
      partition: Number(row.partition),
      id: Number(row.id),
      earliest: Number(row.earliest),
      next: Number(row.next),
    }))
  }

  /** Runs several queries that see the same state of the log. */
  snapshot<T>(queries: () => T): T {
    this.db.exec('BEGIN')
    try {
      return queries()
    } finally {
      this.db.exec('COMMIT')
    }
  }

  existingPartition({topic, partition}: TopicPartition): PartitionRow {
    const rows = this.partitions(topic)
    const row = rows[partition]
    if (row === undefined) throw partitionOutOfRange(topic, partition, rows.length)
    return row
  }

  /** Null where the partition is gone or the file is locked just now. */
  tryRead(request: ReadRequest): ReadResult | null {
    return this.#attempt(() => this.read(request))
  }

  /** Null where the partition is gone. */
  read(request: ReadRequest): ReadResult | null {
    const partition = this.partition(request.topic, request.partition)
    return partition === undefined ? null : this.#read(partition, request)
  }

  /** Runs a query; null where the file is locked for a moment, as when another process recovers it after a crash. */
  #attempt<T>(query: () => T): T | null {
    try {
      return query()
    } catch (error) {
      if (isBusy(error)) return null
      throw translateSqliteError(error, this.#path, 0)
    }
  }

  #read({topic, partition, id, earliest, next}: PartitionRow, request: ReadRequest): ReadResult {
    // A position behind the end: the log was set aside and begun anew, and what its readers remember counts no more.
    const from = request.offset > next ? earliest : Math.max(request.offset, earliest)
    const missed = Math.max(0, from - request.offset)
    const messages: BusMessage[] = []
    let bytes = 0
    let position = from
    let more = false
    if (from < next) {
      for (const row of this.#statement(id).iterate(from, request.maxRecords)) {
        const [offset, timestampMs, key, value, headers] = row as unknown as RecordRow
        const size = sizeOf(value)
        more = bytes + size > request.maxBytes && !(request.atLeastOne && messages.length === 0)
        if (more) break
        bytes += size
        messages.push({
          topic,
          partition,
          offset,
          key,
          value,
          headers: headers === null ? NO_HEADERS : (JSON.parse(headers) as Headers),
          timestampMs,
        })
        position = offset + 1
      }
      more ||= messages.length === request.maxRecords
    }
    return {messages, bytes, next: position, missed, more}
  }

  #statement(id: number): StatementSync {
    const known = this.#records.get(id)
    if (known !== undefined) return known
    const statement = this.db.prepare(
      `SELECT "offset", ts, key, value, headers FROM log_${id} WHERE "offset" >= ? ORDER BY "offset" LIMIT ?`,
      {returnArrays: true},
    )
    this.#records.set(id, statement)
    return statement
  }
}

function sizeOf(value: string | Uint8Array | null): number {
  if (value === null) return 0
  return typeof value === 'string' ? Buffer.byteLength(value) : value.byteLength
}
