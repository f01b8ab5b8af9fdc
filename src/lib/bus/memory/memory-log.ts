import {partitionForKey} from '../../core/partitioner.ts'
import type {BusMessage, OutgoingRecord, Position, PublishResult, TopicChanges, TopicConfig, TopicPartition} from '../../core/ports/bus.ts'
import {checkTopicName} from '../../core/topics.ts'
import {partitionKey} from '../assign.ts'
import {groupActive, partitionOutOfRange, takenAway, topicMismatch, transactionFenced, unknownTopic} from '../errors.ts'
import type {ReadRequest, ReadResult} from '../fair-read.ts'
import {EMPTY_GROUP, evict, type GroupState, mayCommit, settle, subscribedTopics} from '../group-state.ts'
import {checkMorePartitions} from '../limits.ts'
import type {GroupCommit} from '../transaction.ts'

interface Partition {
  earliest: number
  lastMs: number
  readonly records: BusMessage[]
}

interface Topic {
  retentionMs: number | null
  retentionBytes: number | null
  readonly partitions: Partition[]
}

interface Group {
  state: GroupState
  readonly offsets: Map<string, Position>
}

/** What several memory buses of one process share. Keeps everything until it is trimmed: there is no retention here. */
export class MemoryLog {
  readonly topics = new Map<string, Topic>()
  readonly groups = new Map<string, Group>()
  readonly #transactions = new Map<string, number>()
  readonly #listeners = new Set<() => void>()
  #sticky = 0

