import {randomUUID} from 'node:crypto'
import type {Context} from '../../core/context.ts'
import {InvalidInputError, NotConnectedError, UnsupportedError} from '../../core/errors.ts'
import type {
  Bus,
  BusAdmin,
  BusMessage,
  BusNode,
  GroupDescription,
  GroupLag,
  LeaderElection,
  NodeSetting,
  OutgoingRecord,
  Position,
  PublishResult,
  ReadOptions,
  SubscribeOptions,
  TopicChanges,
  TopicConfig,
  TopicDescription,
  Transaction,
  TransactionOptions,
} from '../../core/ports/bus.ts'
import {currentProcess} from '../../core/process-identity.ts'
import {checkTopicName, defaultTopicConfig} from '../../core/topics.ts'
import {partitionKey} from '../assign.ts'
import {describeGroup} from '../describe-group.ts'
import type {Grant, GroupBackend, Membership} from '../group-backend.ts'
import {
  EMPTY_GROUP,
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
} from '../group-state.ts'
import {checkRecords, checkTopicChanges, checkTopicConfig} from '../limits.ts'
import {readWaiting} from '../read-waiting.ts'
import {GroupSubscription} from '../subscription.ts'
import {runTransaction, type TransactionContent} from '../transaction.ts'
import {MemoryLog} from './memory-log.ts'

const NODE_ID = 'memory'

export interface MemoryBusOptions {
  /** Shared by the buses that should see each other; default: a log of its own. */
  readonly log?: MemoryLog
  readonly topics?: Readonly<Record<string, TopicConfig>>
}

/** The whole of both ports in memory, for tests and for pipelines that need no log. Buses that share a {@link MemoryLog} see each other. */
export class MemoryBus implements Bus, BusAdmin {
  readonly capabilities = {transactions: true, idempotence: true, staticMembership: true, cooperative: true}
  readonly #options: MemoryBusOptions
  readonly #context: Context
  readonly #log: MemoryLog
  readonly #subscriptions = new Set<GroupSubscription>()
  #state: 'new' | 'open' | 'closed' = 'new'

  constructor(options: MemoryBusOptions, context: Context) {
    this.#options = options
    this.#context = context
    this.#log = options.log ?? new MemoryLog()
  }

