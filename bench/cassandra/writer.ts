import type {CoinRecord} from '../../src/lib/core/records.ts'

/** What writes records under the clock, be it our sink or a bare driver. */
export interface Writer<Item extends {readonly record: CoinRecord} = {readonly record: CoinRecord}> {
  /** Resolves once all are acknowledged. */
  write(items: readonly Item[]): Promise<void>
  /** Requests so far; NaN where nobody counts them. */
  batches(): number
  close(): Promise<void>
}
