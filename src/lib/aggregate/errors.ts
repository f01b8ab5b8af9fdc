import {CoinpipeError, type ErrorDetails} from '../core/errors.ts'

/** Saved candle windows that this version cannot read. */
export class CandleSnapshotError extends CoinpipeError {
  readonly code = 'COINPIPE_CANDLE_SNAPSHOT'
  constructor(seen: string, details: ErrorDetails = {}) {
    super(`the saved candle windows cannot be read: ${seen}`, {
      remedy: ['move the folder `state` of the data folder away: candles are then built anew from the log'],
      ...details,
    })
  }
}
