import type {DatabaseSync} from 'node:sqlite'
import type {Position, TopicChanges} from '../../core/ports/bus.ts'
import {partitionOutOfRange, transactionFenced, unknownTopic} from '../errors.ts'
import {checkMorePartitions} from '../limits.ts'
import {Appender} from './appender.ts'
import {GroupStore} from './group-store.ts'
import type {JoinInput, OpName, TransactionInput, WriterOps} from './protocol.ts'
import {readPragma} from './schema.ts'

type Handlers = {[K in OpName]: (input: WriterOps[K]['in'], nowMs: number) => WriterOps[K]['out']}

/** What each request does to the log. All of it runs inside a transaction that the caller begins and ends. */
export class Operations {
  readonly #db: DatabaseSync
  readonly #appender: Appender
  readonly #groups: GroupStore
  readonly #handlers: Handlers = {
    publish: (batch, nowMs) => this.#appender.append(batch, nowMs),
    transactionStart: ({id}) => this.#startTransaction(id),
    transactionCommit: (input, nowMs) => none(() => this.#commitTransaction(input, nowMs)),
    join: (input, nowMs) => this.#join(input, nowMs),
    sync: (input, nowMs) => this.#groups.sync(input, nowMs),
    commit: (input) => none(() => this.#groups.commit(input)),
    leave: (input, nowMs) => none(() => this.#groups.leave(input, nowMs)),
    ensureTopic: ({name, config}) => none(() => this.#appender.ensureTopicExactly(name, config)),
    alterTopic: ({topic, changes}) => none(() => this.#alterTopic(topic, changes)),
    addPartitions: ({topic, partitions}, nowMs) => none(() => this.#addPartitions(topic, partitions, nowMs)),
    deleteTopic: ({topic}) => none(() => this.#deleteTopic(topic)),
    trim: ({positions}) => none(() => this.#trim(positions)),
    resetGroup: ({group, positions}, nowMs) => none(() => this.#resetGroup(group, positions, nowMs)),
    deleteGroup: ({group}, nowMs) => none(() => this.#deleteGroup(group, nowMs)),
    pragmas: ({names}) => Object.fromEntries(names.map((name) => [name, readPragma(this.#db, name)])),
    probe: () => null,
  }

  constructor(db: DatabaseSync) {
    this.#db = db
    this.#appender = new Appender(db)
    this.#groups = new GroupStore(db)
  }

  run<K extends OpName>(op: K, input: WriterOps[K]['in'], nowMs: number): WriterOps[K]['out'] {
    // Whatever is no plain append may read or change partitions, so they must be up to date in the tables.
    if (op !== 'publish' && op !== 'commit') this.#appender.flush()
    return this.#handlers[op](input, nowMs)
  }

  beforeCommit(): void {
    this.#appender.flush()
  }

  afterTransaction(): void {
    this.#appender.forget()
  }

  #startTransaction(id: string): number {
    const row = this.#db
      .prepare('INSERT INTO transactions (id, epoch) VALUES (?, 1) ON CONFLICT DO UPDATE SET epoch = epoch + 1 RETURNING epoch')
      .get(id)
    return Number(row?.epoch)
  }

  #commitTransaction(input: TransactionInput, nowMs: number): void {
    const epoch = this.#db.prepare('SELECT epoch FROM transactions WHERE id = ?').get(input.id)?.epoch
    if (epoch !== input.epoch) throw transactionFenced(input.id)
    for (const commit of input.commits) this.#groups.commit(commit)
    this.#appender.append(input.batch, nowMs)
  }

  #join(input: JoinInput, nowMs: number): WriterOps['join']['out'] {
    for (const {name, config} of input.topics) this.#appender.ensureTopic(name, config)
    return this.#groups.join(input, nowMs)
  }

  #alterTopic(topic: string, {retentionMs, retentionBytes}: TopicChanges): void {
    this.#partitionIds(topic)
    if (retentionMs !== undefined) this.#db.prepare('UPDATE topics SET retention_ms = ? WHERE name = ?').run(retentionMs, topic)
    if (retentionBytes !== undefined) this.#db.prepare('UPDATE topics SET retention_bytes = ? WHERE name = ?').run(retentionBytes, topic)
  }

  #addPartitions(topic: string, partitions: number, nowMs: number): void {
    const found = this.#partitionIds(topic).length
    checkMorePartitions(topic, found, partitions)
    this.#db.prepare('UPDATE topics SET partitions = ? WHERE name = ?').run(partitions, topic)
    this.#appender.createPartitions(topic, found, partitions)
    this.#groups.takeInPartitions(topic, found, partitions, nowMs)
  }

  #deleteTopic(topic: string): void {
    this.#partitionIds(topic)
    this.#db.prepare('INSERT INTO dropped (id) SELECT id FROM partitions WHERE topic = ?').run(topic)
    this.#db.prepare('DELETE FROM partitions WHERE topic = ?').run(topic)
    this.#db.prepare('DELETE FROM topics WHERE name = ?').run(topic)
    this.#groups.deleteTopic(topic)
  }

  #trim(positions: readonly Position[]): void {
    const update = this.#db.prepare('UPDATE partitions SET earliest = min(next, max(earliest, ?)) WHERE id = ?')
    for (const position of positions) update.run(position.offset, this.#partitionId(position))
  }

  #resetGroup(group: string, positions: readonly Position[], nowMs: number): void {
    this.#groups.requireEmpty(group, nowMs)
    for (const position of positions) this.#partitionId(position)
    this.#groups.setOffsets(group, positions)
  }

  #deleteGroup(group: string, nowMs: number): void {
    this.#groups.requireEmpty(group, nowMs)
    this.#groups.delete(group)
  }

  #partitionId({topic, partition}: Position): number {
    const ids = this.#partitionIds(topic)
    const id = ids[partition]
    if (id === undefined) throw partitionOutOfRange(topic, partition, ids.length)
    return id
  }

  #partitionIds(topic: string): number[] {
    const ids = this.#db
      .prepare('SELECT id FROM partitions WHERE topic = ? ORDER BY partition')
      .all(topic)
      .map((row) => Number(row.id))
    if (ids.length === 0) throw unknownTopic(topic)
    return ids
  }
}

/** Runs what has no answer; null travels between threads where undefined is easily lost. */
function none(work: () => void): null {
  work()
  return null
}
