import type {CoinRecord, Micros} from '../core/records.ts'

/**
 * Turns what an exchange sends, websocket frames and REST bodies alike, into records. Never throws because of a frame: what cannot be used
 * comes back as `rejected`. One decoder per connection: it keeps scratch space between calls.
 */
export interface FrameDecoder {
  /** `receivedTime` in microseconds is copied into every record. */
  decode(frame: string | Uint8Array, receivedTime: Micros): DecodedFrame
}

export type DecodedFrame = RecordsFrame | StatusFrame | ErrorFrame | RefusedFrame

/** Data. In a list frame, an item that cannot be used loses only itself. */
export interface RecordsFrame {
  readonly kind: 'records'
  readonly records: readonly CoinRecord[]
  /** Empty, but for items of a list frame that could not be used. */
  readonly rejected: readonly Rejection[]
}

/** Not data: the exchange says that it is alive, answers what is subscribed, or lists its markets. */
export interface StatusFrame {
  readonly kind: 'status'
  readonly about: 'alive' | 'subscriptions' | 'markets'
}

/** The exchange refused something that was asked on this connection. */
export interface ErrorFrame {
  readonly kind: 'error'
  /** The exchange's own name for it, such as `WRONG_FORMAT`. */
  readonly name: string
  readonly message: string
}

/** Nothing in this frame could be used. */
export interface RefusedFrame extends Rejection {
  readonly kind: 'rejected'
}

export interface Rejection {
  /** Error code, as in docs/errors.md. */
  readonly code: string
  /** What was wrong, and what was seen. */
  readonly message: string
}
