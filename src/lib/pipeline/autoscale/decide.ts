/**
 * How many workers a sink should have, as a pure function of what is seen of its group. Nothing here knows of processes or clocks.
 *
 * Up: for the whole of the stabilisation window the lag would not have been gone within the target. Down, one at a time: lag was next to nothing for the
 * whole cool-down, and the remaining workers are known to carry what arrives with room to spare. Between two changes lies at least one window, and rates
 * are measured since the last change only, so that a change is judged by what it did. What cannot be seen changes nothing.
 */

import {type Backlog, ratesBetween, totalLag} from './backlog.ts'
import {type Capacities, capacityOf} from './capacity.ts'

export interface ScaleLimits {
  readonly min: number
  readonly max: number
  /** A lag that will be gone within this needs no more workers. */
  readonly targetLagMs: number
  /** How long lag must be too high before there are more workers; least time between two changes. */
  readonly stabilizeMs: number
  /** How long lag must be next to nothing before there is a worker less. */
  readonly coolDownMs: number
}

/** Why there are as many workers as there are. */
export type Reason =
  /** The group could not be looked at, or has no members yet. */
  | 'lag unknown'
  /** The last change, or a worker that came or went, is too recent to be judged. */
  | 'settling'
  | 'lag within the target'
  | 'lag above the target'
  /** Behind, but nothing at all is being written: more workers would wait too. */
  | 'nothing is written'
  /** Behind, but the last step up brought nothing: what limits is not the number of workers. */
  | 'more workers did not help'
  | 'as many workers as allowed'
  | 'caught up, cooling down'
  | 'caught up, and all workers are needed'
  | 'caught up for the cool-down'
  /** More workers than partitions: some have nothing to do. */
  | 'more workers than partitions'

export interface Decision {
  /** How many there should be. */
  readonly workers: number
  readonly reason: Reason
  readonly figures: Figures | null
}

/** What was seen. */
export interface Figures {
  readonly lag: number
  readonly partitions: number
  readonly arrivedPerSecond: number
  readonly consumedPerSecond: number
  /** Time until the lag is gone at these rates; null where it does not get smaller. */
  readonly zeroInMs: number | null
}

export interface ScalerState {
  readonly workers: number
  readonly changedAtMs: number
  /** Looks since the last change, thinned out, the last `stabilizeMs` of them. */
  readonly looks: readonly Backlog[]
  /** Since when every look found that; null where the last one did not. */
  readonly since: {readonly [what in Finding]: number | null}
  /** Highest rate of arrival of late: what fewer workers would have to carry. */
  readonly peak: {readonly perSecond: number; readonly atMs: number}
  readonly capacities: Capacities
  /** What was consumed before the last step up. */
  readonly before: number | null
}

/** Work is waiting; so much that it is not gone within the target; next to none is waiting. */
type Finding = 'busy' | 'behind' | 'caughtUp'

/** Share of their capacity that the remaining workers may be given. */
const HEADROOM = 0.8
/** A step up that brings less than this brought nothing. */
const WORTH_IT = 1.05
/** After as many windows a step up that brought nothing is tried again. */
const TRY_AGAIN_WINDOWS = 10
/** A lag of so few records is none, whatever the rates. */
const FEW_RECORDS = 100
/** Share of the target within which a steady flow counts as caught up: batches are always under way. */
const CAUGHT_UP_SHARE = 0.1
/** Looks kept of one window. */
const MOST_LOOKS = 60

const NOTHING_FOUND: ScalerState['since'] = {busy: null, behind: null, caughtUp: null}

export function startScaler(workers: number, nowMs: number): ScalerState {
  const peak = {perSecond: 0, atMs: nowMs}
  return {workers, changedAtMs: nowMs, looks: [], since: NOTHING_FOUND, peak, capacities: new Map(), before: null}
}

/** What to do after a look at the group; null where it could not be looked at. */
export function decide(
  state: ScalerState,
  look: Backlog | null,
  limits: ScaleLimits,
): {readonly state: ScalerState; readonly decision: Decision} {
  if (look === null) {
    const decision: Decision = {workers: state.workers, reason: 'lag unknown', figures: null}
    return {state: {...state, looks: [], since: NOTHING_FOUND}, decision}
  }
  const seen = observe(state, look, limits)
  const {workers, reason} = choose(seen, limits)
  const decision = {workers, reason, figures: seen.figures}
  return {state: workers === state.workers ? seen.state : changed(seen, workers), decision}
}

interface Seen {
  readonly state: ScalerState
  readonly nowMs: number
  readonly figures: Figures
  /** Whether the looks since the last change fill a window. */
  readonly settled: boolean
}

