import type {DatabaseSync, SQLOutputValue, StatementSync} from 'node:sqlite'
import type {TopicPartition} from '../../core/ports/bus.ts'
import {groupActive, takenAway} from '../errors.ts'
import type {Grant, Membership} from '../group-backend.ts'
import {
  evict,
  type GroupState,
  type Holding,
  isMember,
  join,
  LEASE_MS,
  leave,
  type Member,
  release,
  renew,
  settle,
  subscribedTopics,
} from '../group-state.ts'
import type {GroupCommit} from '../transaction.ts'
import type {JoinInput, MemberInput, SyncInput} from './protocol.ts'

type Row = Record<string, SQLOutputValue>

/** Groups in the log's tables. Every method runs inside its caller's transaction. */
export class GroupStore {
  readonly #db: DatabaseSync
  readonly #holding: StatementSync
  readonly #commit: StatementSync
  readonly #set: StatementSync

  constructor(db: DatabaseSync) {
    this.#db = db
    this.#holding = db.prepare('SELECT owner, epoch FROM holdings WHERE grp = ? AND topic = ? AND partition = ?')
    const insert = 'INSERT INTO offsets (grp, topic, partition, next) VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET next ='
    this.#commit = db.prepare(`${insert} max(next, excluded.next)`)
    this.#set = db.prepare(`${insert} excluded.next`)
  }

