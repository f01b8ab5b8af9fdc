import type {Context} from '../../core/context.ts'
import type {BusCapabilities, OutgoingRecord, SubscribeOptions, TopicPartition} from '../../core/ports/bus.ts'
import type {GroupBackend} from '../group-backend.ts'
import type {TransactionContent} from '../transaction.ts'
import type {Compression, KafkaOptions} from './options.ts'

/** Label of the metrics, whichever library is behind it. */
export const KAFKA_COMPONENT = 'kafka-bus'

/** Records of one partition that travel together; their partition is settled. */
export interface PartitionBatch extends TopicPartition {
  readonly records: readonly OutgoingRecord[]
  readonly compression: Compression
}

/**
 * Offset of the batch's first record, the others follow without holes; null where the broker was not asked to answer (acks=0), or says of a repeat only that
 * it has it already.
 */
export type SendOutcome = {readonly baseOffset: number | null} | {readonly error: unknown}

export interface DriverDependencies {
  /** Creates a topic that is not there, with what the config says. */
  readonly ensureTopic: (topic: string) => Promise<void>
}

export type CreateKafkaDriver = (options: KafkaOptions, context: Context, dependencies: DriverDependencies) => KafkaDriver

/** What a Kafka client library has to offer so that KafkaBus can run on it. All of it is already translated: errors are ours. */
export interface KafkaDriver {
  readonly capabilities: BusCapabilities
  connect(): Promise<void>
  /** Bounded in time; a second call does nothing. */
  close(): Promise<void>
  /**
   * Sends batches, each of another partition, once each: whether to repeat is for the caller to say. One outcome per batch, in order. Calls are made one
   * after the other for a partition, so that its order holds.
   */
  send(batches: readonly PartitionBatch[]): Promise<readonly SendOutcome[]>
  /**
   * Member of a group, and the reader of its partitions. Its `ended` closes what it opened: a bus that has an `ended` of its own calls both.
   */
  backend(options: SubscribeOptions): GroupBackend
  /** Null where the library's transactions are not to be trusted. */
  readonly transactions: KafkaTransactions | null
}

export interface KafkaTransactions {
  /** Becomes the holder of the id, which fences an older one and aborts what it left open; returns the epoch. Does nothing where this process still is. */
  start(id: string): Promise<number>
  /**
   * Writes records and offsets as one transaction; rejects with FencedError, having written nothing that can be seen, where someone is newer. `batches`
   * are the records of `content`, those of a partition in their order.
   */
  commit(content: TransactionContent, batches: readonly PartitionBatch[]): Promise<void>
}
