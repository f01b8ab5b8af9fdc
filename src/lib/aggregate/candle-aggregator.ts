import {DecimalRangeError, productFits, toScaled} from '../core/decimal-math.ts'
import {CANDLE_INTERVALS, type Candle, type CandleInterval, marketKey, type Trade} from '../core/records.ts'
import type {ScaledTrade} from './candle-window.ts'
import {CandleSnapshotError} from './errors.ts'
import {SECOND_US} from './intervals.ts'
import {type CandleLookup, MarketWindows, type SavedMarket, type WindowOptions} from './market-windows.ts'
import {type Generation, SeenIds, type SeenIdsOptions} from './seen-ids.ts'

export interface CandleAggregatorOptions {
  /** Default: all. */
  readonly intervals?: readonly CandleInterval[]
  /** How far event times may step back before a window closes; default 5 s. */
  readonly latenessUs?: number
  /** After so long without a trade, by the clock that `flush` is given, a market's windows close by that clock; default 10 s. */
  readonly idleUs?: number
  /** Closed windows of one market kept in memory for late trades; default {@link KEEP}. */
  readonly keep?: Partial<Record<CandleInterval, number>>
  /** Asked when a trade falls into a window that was dropped from memory. Without it such a window begins anew. */
  readonly lookup?: CandleLookup
  /** Default {@link SEEN}. */
  readonly seen?: SeenIdsOptions
}

/** Two minutes of seconds, two hours of minutes, six hours, half a day, two days, two days, three days. */
export const KEEP: Readonly<Record<CandleInterval, number>> = {'1s': 120, '1m': 120, '5m': 72, '15m': 48, '1h': 48, '4h': 12, '1d': 3}

/** One to two minutes, or 131,072 to 262,144 ids: at most 4 MB. */
export const SEEN: SeenIdsOptions = {maxIds: 1 << 17, maxAgeUs: 60 * SECOND_US}

/** `late`: counted, in a window that had been closed, so a corrected candle follows. */
export type AddOutcome = 'counted' | 'late' | 'duplicate'

const FORMAT = 1
type Snapshot = readonly [format: number, generations: readonly [Generation, Generation], markets: readonly SavedMarket[]]

interface Market {
  readonly windows: MarketWindows
  /** Keeps the ids of markets apart. */
  readonly seed: number
}

/**
 * Builds candles from the trades of one input partition. Pure: event time decides, and the same trades in the same order with flushes at the same
 * places give the same candles; within the lateness any order gives the same final ones. See docs/adr/0005-candles.md.
 */
export class CandleAggregator {
  readonly #options: WindowOptions
  readonly #seen: SeenIds
  readonly #markets = new Map<string, Market>()

  constructor(options: CandleAggregatorOptions = {}, saved?: Snapshot) {
    const {intervals = CANDLE_INTERVALS, latenessUs = 5 * SECOND_US, idleUs = 10 * SECOND_US, keep, lookup, seen = SEEN} = options
    this.#options = {intervals, latenessUs, idleUs, keep: {...KEEP, ...keep}, ...(lookup ? {lookup} : {})}
    this.#seen = new SeenIds(seen, saved?.[1])
    for (const market of saved?.[2] ?? []) this.#addMarket(market[0], market[1], market)
  }

  /** Carries on from a snapshot. Throws CandleSnapshotError. */
  static restore(snapshot: string, options: CandleAggregatorOptions = {}): CandleAggregator {
    return new CandleAggregator(options, parseSnapshot(snapshot))
  }

  /**
   * Takes one trade, at its offset in the partition. Throws DecimalRangeError, having changed nothing, for one whose numbers or whose market's
   * sums DECIMAL(38,18) cannot hold.
   */
  add(trade: Trade, offset: number): AddOutcome {
    const scaled = scale(trade)
    const {windows, seed} = this.#market(trade)
    if (!windows.hasRoomFor(scaled)) throw new DecimalRangeError(`with trade ${trade.id} a candle's volume could leave DECIMAL(38,18)`)
    if (!this.#seen.add(trade.tradeId, seed, offset, trade.receivedTime)) return 'duplicate'
    const late = windows.isLate(trade.eventTime)
    windows.add(scaled)
    return late ? 'late' : 'counted'
  }

  /** First offset whose trades are to be given to {@link remember} after {@link restore}. */
  get rememberFrom(): number {
    return this.#seen.generations[0].fromOffset
  }

  /**
   * Takes notice of a trade from before the snapshot, so that it is known when it comes again. Its window has it already. Trades that `add` would
   * throw for are left out, as they were then.
   */
  remember(trade: Trade, offset: number): void {
    try {
      scale(trade)
    } catch (error) {
      if (error instanceof DecimalRangeError) return
      throw error
    }
    this.#seen.remember(trade.tradeId, this.#market(trade).seed, offset)
  }

  /** The windows that changed since the last flush. `nowUs` is the caller's clock, for markets that have fallen silent. */
  flush(nowUs: number): Candle[] {
    const candles: Candle[] = []
    for (const {windows} of this.#markets.values()) windows.flush(nowUs, candles)
    return candles
  }

  /** All windows, as text for {@link restore}. Changes that no flush has given out yet are given out by the first flush after it. */
  snapshot(): string {
    const markets = Array.from(this.#markets.values(), ({windows}) => windows.save())
    return `[${FORMAT},${JSON.stringify(this.#seen.generations)},[${markets.join()}]]`
  }

  #market(trade: Trade): Market {
    return this.#markets.get(marketKey(trade)) ?? this.#addMarket(trade.exchange, trade.symbol)
  }

  #addMarket(exchange: string, symbol: string, saved?: SavedMarket): Market {
    const key = marketKey({exchange, symbol})
    const market = {windows: new MarketWindows(exchange, symbol, this.#options, saved), seed: seedOf(key)}
    this.#markets.set(key, market)
    return market
  }
}

function scale(trade: Trade): ScaledTrade {
  const price = toScaled(trade.price)
  const size = toScaled(trade.size)
  const product = price * size
  if (!productFits(product)) throw new DecimalRangeError(`price × size of trade ${trade.id} does not fit DECIMAL(38,18)`)
  return {trade, price, size, product}
}

/** FNV-1a. */
function seedOf(key: string): number {
  let hash = 0x811c9dc5
  for (let i = 0; i < key.length; i++) hash = Math.imul(hash ^ key.charCodeAt(i), 0x01000193)
  return hash
}

function parseSnapshot(text: string): Snapshot {
  let snapshot: unknown
  try {
    snapshot = JSON.parse(text)
  } catch (cause) {
    throw new CandleSnapshotError('not JSON', {cause})
  }
  if (!Array.isArray(snapshot) || snapshot.length !== 3) throw new CandleSnapshotError('not a snapshot')
  if (snapshot[0] !== FORMAT) throw new CandleSnapshotError(`format ${String(snapshot[0])}, this version writes ${FORMAT}`)
  return snapshot as unknown as Snapshot
}
