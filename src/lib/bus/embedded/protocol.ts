/** What the main thread and the writer thread say to each other. Plain data only. */
import type {Position, TopicChanges, TopicConfig, TopicPartition, Value} from '../../core/ports/bus.ts'
import type {ProcessIdentity} from '../../core/process-identity.ts'
import type {Failure} from '../errors.ts'
import type {Membership} from '../group-backend.ts'
import type {GroupCommit} from '../transaction.ts'

/** Columns, not one object per record: cloning objects between threads costs three times as much. */
export interface PackedBatch {
  /** The topics of this batch, each with what it gets when it has to be created. */
  readonly topics: readonly {readonly name: string; readonly config: TopicConfig}[]
  /** Index into `topics` per record; null where there is but one topic. */
  readonly topicOf: Uint16Array | null
  /** Chosen partition per record, -1 where the key decides; null where the key decides everywhere. */
  readonly partitions: Int32Array | null
  /** The different keys of this batch. */
  readonly keys: readonly string[]
  /** Index into `keys` per record, -1 for none. */
  readonly keyOf: Int32Array
  readonly values: PackedValues
  /** JSON text per record; null where no record has headers. */
  readonly headers: readonly (string | null)[] | null
}

/** One text with the length of each value in it where all are text: cloning many strings costs three times as much. */
export type PackedValues = {readonly text: string; readonly lengths: Uint32Array} | {readonly list: readonly (Value | null)[]}

/** Where each record of a batch went. */
export interface Placed {
  readonly partitions: Int32Array
  readonly offsets: Float64Array
}

export interface JoinInput {
  readonly group: string
  readonly memberId: string
  readonly instanceId: string | null
  readonly topics: readonly {readonly name: string; readonly config: TopicConfig}[]
  readonly from: 'earliest' | 'latest'
  readonly process: ProcessIdentity
}

export interface MemberInput {
  readonly group: string
  readonly memberId: string
}

export interface SyncInput extends MemberInput {
  readonly instanceId: string | null
  readonly from: 'earliest' | 'latest'
  readonly drained: readonly TopicPartition[]
}

export interface TransactionInput {
  readonly id: string
  readonly epoch: number
  readonly batch: PackedBatch
  readonly commits: readonly GroupCommit[]
}

/** A request's name, what it takes and what it gives. */
export interface WriterOps {
  publish: {in: PackedBatch; out: Placed}
  transactionStart: {in: {readonly id: string}; out: number}
  transactionCommit: {in: TransactionInput; out: null}
  join: {in: JoinInput; out: Membership}
  sync: {in: SyncInput; out: Membership | null}
  commit: {in: GroupCommit; out: null}
  leave: {in: MemberInput; out: null}
  ensureTopic: {in: {readonly name: string; readonly config: TopicConfig}; out: null}
  alterTopic: {in: {readonly topic: string; readonly changes: TopicChanges}; out: null}
  addPartitions: {in: {readonly topic: string; readonly partitions: number}; out: null}
  deleteTopic: {in: {readonly topic: string}; out: null}
  trim: {in: {readonly positions: readonly Position[]}; out: null}
  resetGroup: {in: {readonly group: string; readonly positions: readonly Position[]}; out: null}
  deleteGroup: {in: {readonly group: string}; out: null}
  /** Pragmas of the connection that writes, by name. */
  pragmas: {in: {readonly names: readonly string[]}; out: Readonly<Record<string, string>>}
  /** Takes and gives back the write lock, having changed nothing. */
  probe: {in: null; out: null}
}

export type OpName = keyof WriterOps

/** One variant per op, so that name and input belong together. */
export type Request = {[K in OpName]: {readonly id: number; readonly op: K; readonly input: WriterOps[K]['in']}}[OpName]

export type ToWriter = {readonly kind: 'request'; readonly request: Request} | {readonly kind: 'close'}

export type Reply = {readonly id: number; readonly result: unknown} | {readonly id: number; readonly failure: Failure}

export type FromWriter =
  | {readonly kind: 'opened'}
  | {readonly kind: 'openFailed'; readonly failure: Failure}
  | {readonly kind: 'replies'; readonly replies: readonly Reply[]}
  /** After each round of retention. */
  | {readonly kind: 'maintained'; readonly deleted: number; readonly logBytes: number}
  | {readonly kind: 'maintenanceFailed'; readonly failure: Failure}

export interface WriterOptions {
  readonly path: string
  /** How long to wait for the write lock. */
  readonly busyTimeoutMs: number
  /** Longest wait for more to commit together. */
  readonly lingerMs: number
  readonly retentionCheckMs: number
}