  listen(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** All or nothing: every record gets its place before any is taken in. */
  append(records: readonly OutgoingRecord[], configOf: (topic: string) => TopicConfig, nowMs: number): PublishResult[] {
    for (const {topic} of records) this.ensureTopic(topic, configOf(topic))
    const sticky = this.#sticky++
    const places = records.map((record) => this.#place(record, sticky))
    const results = records.map((record, index) => this.#take(record, places[index] ?? 0, nowMs))
    this.notify()
    return results
  }

  ensureTopic(name: string, {partitions, retentionMs, retentionBytes}: TopicConfig): void {
    checkTopicName(name)
    if (this.topics.has(name)) return
    this.topics.set(name, {retentionMs, retentionBytes, partitions: Array.from({length: partitions}, newPartition)})
    this.notify()
  }

  ensureTopicExactly(name: string, config: TopicConfig): void {
    this.ensureTopic(name, config)
    const found = this.topic(name).partitions.length
    if (found !== config.partitions) throw topicMismatch(name, found, config.partitions)
  }

  alterTopic(name: string, {retentionMs, retentionBytes}: TopicChanges): void {
    const topic = this.topic(name)
    if (retentionMs !== undefined) topic.retentionMs = retentionMs
    if (retentionBytes !== undefined) topic.retentionBytes = retentionBytes
  }

  /** Groups that read the topic start its new partitions at their beginning, `latest` or not. */
  addPartitions(topic: string, wanted: number, nowMs: number): void {
    const {partitions} = this.topic(topic)
    checkMorePartitions(topic, partitions.length, wanted)
    const added = Array.from({length: wanted - partitions.length}, (_, index) => ({topic, partition: partitions.length + index, offset: 0}))
    for (const _ of added) partitions.push(newPartition())
    for (const [name, {state, offsets}] of this.groups) {
      const reads = subscribedTopics(state).includes(topic) || [...offsets.values()].some((position) => position.topic === topic)
      if (!reads) continue
      for (const position of added) offsets.set(partitionKey(position), position)
      this.change(name, (unchanged) => unchanged, nowMs)
    }
    this.notify()
  }

  deleteTopic(name: string): void {
    this.topic(name)
    this.topics.delete(name)
    for (const {offsets} of this.groups.values()) {
      for (const [key, {topic}] of offsets) if (topic === name) offsets.delete(key)
    }
    this.notify()
  }

  topic(name: string): Topic {
    const topic = this.topics.get(name)
    if (topic === undefined) throw unknownTopic(name)
    return topic
  }

  partition({topic, partition}: TopicPartition): Partition {
    const {partitions} = this.topic(topic)
    const found = partitions[partition]
    if (found === undefined) throw partitionOutOfRange(topic, partition, partitions.length)
    return found
  }

  trim(positions: readonly Position[]): void {
    for (const position of positions) {
      const partition = this.partition(position)
      partition.earliest = Math.min(partition.records.length, Math.max(partition.earliest, position.offset))
    }
    this.notify()
  }

  read(request: ReadRequest): ReadResult | null {
    const partition = this.topics.get(request.topic)?.partitions[request.partition]
    if (partition === undefined) return null
    const from = request.offset > partition.records.length ? partition.earliest : Math.max(request.offset, partition.earliest)
    const messages: BusMessage[] = []
    let bytes = 0
    for (let at = from; at < partition.records.length && messages.length < request.maxRecords; at++) {
      const message = partition.records[at] as BusMessage
      const size = message.value === null ? 0 : Buffer.byteLength(message.value)
      if (bytes + size > request.maxBytes && !(request.atLeastOne && messages.length === 0)) break
      bytes += size
      messages.push(message)
    }
    const next = from + messages.length
    return {messages, bytes, next, missed: Math.max(0, from - request.offset), more: next < partition.records.length}
  }

  group(name: string): Group {
    const known = this.groups.get(name)
    if (known !== undefined) return known
    const fresh: Group = {state: EMPTY_GROUP, offsets: new Map()}
    this.groups.set(name, fresh)
    return fresh
  }

  /** Applies a change to a group and works out who holds what. */
  change(name: string, apply: (state: GroupState) => GroupState, nowMs: number): GroupState {
    const group = this.group(name)
    const changed = apply(group.state)
    const partitions = subscribedTopics(changed).flatMap((topic) =>
      (this.topics.get(topic)?.partitions ?? []).map((_, partition) => ({topic, partition})),
    )
    const {generation} = group.state
    group.state = settle(group.state, changed, partitions, nowMs)
    if (group.state.generation !== generation) this.notify()
    return group.state
  }

  commit({group: name, memberId, positions}: GroupCommit): void {
    const group = this.group(name)
    this.checkCommit({group: name, memberId, positions})
    for (const {topic, partition, offset} of positions) {
      const key = partitionKey({topic, partition})
      // What was read again from an earlier position does not move an offset back.
      group.offsets.set(key, {topic, partition, offset: Math.max(offset, group.offsets.get(key)?.offset ?? 0)})
    }
  }

  checkCommit({group, memberId, positions}: GroupCommit): void {
    for (const position of positions) {
      if (!mayCommit(this.group(group).state, memberId, position, position.epoch))
        throw takenAway(group, position.topic, position.partition)
    }
  }

  requireEmpty(name: string, nowMs: number): Group {
    const {members} = this.change(name, (state) => evict(state, nowMs), nowMs)
    if (members.length > 0) throw groupActive(name, members.length)
    return this.group(name)
  }

  startTransaction(id: string): number {
    const epoch = (this.#transactions.get(id) ?? 0) + 1
    this.#transactions.set(id, epoch)
    return epoch
  }

  checkTransaction(id: string, epoch: number): void {
    if (this.#transactions.get(id) !== epoch) throw transactionFenced(id)
  }

  #place({topic, partition, key}: OutgoingRecord, sticky: number): number {
    const count = this.topic(topic).partitions.length
    const place = partition ?? (key === null ? sticky % count : partitionForKey(key, count))
    this.partition({topic, partition: place})
    return place
  }

  #take({topic, key, value, headers}: OutgoingRecord, place: number, nowMs: number): PublishResult {
    const partition = this.partition({topic, partition: place})
    const offset = partition.records.length
    partition.lastMs = Math.max(partition.lastMs, nowMs)
    const copy = value === null || typeof value === 'string' ? value : Uint8Array.from(value)
    partition.records.push({topic, partition: place, offset, key, value: copy, headers: {...headers}, timestampMs: partition.lastMs})
    return {topic, partition: place, offset}
  }

  /** Calls all listeners, soon. */
  notify(): void {
    for (const listener of this.#listeners) queueMicrotask(listener)
  }
}

function newPartition(): Partition {
  return {earliest: 0, lastMs: 0, records: []}
}
