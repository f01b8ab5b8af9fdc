import type {CoinRecord} from '../records.ts'
import type {BusMessage, Position, TopicPartition} from './bus.ts'
import type {Component} from './component.ts'

/** A decoded record with the message it came in. */
export interface SinkItem {
  readonly record: CoinRecord
  readonly message: BusMessage
}

/** A record that the sink refuses for what it is. Trying again will not help: it goes to the dead-letter topic. */
export interface RefusedItem {
  readonly index: number
  /** Error code, as in docs/errors.md. */
  readonly code: string
  readonly message: string
}

export interface SinkBatch {
  readonly group: string
  readonly items: readonly SinkItem[]
  /**
   * The next position of every partition touched by this batch, poison and skipped messages included. A sink that keeps offsets stores
   * these in the same transaction as its rows.
   */
  readonly next: readonly Position[]
}

export interface SinkResult {
  /**
   * Not empty: nothing of this batch counts as written and its positions did not move. The caller sets these items aside in the dead-letter
   * topic first and then writes the rest again with the same `next`; so a crash in between loses neither.
   */
  readonly refused: readonly RefusedItem[]
  /** Rows that were new; the rest had been written before. */
  readonly written: number
}

export interface Sink extends Component {
  /** Whether {@link Sink.positions} tells anything; if so, every partition that was ever written has one. */
  readonly keepsPositions: boolean
  /** Batches that may be in `write` at once, in any order; default 1. */
  readonly concurrentWrites?: number
  /**
   * Resolves with nothing refused only when every item and the positions are durable. Safe to repeat with the same ids. Rejects when the
   * whole batch should be tried again.
   */
  write(batch: SinkBatch): Promise<SinkResult>
  /** Of a sink that puts throughput first: the lag is worked off, from now on latency counts. */
  endCatchUp?(): void
  /** Positions kept beside the rows; empty where the sink keeps none. Where they differ from what the group committed, the earlier one counts. */
  positions(group: string, partitions: readonly TopicPartition[]): Promise<readonly Position[]>
}