  async connect(): Promise<void> {
    if (this.#state === 'closed') throw notConnected()
    this.#state = 'open'
  }

  async check(): Promise<void> {
    this.#open()
  }

  async close(): Promise<void> {
    await Promise.all([...this.#subscriptions].map((subscription) => subscription.close()))
    this.#state = 'closed'
    // Who waits in a read learns that it is over.
    this.#log.notify()
  }

  async publish(records: readonly OutgoingRecord[]): Promise<readonly PublishResult[]> {
    checkRecords(records)
    return this.#open().append(records, this.#configOf, Date.now())
  }

  subscribe(options: SubscribeOptions, signal: AbortSignal): GroupSubscription {
    for (const topic of options.topics) checkTopicName(topic)
    const backend = {...this.#backend(options), ended: () => this.#subscriptions.delete(subscription)}
    const subscription: GroupSubscription = new GroupSubscription(backend, options, this.#context, signal)
    this.#subscriptions.add(subscription)
    return subscription
  }

  transaction<T>(options: TransactionOptions, fn: (transaction: Transaction) => Promise<T>): Promise<T> {
    const parts = {
      subscriptions: this.#subscriptions,
      start: async (id: string) => this.#open().startTransaction(id),
      commit: async ({id, epoch, records, commits}: TransactionContent) => {
        const log = this.#open()
        log.checkTransaction(id, epoch)
        for (const commit of commits) log.checkCommit(commit)
        log.append(records, this.#configOf, Date.now())
        for (const commit of commits) log.commit(commit)
      },
    }
    return runTransaction(parts, options, fn)
  }

  // Admin

  async listTopics(): Promise<readonly string[]> {
    return [...this.#open().topics.keys()].sort()
  }

  async describeTopic(name: string): Promise<TopicDescription> {
    const {retentionMs, retentionBytes, partitions} = this.#open().topic(name)
    const offsets = partitions.map(({earliest, records}, partition) => ({topic: name, partition, earliest, latest: records.length}))
    return {name, partitions: partitions.length, retentionMs, retentionBytes, replicas: 1, settings: {}, offsets, replication: []}
  }

  async ensureTopic(topic: string, config: TopicConfig): Promise<void> {
    checkTopicConfig(topic, config)
    this.#open().ensureTopicExactly(topic, config)
  }

  async alterTopic(topic: string, changes: TopicChanges): Promise<void> {
    checkTopicChanges(topic, changes)
    this.#open().alterTopic(topic, changes)
  }

  async addPartitions(topic: string, partitions: number): Promise<void> {
    this.#open().addPartitions(topic, partitions, Date.now())
  }

  async electLeaders(topics: readonly string[] = []): Promise<readonly LeaderElection[]> {
    const log = this.#open()
    for (const topic of topics) log.topic(topic)
    return []
  }

  async deleteTopic(topic: string): Promise<void> {
    this.#open().deleteTopic(topic)
  }

  async trim(positions: readonly Position[]): Promise<void> {
    this.#open().trim(positions)
  }

  async listGroups(): Promise<readonly string[]> {
    return [...this.#open().groups.keys()].sort()
  }

  async describeGroup(group: string): Promise<GroupDescription> {
    return describeGroup(group, this.#open().groups.get(group)?.state ?? EMPTY_GROUP)
  }

  async lag(name: string): Promise<readonly GroupLag[]> {
    const log = this.#open()
    const group = log.groups.get(name)
    const keys = new Map([...(group?.offsets.values() ?? []), ...(group?.state.holdings ?? [])].map((at) => [partitionKey(at), at]))
    return [...keys]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, {topic, partition}]) => {
        const {earliest, records} = log.partition({topic, partition})
        const committed = group?.offsets.get(key)?.offset ?? null
        return {topic, partition, committed, latest: records.length, lag: records.length - Math.max(committed ?? earliest, earliest)}
      })
  }

  async resetGroup(group: string, positions: readonly Position[]): Promise<void> {
    const log = this.#open()
    const {offsets} = log.requireEmpty(group, Date.now())
    for (const position of positions) log.partition(position)
    for (const position of positions) offsets.set(partitionKey(position), position)
  }

  async deleteGroup(group: string): Promise<void> {
    const log = this.#open()
    log.requireEmpty(group, Date.now())
    log.groups.delete(group)
  }

  async offsetsAt(topic: string, timestampMs: number): Promise<readonly Position[]> {
    return this.#open()
      .topic(topic)
      .partitions.map(({earliest, records}, partition) => {
        const at = records.findIndex((message) => message.offset >= earliest && message.timestampMs >= timestampMs)
        return {topic, partition, offset: at < 0 ? records.length : at}
      })
  }

  async read(position: Position, maxRecords: number, {waitMs = 0}: ReadOptions = {}): Promise<readonly BusMessage[]> {
    const read = async () => {
      const {earliest, records} = this.#open().partition(position)
      const from = Math.max(position.offset, earliest)
      return records.slice(from, from + maxRecords)
    }
    return readWaiting(read, (listener) => this.#log.listen(listener), waitMs)
  }

  async nodes(): Promise<readonly BusNode[]> {
    const partitions = [...this.#open().topics.values()].reduce((sum, topic) => sum + topic.partitions.length, 0)
    const counts = {leaders: partitions, replicas: partitions, outOfSync: 0}
    return [
      {id: NODE_ID, address: 'this process', alive: true, controller: true, rack: null, version: process.version, diskBytes: 0, ...counts},
    ]
  }

  async nodeSettings(id: string): Promise<readonly NodeSetting[]> {
    this.#open()
    checkNode(id)
    return [{name: 'retention', value: 'none', isDefault: true, defaultValue: 'none', readOnly: true}]
  }

  async alterNode(id: string): Promise<void> {
    this.#open()
    checkNode(id)
    throw new UnsupportedError('a log in memory has no settings to change', {remedy: ['use Kafka: --bus kafka']})
  }

  // Inside

  #backend({group, topics, from, instanceId}: SubscribeOptions): Omit<GroupBackend, 'ended'> {
    const log = this.#open()
    const membership = (id: string, state: GroupState): Membership => ({
      memberId: id,
      generation: state.generation,
      grants: state.holdings.filter(({owner}) => owner === id).map((holding) => this.#grant(group, holding, from ?? 'earliest')),
    })
    return {
      component: 'memory-bus',
      join: async () => {
        for (const topic of topics) log.ensureTopic(topic, this.#configOf(topic))
        const member = newMember(topics, instanceId ?? null)
        return membership(
          member.id,
          log.change(group, (state) => join(evict(state, Date.now()), member), Date.now()),
        )
      },
      sync: async (id, drained) => {
        if (!isMember(log.group(group).state, group, id, instanceId ?? null)) return null
        const now = Date.now()
        return membership(
          id,
          log.change(group, (state) => release(evict(renew(state, id, now), now), id, drained), now),
        )
      },
      commit: async (memberId, positions) => log.commit({group, memberId, positions}),
      leave: async (id) => void log.change(group, (state) => leave(state, id), Date.now()),
      generation: () => log.group(group).state.generation,
      read: (request) => log.read(request),
      onChange: (listener) => log.listen(listener),
    }
  }

  /** `latest` is fixed by a commit, so that a take-over before the first ack does not skip what came in between. */
  #grant(group: string, {topic, partition, owner, target, epoch}: Holding, from: 'earliest' | 'latest'): Grant {
    const {earliest, records} = this.#log.partition({topic, partition})
    const {offsets} = this.#log.group(group)
    const key = partitionKey({topic, partition})
    if (from === 'latest' && !offsets.has(key)) offsets.set(key, {topic, partition, offset: records.length})
    return {topic, partition, epoch, revoking: target !== owner, committed: offsets.get(key)?.offset ?? null, earliest}
  }

  readonly #configOf = (topic: string): TopicConfig => this.#options.topics?.[topic] ?? defaultTopicConfig(topic)

  #open(): MemoryLog {
    if (this.#state !== 'open') throw notConnected()
    return this.#log
  }
}

function checkNode(id: string): void {
  if (id !== NODE_ID)
    throw new InvalidInputError(`there is no node '${id}': a log in memory is the one node '${NODE_ID}'`, {remedy: [`name '${NODE_ID}'`]})
}

function newMember(topics: readonly string[], instanceId: string | null): Member {
  return {id: randomUUID(), instanceId, topics, process: currentProcess(), leaseUntilMs: Date.now() + LEASE_MS}
}

function notConnected(): NotConnectedError {
  return new NotConnectedError('the memory bus is not open', {remedy: ['call connect() first; after close() the bus is over']})
}
