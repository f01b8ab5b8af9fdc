import type {Position, TopicPartition} from '../../core/ports/bus.ts'
import type {RetainResult, StoreRetention, WriteCounts} from './batch.ts'

/** What the main thread asks of the writer thread, with the answer to each. */
export interface WriterCalls {
  open: {request: {path: string; busyTimeoutMs: number; retention: StoreRetention}; reply: undefined}
  /** The batch as JSON text of a StoreBatch. */
  write: {request: string; reply: WriteCounts}
  positions: {request: {group: string; partitions: readonly TopicPartition[]}; reply: readonly Position[]}
  retain: {request: {nowMs: number}; reply: RetainResult}
  shrink: {request: undefined; reply: undefined}
  check: {request: undefined; reply: undefined}
  close: {request: undefined; reply: undefined}
}

export type WriterCall = keyof WriterCalls
export type WriterRequest<C extends WriterCall = WriterCall> = C extends WriterCall
  ? {readonly id: number; readonly call: C; readonly request: WriterCalls[C]['request']}
  : never

/** An error does not keep its class between threads, so what tells errors apart travels beside it. */
export type WriterReply =
  | {readonly id: number; readonly ok: true; readonly reply: WriterCalls[WriterCall]['reply']}
  | {readonly id: number; readonly ok: false; readonly error: unknown; readonly errcode?: number; readonly refusal?: StoreRefusal}

/** Why a file is not taken for a store. */
export type StoreRefusal = {readonly kind: 'schema'; readonly found: number} | {readonly kind: 'foreign'; readonly seen: string}
