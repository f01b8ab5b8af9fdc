import type {ResumePoint, ResumePoints} from '../feed/resume.ts'
import {DISORDER_US, type TradeGap} from '../feed/trade-gap.ts'
import {TradeLane, TradeMarket} from '../feed/trade-lane.ts'

export interface LanesOptions {
  readonly symbols: readonly string[]
  /** Connections that carry the same symbols. */
  readonly copies: number
  readonly lastSeen: ResumePoints | undefined
}

/** Longer than the disorder, which is what back-fill needs. */
const WINDOW_US = DISORDER_US + 1_000_000
/** A redundant connection may lag until it is found stale. */
const REDUNDANT_WINDOW_US = 60_000_000
/** Per market and half of the window: some 40 bytes each. */
const MAX_IDS = 250_000

export interface Lanes {
  /** One map by symbol for each connection. */
  readonly copies: readonly ReadonlyMap<string, TradeLane>[]
  /** Gaps that an earlier run left open and that may be filled at once. */
  readonly restored: readonly {readonly market: TradeMarket; readonly gap: TradeGap}[]
}

/**
 * The lanes of connections with the same symbols; the lanes of a symbol share its market. Where the log says how far a symbol is complete, the first one
 * begins with a gap from there on.
 */
export function createLanes({symbols, copies, lastSeen}: LanesOptions): Lanes {
  const windowUs = copies > 1 ? REDUNDANT_WINDOW_US : WINDOW_US
  const markets = symbols.map((symbol) => new TradeMarket({exchange: 'upbit', symbol, windowUs, maxIds: MAX_IDS}))
  const lanes = Array.from({length: copies}, () => new Map(markets.map((market) => [market.symbol, new TradeLane(market)])))
  const restored = [...(lanes[0]?.values() ?? [])].flatMap((lane) => {
    const point = pointFor(lane.market.symbol, lastSeen)
    return point ? lane.resume(point).map((gap) => ({market: lane.market, gap})) : []
  })
  return {copies: lanes, restored}
}

function pointFor(symbol: string, lastSeen: ResumePoints | undefined): ResumePoint | undefined {
  const point = lastSeen?.points.get(symbol)
  if (point || lastSeen === undefined || lastSeen.since === null) return point
  return {eventTime: lastSeen.since, ids: new Set(), gaps: []}
}
