import type {Component, Delivery} from './component.ts'

/** Text stays text; anything else is bytes. Both are kept exactly. Kafka knows bytes only: what is UTF-8 comes back as text from there. */
export type Value = string | Uint8Array

export type Headers = Readonly<Record<string, string>>

export interface OutgoingRecord {
  readonly topic: string
  /** Chosen by the caller; without it by Java's murmur2 of the key (core/partitioner.ts), keyless records stick to one partition per batch. */
  readonly partition?: number
  readonly key: string | null
  /** Null is a tombstone. */
  readonly value: Value | null
  readonly headers?: Headers
}

export interface BusMessage {
  readonly topic: string
  readonly partition: number
  readonly offset: number
  readonly key: string | null
  readonly value: Value | null
  readonly headers: Headers
  /** When the log took it (LogAppendTime), milliseconds since the epoch. */
  readonly timestampMs: number
}

export interface TopicPartition {
  readonly topic: string
  readonly partition: number
}

/** The next offset to read. */
export interface Position extends TopicPartition {
  readonly offset: number
}

/** Where a record went. `offset` is null where the broker was not asked to answer (acks=0): such a record never counts as acknowledged. */
export interface PublishResult extends TopicPartition {
  readonly offset: number | null
}

export interface BusCapabilities {
  readonly transactions: boolean
  readonly idempotence: boolean
  readonly staticMembership: boolean
  readonly cooperative: boolean
}

/** `committed` leaves out records of transactions that are open or were aborted; a log whose transactions are only written at their end has none. */
export type Isolation = 'committed' | 'uncommitted'

export interface SubscribeOptions {
  readonly group: string
  readonly topics: readonly string[]
  /** Where a partition without a committed offset starts. Default `earliest`. */
  readonly from?: 'earliest' | 'latest'
  /** Static membership: a member that comes back under this name within its lease keeps its partitions. */
  readonly instanceId?: string
  /** Most items in one delivery; default 1000. */
  readonly maxBatchRecords?: number
  /** Most bytes of values in one delivery; default 4 MiB. A single larger record still comes through, alone. */
  readonly maxBatchBytes?: number
  /** Whether records of transactions that are open or were aborted are read too. Default `committed`. */
  readonly isolation?: Isolation
  /** Deliveries handed out and not yet acked; default 4. Reaching it stops reading: that is the backpressure. */
  readonly maxInFlight?: number
  /**
   * Asked when partitions are assigned: positions that win over the committed ones (a store that keeps its offsets beside its rows).
   * Partitions it does not name start as usual.
   */
  readonly startAt?: (partitions: readonly TopicPartition[]) => Promise<readonly Position[]>
}

/**
 * Items of one delivery keep their order inside each partition. `ack()` commits each partition up to the delivery's last item, in the order of
 * deliveries: an ack waits for the acks before it. A commit never moves an offset back (only resetGroup does). `ack(error)` has this and all later deliveries read again. An ack for a partition that was taken
 * away rejects with FencedError and commits nothing.
 */
export interface Subscription extends AsyncIterable<Delivery<BusMessage>> {
  /** The partitions held now. */
  assignment(): readonly TopicPartition[]
  /** Stops reading, waits (bounded) for the acks in flight, leaves the group. */
  close(): Promise<void>
}

export interface Transaction {
  /** Visible to readers only after the transaction commits. */
  publish(records: readonly OutgoingRecord[]): Promise<void>
  /** Commits this delivery's offsets with the transaction, in place of `delivery.ack()`. */
  consume(delivery: Delivery<BusMessage>): void
}

export interface TransactionOptions {
  /** Stable name, `<pipeline>.<member>`. Starting one fences an older holder of the same name. */
  readonly id: string
}

export interface Bus extends Component {
  readonly capabilities: BusCapabilities
  /**
   * Resolves with one result per record, in order, once the log has them durably. All or nothing on the embedded log; on Kafka per partition.
   * Rejects with a CoinpipeError; one whose `retry` is not `never` may be tried again with the same records.
   */
  publish(records: readonly OutgoingRecord[]): Promise<readonly PublishResult[]>
  subscribe(options: SubscribeOptions, signal: AbortSignal): Subscription
  /** Runs `fn`; what it publishes and consumes becomes durable and visible together, or not at all when it throws or is fenced. */
  transaction<T>(options: TransactionOptions, fn: (transaction: Transaction) => Promise<T>): Promise<T>
}

export interface TopicConfig {
  readonly partitions: number
  /** Null keeps for ever. */
  readonly retentionMs: number | null
  /** Per topic, all partitions together; null is unlimited. */
  readonly retentionBytes: number | null
  /** Copies of each partition, on as many nodes. Default: what the bus takes for a new topic; the embedded log keeps one. */
  readonly replicas?: number
  /** Further settings by Kafka's names, for example `min.insync.replicas`. The embedded log has none of them and keeps none. */
  readonly settings?: Readonly<Record<string, string>>
}

/** What to change of a topic; what is left away stays. */
export interface TopicChanges {
  readonly retentionMs?: number | null
  readonly retentionBytes?: number | null
  /** By Kafka's names; null goes back to the default of the nodes. */
  readonly settings?: Readonly<Record<string, string | null>>
}

export interface TopicDescription extends TopicConfig {
  readonly name: string
  /** Partitions without a leader are left out. */
  readonly offsets: readonly PartitionOffsets[]
  readonly replicas: number
  /** Only what differs from what the server has without any configuration, and is not said by the other fields. */
  readonly settings: Readonly<Record<string, string>>
  /** Who holds the partitions, in their order; empty on the embedded log. */
  readonly replication: readonly PartitionReplication[]
}

