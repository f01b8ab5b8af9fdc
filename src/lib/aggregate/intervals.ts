import type {CandleInterval, Micros} from '../core/records.ts'

export const SECOND_US = 1_000_000
const MINUTE_US = 60 * SECOND_US
const HOUR_US = 60 * MINUTE_US

export const INTERVAL_US: Readonly<Record<CandleInterval, number>> = {
  '1s': SECOND_US,
  '1m': MINUTE_US,
  '5m': 5 * MINUTE_US,
  '15m': 15 * MINUTE_US,
  '1h': HOUR_US,
  '4h': 4 * HOUR_US,
  '1d': 24 * HOUR_US,
}

/** Start of the window that holds `time`. Every length divides a day, so that all windows begin at UTC boundaries. */
export function windowStart(time: Micros, lengthUs: number): Micros {
  return time - (time % lengthUs)
}
