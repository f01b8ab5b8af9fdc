import type {Component, Delivery} from './component.ts'

/** Text stays text; anything else is bytes. Both are kept exactly. */
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
}

export interface TopicDescription extends TopicConfig {
  readonly name: string
  readonly offsets: readonly PartitionOffsets[]
}

export interface PartitionOffsets extends TopicPartition {
  /** First offset still there. */
  readonly earliest: number
  /** Offset that the next record will get. */
  readonly latest: number
}

export interface GroupDescription {
  readonly group: string
  readonly generation: number
  readonly members: readonly {readonly id: string; readonly partitions: readonly TopicPartition[]}[]
}

export interface GroupLag extends TopicPartition {
  /** Null where the group never committed. */
  readonly committed: number | null
  readonly latest: number
  readonly lag: number
}

export interface BusNode {
  readonly id: string
  readonly address: string
  readonly controller: boolean
}

export interface BusAdmin extends Component {
  listTopics(): Promise<readonly string[]>
  /** Rejects with UnknownTopicError. */
  describeTopic(topic: string): Promise<TopicDescription>
  /** Creates the topic, or does nothing where it exists with as many partitions; fewer or more is TopicMismatchError. */
  ensureTopic(topic: string, config: TopicConfig): Promise<void>
  deleteTopic(topic: string): Promise<void>
  /** Removes records below the positions. */
  trim(positions: readonly Position[]): Promise<void>
  listGroups(): Promise<readonly string[]>
  describeGroup(group: string): Promise<GroupDescription>
  lag(group: string): Promise<readonly GroupLag[]>
  /** Sets committed offsets of a group without members; with members GroupActiveError. */
  resetGroup(group: string, positions: readonly Position[]): Promise<void>
  deleteGroup(group: string): Promise<void>
  /** First offset whose timestamp is at or after `timestampMs`, per partition; the end where there is none. */
  offsetsAt(topic: string, timestampMs: number): Promise<readonly Position[]>
  /** Reads records of one partition from an offset, oldest first, without a group. */
  read(position: Position, maxRecords: number): Promise<readonly BusMessage[]>
  nodes(): Promise<readonly BusNode[]>
}