function observe(state: ScalerState, look: Backlog, limits: ScaleLimits): Seen {
  const nowMs = look.atMs
  // Who comes or goes takes partitions along: what was measured before is of another group.
  const isSameGroup = state.looks.at(-1)?.members === look.members
  const looks = isSameGroup ? withinWindow([...state.looks, look], limits.stabilizeMs) : [look]
  const first = looks[0] as Backlog
  const figures = figuresOf(first, look)
  const settled = nowMs - first.atMs >= limits.stabilizeMs
  const found = isSameGroup ? find(figures, limits) : {busy: false, behind: false, caughtUp: false}
  const sinceOf = (what: Finding) => (found[what] ? (state.since[what] ?? nowMs) : null)
  const since = {busy: sinceOf('busy'), behind: sinceOf('behind'), caughtUp: sinceOf('caughtUp')}
  const isPeak = settled && (figures.arrivedPerSecond >= state.peak.perSecond || nowMs - state.peak.atMs > limits.coolDownMs)
  const isMeasure = settled && since.busy !== null && nowMs - since.busy >= limits.stabilizeMs && figures.consumedPerSecond > 0
  const next: ScalerState = {
    ...state,
    looks: thinned(looks, limits.stabilizeMs),
    since,
    peak: isPeak ? {perSecond: figures.arrivedPerSecond, atMs: nowMs} : state.peak,
    capacities: isMeasure
      ? new Map([...state.capacities, [state.workers, {perSecond: figures.consumedPerSecond, atMs: nowMs}]])
      : state.capacities,
  }
  return {state: next, nowMs, figures, settled}
}

function figuresOf(first: Backlog, look: Backlog): Figures {
  const rates = ratesBetween(first, look)
  const lag = totalLag(look)
  const gainPerSecond = rates.consumedPerSecond - rates.arrivedPerSecond
  const zeroInMs = lag === 0 ? 0 : gainPerSecond > 0 ? (lag / gainPerSecond) * 1000 : null
  return {lag, partitions: look.partitions.length, ...rates, zeroInMs}
}

function find({lag, arrivedPerSecond, zeroInMs}: Figures, {targetLagMs}: ScaleLimits): Record<Finding, boolean> {
  const busy = lag > Math.max(FEW_RECORDS, (arrivedPerSecond * targetLagMs * CAUGHT_UP_SHARE) / 1000)
  return {busy, behind: busy && (zeroInMs === null || zeroInMs > targetLagMs), caughtUp: !busy}
}

function choose(seen: Seen, limits: ScaleLimits): {workers: number; reason: Reason} {
  const {state, nowMs, figures, settled} = seen
  const {workers, since} = state
  const most = Math.max(1, Math.min(limits.max, figures.partitions))
  if (!settled || nowMs - state.changedAtMs < limits.stabilizeMs) return {workers, reason: 'settling'}
  if (workers > most) return {workers: most, reason: 'more workers than partitions'}
  if (since.behind !== null) {
    if (nowMs - since.behind < limits.stabilizeMs) return {workers, reason: 'settling'}
    return more(seen, most, limits)
  }
  if (since.caughtUp === null) return {workers, reason: 'lag within the target'}
  return fewer(seen, Math.min(limits.min, most), since.caughtUp, limits)
}

function more({state, nowMs, figures}: Seen, most: number, limits: ScaleLimits): {workers: number; reason: Reason} {
  const {workers, before, changedAtMs} = state
  const {lag, arrivedPerSecond, consumedPerSecond} = figures
  if (workers >= most) return {workers, reason: 'as many workers as allowed'}
  if (consumedPerSecond === 0) return {workers, reason: 'nothing is written'}
  const isWorthIt = before === null || consumedPerSecond > before * WORTH_IT
  if (!isWorthIt && nowMs - changedAtMs < TRY_AGAIN_WINDOWS * limits.stabilizeMs) return {workers, reason: 'more workers did not help'}
  const neededPerSecond = arrivedPerSecond + lag / (limits.targetLagMs / 1000)
  const needed = Math.ceil(neededPerSecond / (consumedPerSecond / workers))
  // What one worker gets done is a guess for many: never more than twice as many at once.
  return {workers: Math.min(Math.max(needed, workers + 1), 2 * workers, most), reason: 'lag above the target'}
}

function fewer({state, nowMs}: Seen, least: number, caughtUpSinceMs: number, limits: ScaleLimits): {workers: number; reason: Reason} {
  const {workers, peak, capacities} = state
  if (workers <= least) return {workers, reason: 'lag within the target'}
  if (nowMs - caughtUpSinceMs < limits.coolDownMs) return {workers, reason: 'caught up, cooling down'}
  const capacity = capacityOf(workers - 1, capacities, nowMs)
  if (capacity !== null && peak.perSecond > capacity * HEADROOM) return {workers, reason: 'caught up, and all workers are needed'}
  return {workers: workers - 1, reason: 'caught up for the cool-down'}
}

function changed({state, nowMs, figures}: Seen, workers: number): ScalerState {
  const before = workers > state.workers ? figures.consumedPerSecond : null
  return {...state, workers, changedAtMs: nowMs, looks: [], since: NOTHING_FOUND, before}
}

/** The looks of the last `windowMs`, and one before them, so that they cover it. */
function withinWindow(looks: readonly Backlog[], windowMs: number): readonly Backlog[] {
  const fromMs = (looks.at(-1)?.atMs ?? 0) - windowMs
  const start = looks.findLastIndex(({atMs}) => atMs <= fromMs)
  return looks.slice(Math.max(0, start))
}

/** Without the look before the last where that is too close to its own predecessor: only differences over the window matter. */
function thinned(looks: readonly Backlog[], windowMs: number): readonly Backlog[] {
  const [third, second] = [looks.at(-3), looks.at(-2)]
  if (third === undefined || second === undefined || second.atMs - third.atMs >= windowMs / MOST_LOOKS) return looks
  return looks.toSpliced(-2, 1)
}
