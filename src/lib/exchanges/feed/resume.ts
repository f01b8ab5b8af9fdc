import type {CoinRecord, Gap, Micros} from '../../core/records.ts'
import {DISORDER_US} from './trade-gap.ts'

/** How far one market's trades are complete in the log. */
export interface ResumePoint {
  /** Every trade up to here is in the log, but for `gaps` and the disorder of event times; later ones may be missing. */
  readonly eventTime: Micros
  /** The last trade in the log, where one is known: history that still has it reaches back far enough. */
  readonly lastId?: string
  /** Trade ids in the log around and after the oldest place where one may be missing: not to be published again. */
  readonly ids: ReadonlySet<string>
  /** Gaps still open. One without an end reaches to the present: after it there may be holes, whatever later trades are in the log. */
  readonly gaps: readonly Gap[]
}

/** Where a feed goes on after a stop or a crash. */
export interface ResumePoints {
  /** By symbol. */
  readonly points: ReadonlyMap<string, ResumePoint>
  /** For subscribed symbols without a point: the tail of the log, complete from here on, has no trade of theirs. */
  readonly since: Micros | null
}

interface State {
  newest: {readonly eventTime: Micros; readonly tradeId: string} | undefined
  readonly open: Map<string, Gap>
  /** Ids of trades, those that a resume point may need. */
  trades: [tradeId: string, eventTime: Micros][]
  /** Size at which trades that no resume point needs are let go. */
  pruneAt: number
}

const FIRST_PRUNE = 20_000

/**
 * Reads the resume points of the trade channel out of the tail of the log: records of one exchange, in the order of the log within each symbol.
 *
 * The tail must reach back at least {@link RESUME_TAIL_MS} in log time, because a feed repeats its open gaps that often. `since` is where the tail
 * starts (µs): a symbol without a trade in it had none logged since, so it is complete up to there. Leave it out where the tail is the whole log.
 *
 * A gap whose last record says `open` was never filled. Apart from those trades are complete up to the newest, because a feed publishes a gap before any
 * trade that follows it, says its end only when trades are complete from there on, and says `filled` only when every trade it found is safe.
 */
export function resumePoints(records: Iterable<CoinRecord>, since: Micros | null = null): ResumePoints {
  const scan = new ResumeScan()
  for (const record of records) scan.add(record)
  return scan.points(since)
}

/** {@link resumePoints} record by record, for a tail that is too long to hold. */
export class ResumeScan {
  readonly #states = new Map<string, State>()

  add(record: CoinRecord): void {
    if (record.type === 'trade') {
      const state = stateOf(this.#states, record.symbol)
      if (!state.newest || record.eventTime >= state.newest.eventTime) state.newest = record
      state.trades.push([record.tradeId, record.eventTime])
      if (state.trades.length >= state.pruneAt) prune(state)
    } else if (record.type === 'gap' && record.channel === 'trade') {
      const {open} = stateOf(this.#states, record.symbol)
      if (record.state === 'open') open.set(record.id, record)
      else open.delete(record.id)
    }
  }

  points(since: Micros | null): ResumePoints {
    const points = new Map<string, ResumePoint>()
    for (const [symbol, state] of this.#states) {
      const point = pointOf(state)
      if (point) points.set(symbol, point)
    }
    return {points, since}
  }
}

/** A feed repeats the records of open gaps this often. */
export const GAP_REPEAT_MS = 10_000
/** Least length of the tail for {@link resumePoints}, counted back from its newest record: some repeats, for a bus that is slower than the feed. */
export const RESUME_TAIL_MS = 60_000

function stateOf(states: Map<string, State>, symbol: string): State {
  const known = states.get(symbol)
  if (known) return known
  const state: State = {newest: undefined, open: new Map(), trades: [], pruneAt: FIRST_PRUNE}
  states.set(symbol, state)
  return state
}

/** The tail may hold millions of trades, of which only the last seconds are needed. */
function prune(state: State): void {
  state.trades = needed(state)
  state.pruneAt = Math.max(FIRST_PRUNE, 2 * state.trades.length)
}

function pointOf(state: State): ResumePoint | null {
  const gaps = [...state.open.values()]
  // Without a trade in the tail, the end of a gap is the last moment up to which trades are known to be complete.
  const eventTime = state.newest?.eventTime ?? Math.max(...gaps.map(({from, to}) => to ?? from))
  if (!Number.isFinite(eventTime)) return null
  const ids = new Set(needed(state).map(([tradeId]) => tradeId))
  return {eventTime, ids, gaps, ...(state.newest ? {lastId: state.newest.tradeId} : {})}
}

function needed({newest, open, trades}: State): State['trades'] {
  const starts = [...open.values()].map(({from}) => from)
  const oldest = Math.min(newest?.eventTime ?? Number.POSITIVE_INFINITY, ...starts) - DISORDER_US
  return trades.filter(([, time]) => time >= oldest)
}
