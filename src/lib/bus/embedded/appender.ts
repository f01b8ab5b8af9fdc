import type {DatabaseSync, StatementSync} from 'node:sqlite'
import {partitionForKey} from '../../core/partitioner.ts'
import type {TopicConfig, Value} from '../../core/ports/bus.ts'
import {partitionOutOfRange, topicMismatch} from '../errors.ts'
import {unpackValues} from './pack.ts'
import type {PackedBatch, Placed} from './protocol.ts'

interface PartitionState {
  readonly id: number
  readonly insert: StatementSync
  readonly loadedNext: number
  next: number
  lastMs: number
  addedBytes: number
}

interface TopicState {
  readonly name: string
  readonly partitions: readonly PartitionState[]
  readonly byKey: Map<string, number>
}

/** Keys remembered per topic; markets are hundreds. */
const MAX_KEYS = 10_000

/**
 * Appends records and gives them offsets, inside a transaction that its caller begins and ends. What it knows of partitions is read anew in each
 * transaction, since other processes write too: call `flush` before the commit and `forget` after commit or rollback.
 */
export class Appender {
  readonly #db: DatabaseSync
  readonly #topics = new Map<string, TopicState>()
  readonly #inserts = new Map<number, StatementSync>()
  readonly #keyCaches = new Map<string, Map<string, number>>()
  readonly #select: StatementSync
  readonly #update: StatementSync
  #sticky = 0

  constructor(db: DatabaseSync) {
    this.#db = db
    this.#select = db.prepare('SELECT id, next, last_ms FROM partitions WHERE topic = ? ORDER BY partition')
    this.#update = db.prepare('UPDATE partitions SET next = ?, last_ms = ?, bytes = bytes + ? WHERE id = ?')
  }

  append(batch: PackedBatch, nowMs: number): Placed {
    const topics = batch.topics.map(({name, config}) => this.#topic(name, config))
    const sticky = topics.map((topic) => this.#sticky++ % topic.partitions.length)
    const values = unpackValues(batch.values)
    const count = values.length
    const placed = {partitions: new Int32Array(count), offsets: new Float64Array(count)}
    for (let index = 0; index < count; index++) {
      const at = batch.topicOf?.[index] ?? 0
      const topic = topics[at] as TopicState
      const chosen = batch.partitions?.[index] ?? -1
      const key = batch.keys[batch.keyOf[index] ?? -1] ?? null
      const number = chosen >= 0 ? chosen : key === null ? (sticky[at] ?? 0) : partitionOf(topic, key)
      const partition = topic.partitions[number]
      if (partition === undefined) throw partitionOutOfRange(topic.name, number, topic.partitions.length)
      const value = values[index] ?? null
      const headers = batch.headers?.[index] ?? null
      partition.lastMs = Math.max(partition.lastMs, nowMs)
      partition.insert.run(partition.next, partition.lastMs, key, value, headers)
      partition.addedBytes += byteLength(value)
      placed.partitions[index] = number
      placed.offsets[index] = partition.next++
    }
    return placed
  }

  /** Creates the topic where it is missing. */
  ensureTopic(name: string, config: TopicConfig): void {
    this.#db
      .prepare('INSERT INTO topics (name, partitions, retention_ms, retention_bytes) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING')
      .run(name, config.partitions, config.retentionMs, config.retentionBytes)
    if (this.#select.all(name).length > 0) return
    this.createPartitions(name, 0, config.partitions)
  }

  /** Creates the partitions `from` up to `to`, without `to` itself. */
  createPartitions(topic: string, from: number, to: number): void {
    for (let partition = from; partition < to; partition++) {
      const {lastInsertRowid: id} = this.#db.prepare('INSERT INTO partitions (topic, partition) VALUES (?, ?)').run(topic, partition)
      this.#db.exec(`CREATE TABLE log_${id} ("offset" INTEGER PRIMARY KEY, ts INTEGER NOT NULL, key TEXT, value, headers TEXT)`)
    }
  }

  /** Like {@link ensureTopic}, but another number of partitions is an error. */
  ensureTopicExactly(name: string, config: TopicConfig): void {
    this.ensureTopic(name, config)
    const found = this.#select.all(name).length
    if (found !== config.partitions) throw topicMismatch(name, found, config.partitions)
  }

  /** Writes what the partitions have become. Also to be called before anything else reads them in the same transaction. */
  flush(): void {
    for (const topic of this.#topics.values()) {
      for (const {id, next, lastMs, addedBytes, loadedNext} of topic.partitions) {
        if (next > loadedNext) this.#update.run(next, lastMs, addedBytes, id)
      }
    }
    this.#topics.clear()
  }

  forget(): void {
    this.#topics.clear()
  }

  #topic(name: string, config: TopicConfig): TopicState {
    const known = this.#topics.get(name)
    if (known !== undefined) return known
    this.ensureTopic(name, config)
    const partitions = this.#select.all(name).map((row) => {
      const [id, next, lastMs] = [Number(row.id), Number(row.next), Number(row.last_ms)]
      return {id, insert: this.#insert(id), loadedNext: next, next, lastMs, addedBytes: 0}
    })
    const topic = {name, partitions, byKey: this.#keyCache(name, partitions.length)}
    this.#topics.set(name, topic)
    return topic
  }

  #insert(id: number): StatementSync {
    const known = this.#inserts.get(id)
    if (known !== undefined) return known
    const insert = this.#db.prepare(`INSERT INTO log_${id} VALUES (?, ?, ?, ?, ?)`)
    this.#inserts.set(id, insert)
    return insert
  }

  /** Kept over transactions; a topic that was made anew with another number of partitions starts afresh. */
  #keyCache(name: string, partitions: number): Map<string, number> {
    const id = `${name}/${partitions}`
    const known = this.#keyCaches.get(id)
    if (known !== undefined && known.size < MAX_KEYS) return known
    const fresh = new Map<string, number>()
    this.#keyCaches.set(id, fresh)
    return fresh
  }
}

function partitionOf(topic: TopicState, key: string): number {
  const known = topic.byKey.get(key)
  if (known !== undefined) return known
  const partition = partitionForKey(key, topic.partitions.length)
  topic.byKey.set(key, partition)
  return partition
}

function byteLength(value: Value | null): number {
  if (value === null) return 0
  return typeof value === 'string' ? Buffer.byteLength(value) : value.byteLength
}
