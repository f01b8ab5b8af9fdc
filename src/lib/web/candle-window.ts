import type {MarketId} from '../core/ports/market-reader.ts'
import type {Candle, CandleInterval, Micros} from '../core/records.ts'
import type {StoreGate} from './store-gate.ts'

/** Late trades change candles that had ended already; DESIGN allows them 5 s, this looks back a little further. */
const LOOK_BACK_US = 10_000_000
const MOST_AT_ONCE = 100

const INTERVAL_US: Readonly<Record<CandleInterval, Micros>> = {
  '1s': 1e6,
  '1m': 60e6,
  '5m': 300e6,
  '15m': 900e6,
  '1h': 3_600e6,
  '4h': 14_400e6,
  '1d': 86_400e6,
}

/** The newest candles of one market and interval: tells which are new or changed since the last look. */
export class CandleWindow {
  readonly #market: MarketId
  readonly #interval: CandleInterval
  readonly #store: StoreGate
  /** Version of each candle seen within the look-back, by start. */
  #seen: ReadonlyMap<Micros, number> = new Map()

  constructor(market: MarketId, interval: CandleInterval, store: StoreGate) {
    this.#market = market
    this.#interval = interval
    this.#store = store
  }

  /** Candles that are new or have a higher version, oldest first. */
  async refresh(): Promise<readonly Candle[]> {
    const newest = Math.max(...this.#seen.keys())
    const from = Number.isFinite(newest) ? newest - Math.max(LOOK_BACK_US, INTERVAL_US[this.#interval]) : undefined
    const candles = await this.#store.read((reader) =>
      reader.candles({
        ...this.#market,
        interval: this.#interval,
        origin: 'ours',
        limit: from === undefined ? 2 : MOST_AT_ONCE,
        ...(from === undefined ? {} : {from}),
      }),
    )
    const changed = candles.filter((candle) => candle.version > (this.#seen.get(candle.startTime) ?? -1))
    this.#seen = new Map(candles.map((candle) => [candle.startTime, candle.version]))
    return changed
  }
}