/** Node ids. Where replicas are missing from `isr`, the partition is under-replicated; without a leader it can be neither read nor written. */
export interface PartitionReplication extends TopicPartition {
  readonly leader: number | null
  readonly leaderEpoch: number
  /** The first one is the preferred leader. */
  readonly replicas: readonly number[]
  readonly isr: readonly number[]
}

/** The outcome of an election for one partition; `error` is null where the preferred leader leads now. */
export interface LeaderElection extends TopicPartition {
  readonly error: string | null
}

export interface PartitionOffsets extends TopicPartition {
  /** First offset still there. */
  readonly earliest: number
  /** Offset that the next record will get. */
  readonly latest: number
}

export type GroupPhase = 'empty' | 'rebalancing' | 'stable' | 'dead'

export interface GroupMember {
  readonly id: string
  readonly instanceId: string | null
  /** How the member calls itself, and from where it is connected; the process id on the embedded log. */
  readonly client: string
  readonly host: string | null
  readonly partitions: readonly TopicPartition[]
}

export interface GroupDescription {
  readonly group: string
  /** Null where the bus does not tell. */
  readonly generation: number | null
  readonly phase: GroupPhase
  /** The node that keeps the group; null on the embedded log. */
  readonly coordinator: string | null
  readonly members: readonly GroupMember[]
}

export interface GroupLag extends TopicPartition {
  /** Null where the group never committed. */
  readonly committed: number | null
  readonly latest: number
  readonly lag: number
}

export interface BusNode {
  readonly id: string
  /** Null where the node is down and nobody else tells. */
  readonly address: string | null
  /** Whether it answers. One that is down is listed as long as it holds partitions. */
  readonly alive: boolean
  /** Exactly one node is the active controller, save during an election, or where the one that hangs keeps the others from saying. */
  readonly controller: boolean
  readonly rack: string | null
  /** Version of the server, as far as it tells. */
  readonly version: string | null
  /** Bytes of all replicas on the node's disks; null where it does not answer. */
  readonly diskBytes: number | null
  /** Partitions that the node leads, holds, and holds without being in sync. */
  readonly leaders: number
  readonly replicas: number
  readonly outOfSync: number
}

/** One setting of a node. */
export interface NodeSetting {
  readonly name: string
  /** Empty where it is not set; null where it is a secret. */
  readonly value: string | null
  /** Whether it is what the server has without any configuration. */
  readonly isDefault: boolean
  /** What the server has without any configuration; null where the bus does not tell. */
  readonly defaultValue: string | null
  /** Only in the file of the node, changed by a restart. */
  readonly readOnly: boolean
}

export interface ReadOptions {
  readonly isolation?: Isolation
  /** How long to wait for a first record; default not at all. */
  readonly waitMs?: number
}

export interface BusAdmin extends Component {
  listTopics(): Promise<readonly string[]>
  /** Rejects with UnknownTopicError. */
  describeTopic(topic: string): Promise<TopicDescription>
  /**
   * Creates the topic, or does nothing where it exists with as many partitions and at least as many replicas; else TopicMismatchError. The embedded log
   * keeps one copy and does not count replicas.
   */
  ensureTopic(topic: string, config: TopicConfig): Promise<void>
  /** Rejects with UnknownTopicError; with UnsupportedError where `settings` names one that the bus does not have, and then changes nothing. */
  alterTopic(topic: string, changes: TopicChanges): Promise<void>
  /**
   * Raises the number of partitions to `partitions`; what is not more than now is InvalidInputError. Keys move: core/partitioner.ts. Groups that read the
   * topic start new partitions at their beginning, also with `from: 'latest'`: what came in before a member saw the partition is not passed over.
   */
  addPartitions(topic: string, partitions: number): Promise<void>
  /** Gives the partitions of the topics (default: of all) back to their preferred leaders; answers for those that were led by another. */
  electLeaders(topics?: readonly string[]): Promise<readonly LeaderElection[]>
  deleteTopic(topic: string): Promise<void>
  /** Removes records below the positions; one past the end removes all that is there. */
  trim(positions: readonly Position[]): Promise<void>
  listGroups(): Promise<readonly string[]>
  describeGroup(group: string): Promise<GroupDescription>
  lag(group: string): Promise<readonly GroupLag[]>
  /** Sets committed offsets of a group without members; with members GroupActiveError. */
  resetGroup(group: string, positions: readonly Position[]): Promise<void>
  deleteGroup(group: string): Promise<void>
  /** First offset whose timestamp is at or after `timestampMs`, per partition; the end where there is none. */
  offsetsAt(topic: string, timestampMs: number): Promise<readonly Position[]>
  /** Reads records of one partition from an offset, oldest first, without a group. None where the offset is at or past the end. */
  read(position: Position, maxRecords: number, options?: ReadOptions): Promise<readonly BusMessage[]>
  nodes(): Promise<readonly BusNode[]>
  /** Settings of one node, by name. Rejects with InvalidInputError where there is no such node. */
  nodeSettings(id: string): Promise<readonly NodeSetting[]>
  /** Changes settings of a node while it runs; null goes back to its default. A bus without such settings rejects with UnsupportedError. */
  alterNode(id: string, settings: Readonly<Record<string, string | null>>): Promise<void>
}
