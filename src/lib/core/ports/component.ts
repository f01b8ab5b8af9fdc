/** What all ports have in common. */
export interface Component {
  /** Opens what the component needs. Rejects with a CoinpipeError that says what could not be reached. */
  connect(): Promise<void>
  /** A cheap probe that resembles real use; rejects with the reason. */
  check(): Promise<void>
  /** Releases everything, bounded in time; a second call does nothing. */
  close(): Promise<void>
}

/**
 * A batch to work on. Call `ack` exactly once: with nothing when every item is safe, with an error to have the batch delivered again.
 */
export interface Delivery<T> {
  readonly items: readonly T[]
  ack(error?: Error): Promise<void>
}
