import type {ResumePoint, ResumePoints} from '../feed/resume.ts'
import {idKey} from '../feed/seen-ids.ts'
import {DISORDER_US} from '../feed/trade-gap.ts'
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

/**
 * The lanes of connections with the same symbols, one map by symbol each; the lanes of a symbol share its market. Where the log says how far a symbol is
 * complete, the first one begins with a gap from there on.
 */
export function createLanes({symbols, copies, lastSeen}: LanesOptions): ReadonlyMap<string, TradeLane>[] {
  const windowUs = copies > 1 ? REDUNDANT_WINDOW_US : WINDOW_US
  const markets = symbols.map((symbol) => new TradeMarket({exchange: 'upbit', symbol, windowUs, maxIds: MAX_IDS}))
  return Array.from({length: copies}, (_, copy) => {
    const lanes = markets.map((market) => (copy === 0 ? resumed(market, lastSeen) : new TradeLane(market)))
    return new Map(lanes.map((lane) => [lane.market.symbol, lane]))
  })
}

function resumed(market: TradeMarket, lastSeen: ResumePoints | undefined): TradeLane {
  const point = lastSeen?.points.get(market.symbol) ?? sincePoint(lastSeen)
  if (!point) return new TradeLane(market)
  for (const id of point.ids) market.seen.addLate(idKey(id))
  const lane = new TradeLane(market, point)
  lane.lost('restart', point.eventTime)
  return lane
}

function sincePoint(lastSeen: ResumePoints | undefined): ResumePoint | undefined {
  if (lastSeen === undefined || lastSeen.since === null) return undefined
  return {eventTime: lastSeen.since, ids: new Set()}
}
