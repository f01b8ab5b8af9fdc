import type {CoinRecord, Gap, Micros} from '../../core/records.ts'
import {DISORDER_US} from './trade-gap.ts'

/** How far one market's trades are complete in the log. */
export interface ResumePoint {
  /** Every trade up to here, less the disorder of event times, is in the log; later ones may be missing. */
  readonly eventTime: Micros
  /** Trade ids in the log from `eventTime` less the disorder on: not to be published again. */
  readonly ids: ReadonlySet<string>
  /** The last trade before the hole, where it is known: history that still has it reaches back far enough. */
  readonly lastId?: string
  /** Further gaps still open, all after `eventTime`: closed along with the one that begins there. */
  readonly covered?: readonly Gap[]
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
 * A gap whose last record says `open` was never filled: everything after its `from` may have holes, whatever later trades are in the log. Otherwise trades
 * are complete up to the newest, because a feed publishes a gap before any trade that follows it, and says `filled` only when every trade it found is safe.
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
  const start = startOf(state)
  if (start) state.trades = recent(state.trades, start.eventTime)
  state.pruneAt = Math.max(FIRST_PRUNE, 2 * state.trades.length)
}

function pointOf(state: State): ResumePoint | null {
  const start = startOf(state)
  if (!start) return null
  const ids = new Set(recent(state.trades, start.eventTime).map(([tradeId]) => tradeId))
  const {eventTime, lastId, covered} = start
  return {eventTime, ids, ...(lastId === undefined ? {} : {lastId}), ...(covered.length === 0 ? {} : {covered})}
}

interface Start {
  readonly eventTime: Micros
  readonly lastId: string | undefined
  readonly covered: readonly Gap[]
}

function startOf({newest, open}: State): Start | null {
  const [oldest, ...covered] = [...open.values()].sort((a, b) => a.from - b.from)
  if (oldest) return {eventTime: oldest.from, lastId: oldest.fromId, covered}
  return newest ? {eventTime: newest.eventTime, lastId: newest.tradeId, covered} : null
}

function recent(trades: State['trades'], eventTime: Micros): State['trades'] {
  return trades.filter(([, time]) => time >= eventTime - DISORDER_US)
}
