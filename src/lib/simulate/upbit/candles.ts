import type {TradeHistory} from '../trade-history.ts'
import {VOLUME_UNITS} from './number-text.ts'

/** A candle as the simulated exchange itself sends it; prices in the quote currency. */
export interface Candle {
  readonly startMs: number
  readonly open: number
  readonly high: number
  readonly low: number
  readonly close: number
  readonly volume: number
  readonly value: number
  /** When its last trade was sent. */
  readonly lastMs: number
}

/** Candle types of the websocket (docs.upbit.com: websocket, candle) and their length in milliseconds. */
export const CANDLE_TYPES: ReadonlyMap<string, number> = new Map([
  ['candle.1s', 1000],
  ...[1, 3, 5, 10, 15, 30, 60, 240].map((minutes) => [`candle.${minutes}m`, minutes * 60_000] as const),
])

/**
 * The newest `count` candles that have trades, newest first, counted from the history: `untilMs` is exclusive. By the time at which trades were sent, and
 * only as far back as the history reaches.
 */
export function candlesFrom(history: TradeHistory, lengthMs: number, decimals: number, untilMs: number, count: number): Candle[] {
  const candles: Candle[] = []
  let end = history.indexAt(untilMs)
  while (end > history.first && candles.length < count) {
    const {sentMs} = history.at(end - 1)
    const startMs = sentMs - (sentMs % lengthMs)
    const start = history.indexAt(startMs)
    candles.push(candleOf(history, start, end, startMs, 10 ** decimals))
    end = start
  }
  return candles
}

/** Trades `start` to `end - 1`, at least one. */
function candleOf(history: TradeHistory, start: number, end: number, startMs: number, scale: number): Candle {
  let [highUnits, lowUnits, volume, value] = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY, 0, 0]
  for (let index = start; index < end; index++) {
    const {priceUnits, signedVolumeUnits} = history.at(index)
    const size = Math.abs(signedVolumeUnits) / VOLUME_UNITS
    highUnits = Math.max(highUnits, priceUnits)
    lowUnits = Math.min(lowUnits, priceUnits)
    volume += size
    value += size * (priceUnits / scale)
  }
  const last = history.at(end - 1)
  return {
    startMs,
    open: history.at(start).priceUnits / scale,
    high: highUnits / scale,
    low: lowUnits / scale,
    close: last.priceUnits / scale,
    volume,
    value,
    lastMs: last.sentMs,
  }
}