  join(input: JoinInput, nowMs: number): Membership {
    const before = loadGroup(this.#db, input.group)
    const member: Member = {
      id: input.memberId,
      instanceId: input.instanceId,
      topics: input.topics.map((topic) => topic.name),
      process: input.process,
      leaseUntilMs: nowMs + LEASE_MS,
    }
    const state = this.#settle(input.group, before, join(evict(before, nowMs), member), nowMs)
    return this.#membership(input.group, input.memberId, state, input.from)
  }

  sync(input: SyncInput, nowMs: number): Membership | null {
    const before = loadGroup(this.#db, input.group)
    if (!isMember(before, input.group, input.memberId, input.instanceId)) return null
    const renewed = evict(renew(before, input.memberId, nowMs), nowMs)
    const state = this.#settle(input.group, before, release(renewed, input.memberId, input.drained), nowMs)
    return this.#membership(input.group, input.memberId, state, input.from)
  }

  leave(input: MemberInput, nowMs: number): void {
    const before = loadGroup(this.#db, input.group)
    this.#settle(input.group, before, leave(before, input.memberId), nowMs)
  }

  /** All or nothing. What was read again from an earlier position does not move an offset back. */
  commit(input: GroupCommit): void {
    for (const {topic, partition, epoch} of input.positions) {
      const holding = this.#holding.get(input.group, topic, partition)
      if (holding?.owner !== input.memberId || holding.epoch !== epoch) throw takenAway(input.group, topic, partition)
    }
    for (const {topic, partition, offset} of input.positions) this.#commit.run(input.group, topic, partition, offset)
  }

  setOffsets(group: string, positions: readonly (TopicPartition & {readonly offset: number})[]): void {
    for (const {topic, partition, offset} of positions) this.#set.run(group, topic, partition, offset)
  }

  /** Rejects with GroupActiveError where anyone is in the group, dead ones aside. */
  requireEmpty(group: string, nowMs: number): void {
    const before = loadGroup(this.#db, group)
    const state = this.#settle(group, before, evict(before, nowMs), nowMs)
    if (state.members.length > 0) throw groupActive(group, state.members.length)
  }

  delete(group: string): void {
    for (const table of ['offsets', 'holdings', 'members']) this.#db.prepare(`DELETE FROM ${table} WHERE grp = ?`).run(group)
    this.#db.prepare('DELETE FROM groups WHERE name = ?').run(group)
  }

  /**
   * Tells all groups that read the topic of its new partitions, `from` up to `to`. They start them at their beginning, `latest` or not: what is published
   * before a member sees a partition would otherwise be passed over.
   */
  takeInPartitions(topic: string, from: number, to: number, nowMs: number): void {
    const knowing = 'SELECT grp FROM offsets WHERE topic = ?1 UNION SELECT grp FROM holdings WHERE topic = ?1'
    const reading = 'SELECT DISTINCT grp FROM members WHERE EXISTS (SELECT 1 FROM json_each(topics) WHERE value = ?1)'
    for (const {grp} of this.#db.prepare(`${knowing} UNION ${reading}`).all(topic)) {
      const group = String(grp)
      for (let partition = from; partition < to; partition++) this.setOffsets(group, [{topic, partition, offset: 0}])
      const before = loadGroup(this.#db, group)
      this.#settle(group, before, before, nowMs)
    }
  }

  deleteTopic(topic: string): void {
    this.#db.prepare('DELETE FROM offsets WHERE topic = ?').run(topic)
  }

  #settle(group: string, before: GroupState, changed: GroupState, nowMs: number): GroupState {
    const sorted = {...changed, members: [...changed.members].sort((a, b) => (a.id < b.id ? -1 : 1))}
    const state = settle(before, sorted, this.#partitions(subscribedTopics(sorted)), nowMs)
    this.#save(group, before, state)
    return state
  }

  #partitions(topics: readonly string[]): TopicPartition[] {
    const select = this.#db.prepare('SELECT topic, partition FROM partitions WHERE topic = ? ORDER BY partition')
    return topics.flatMap((topic) => select.all(topic).map((row) => ({topic, partition: Number(row.partition)})))
  }

  #save(group: string, before: GroupState, state: GroupState): void {
    const leases = new Map(before.members.map((member) => [member.id, member.leaseUntilMs]))
    const renewLease = this.#db.prepare('UPDATE members SET lease_until_ms = ? WHERE grp = ? AND id = ?')
    for (const {id, leaseUntilMs} of state.members) {
      if (leases.has(id) && leases.get(id) !== leaseUntilMs) renewLease.run(leaseUntilMs, group, id)
    }
    if (state.generation === before.generation) return
    this.#db
      .prepare('INSERT INTO groups (name, generation) VALUES (?, ?) ON CONFLICT DO UPDATE SET generation = excluded.generation')
      .run(group, state.generation)
    for (const table of ['holdings', 'members']) this.#db.prepare(`DELETE FROM ${table} WHERE grp = ?`).run(group)
    const member = this.#db.prepare('INSERT INTO members VALUES (?, ?, ?, ?, ?, ?, ?, ?)')
    for (const {id, instanceId, topics, process, leaseUntilMs} of state.members) {
      member.run(group, id, instanceId, JSON.stringify(topics), process.pid, process.startTime, process.scope, leaseUntilMs)
    }
    const holding = this.#db.prepare('INSERT INTO holdings VALUES (?, ?, ?, ?, ?, ?, ?)')
    for (const {topic, partition, owner, target, epoch, releaseByMs} of state.holdings) {
      holding.run(group, topic, partition, owner, target, epoch, releaseByMs)
    }
  }

  #membership(group: string, memberId: string, state: GroupState, from: 'earliest' | 'latest'): Membership {
    const mine = state.holdings.filter((holding) => holding.owner === memberId)
    return {memberId, generation: state.generation, grants: mine.map((holding) => this.#grant(group, holding, from))}
  }

  /** `latest` is fixed by a commit, so that a take-over before the first ack does not skip what came in between. */
  #grant(group: string, {topic, partition, owner, target, epoch}: Holding, from: 'earliest' | 'latest'): Grant {
    const offsets = this.#db
      .prepare(
        'SELECT p.earliest, p.next AS latest, o.next AS committed FROM partitions p ' +
          'LEFT JOIN offsets o ON o.grp = ? AND o.topic = p.topic AND o.partition = p.partition WHERE p.topic = ? AND p.partition = ?',
      )
      .get(group, topic, partition)
    const [earliest, latest] = [Number(offsets?.earliest), Number(offsets?.latest)]
    const start = from === 'latest' ? latest : null
    const committed = typeof offsets?.committed === 'number' ? offsets.committed : start
    if (typeof offsets?.committed !== 'number' && start !== null) this.setOffsets(group, [{topic, partition, offset: start}])
    return {topic, partition, epoch, revoking: target !== owner, committed, earliest}
  }
}

/** Reads a group; of one that does not exist, that nobody is in it. */
export function loadGroup(db: DatabaseSync, group: string): GroupState {
  const generation = Number(db.prepare('SELECT generation FROM groups WHERE name = ?').get(group)?.generation ?? 0)
  const members = db.prepare('SELECT * FROM members WHERE grp = ? ORDER BY id').all(group).map(toMember)
  const holdings = db.prepare('SELECT * FROM holdings WHERE grp = ? ORDER BY topic, partition').all(group).map(toHolding)
  return {generation, members, holdings}
}

function toMember(row: Row): Member {
  return {
    id: String(row.id),
    instanceId: row.instance_id === null ? null : String(row.instance_id),
    topics: JSON.parse(String(row.topics)) as string[],
    process: {pid: Number(row.pid), startTime: String(row.pid_start), scope: String(row.pid_scope)},
    leaseUntilMs: Number(row.lease_until_ms),
  }
}

function toHolding(row: Row): Holding {
  return {
    topic: String(row.topic),
    partition: Number(row.partition),
    owner: String(row.owner),
    target: String(row.target),
    epoch: Number(row.epoch),
    releaseByMs: row.release_by_ms === null ? null : Number(row.release_by_ms),
  }
}
