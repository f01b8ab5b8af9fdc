import type {TopicPartition} from '../core/ports/bus.ts'
import type {ReadRequest, ReadResult} from './fair-read.ts'

/** A partition that a member may read and commit. */
export interface Grant extends TopicPartition {
  readonly epoch: number
  /** It should move to another member: finish what was read, read no more. */
  readonly revoking: boolean
  readonly committed: number | null
  readonly earliest: number
}

/** What a member is told about its group. */
export interface Membership {
  readonly memberId: string
  readonly generation: number
  readonly grants: readonly Grant[]
}

export interface CommitPosition extends TopicPartition {
  readonly epoch: number
  readonly offset: number
}

/** What a log has to offer so that {@link GroupSubscription} can read it as a member of one group. */
export interface GroupBackend {
  /** Label of the metrics. */
  readonly component: string
  join(): Promise<Membership>
  /** Renews the lease and gives up what was drained; null where the member was put out meanwhile. */
  sync(memberId: string, drained: readonly TopicPartition[]): Promise<Membership | null>
  /** Rejects with FencedError, and commits nothing, where any of the partitions is not the member's any more. */
  commit(memberId: string, positions: readonly CommitPosition[]): Promise<void>
  leave(memberId: string): Promise<void>
  /** The group's generation now; cheap. Null where the log cannot be read just now. */
  generation(): number | null
  /** Null where the log cannot be read just now. */
  read(request: ReadRequest): ReadResult | null
  /** Calls back after every change of the log or its groups; returns how to stop that. */
  onChange(listener: () => void): () => void
  /** The subscription is closed. */
  ended(): void
}

/** The settlement of one delivery by a transaction, in place of its ack. */
export interface Consumption {
  readonly group: string
  readonly memberId: string
  readonly positions: readonly CommitPosition[]
  /** Resolves once all earlier deliveries were sent off to commit; rejects where this one is read again instead. */
  turn(): Promise<void>
  done(): void
  failed(error: unknown): void
}
