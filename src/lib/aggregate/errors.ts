import {CoinpipeError, type ErrorDetails} from '../core/errors.ts'

/** Saved candle windows that this version cannot read. */
export class CandleSnapshotError extends CoinpipeError {
  readonly code = 'COINPIPE_CANDLE_SNAPSHOT'
  constructor(seen: string, details: ErrorDetails = {}) {
    super(`the saved candle windows cannot be read: ${seen}`, {
      remedy: ['build them anew from the log: coinpipe groups reset candles --to earliest'],
      ...details,
    })
  }
}
