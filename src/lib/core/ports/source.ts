import type {CoinRecord} from '../records.ts'
import type {Component, Delivery} from './component.ts'

/** A frame that did not become a record: set aside in the dead-letter topic, never dropped in silence. */
export interface RejectedFrame {
  readonly frame: string | Uint8Array
  /** Error code, as in docs/errors.md. */
  readonly code: string
  readonly message: string
  readonly receivedTime: number
}

/** A source delivers records, or a frame that it could not read. */
export type SourceItem =
  | {readonly kind: 'record'; readonly record: CoinRecord}
  | {readonly kind: 'rejected'; readonly rejected: RejectedFrame}

export interface Source extends Component {
  /**
   * Batches in the order of arrival. Ends only when the source is exhausted or `signal` aborts; what was received before is still delivered.
   * While a delivery waits for its ack, at most a bounded number of items queues up; after that the source is slowed down.
   */
  deliveries(signal: AbortSignal): AsyncIterable<Delivery<SourceItem>>
}
