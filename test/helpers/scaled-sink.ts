import type {Backlog} from '../../src/lib/pipeline/autoscale/backlog.ts'
import {type Decision, decide, type ScaleLimits, type ScalerState, startScaler} from '../../src/lib/pipeline/autoscale/decide.ts'

export interface SinkModel {
  readonly partitions: number
  /** Records a second that come in, spread over all partitions alike, at a time in seconds. */
  readonly arriving: (second: number) => number
  /** Records a second that so many workers get done together. */
  readonly capacity: (workers: number, second: number) => number
  /** From being wanted to having joined, in looks. */
  readonly joinLooks?: number
  readonly startLag?: number
  /** Whether the bus tells nothing then. */
  readonly blind?: (second: number) => boolean
}

export interface Step {
  readonly second: number
  readonly lag: number
  readonly workers: number
  readonly decision: Decision
}

/** Runs the scaler on a model of a sink, one look a second, without any clock. */
export function scaledSink(model: SinkModel, limits: ScaleLimits, seconds: number): Step[] {
  const {partitions, arriving, capacity, joinLooks = 2, startLag = 0, blind = () => false} = model
  let state: ScalerState = startScaler(Math.min(limits.min, partitions), 0)
  let [latest, consumed, wantedAt] = [startLag, 0, 0]
  let members = 0
  const steps: Step[] = []
  for (let second = 0; second < seconds; second += 1) {
    if (second - wantedAt >= joinLooks) members = state.workers
    latest += arriving(second)
    consumed = Math.min(latest, consumed + capacity(Math.min(members, partitions), second))
    const look = members === 0 || blind(second) ? null : lookOf(second, latest, consumed, partitions, members)
    const before = state.workers
    const next = decide(state, look, limits)
    state = next.state
    if (state.workers !== before) wantedAt = second
    steps.push({second, lag: latest - consumed, workers: state.workers, decision: next.decision})
  }
  return steps
}

/** The steps at which the number of workers changed. */
export function changes(steps: readonly Step[]): Step[] {
  return steps.filter(({workers}, at) => at > 0 && workers !== steps[at - 1]?.workers)
}

function lookOf(second: number, latest: number, consumed: number, partitions: number, members: number): Backlog {
  const share = (total: number, partition: number) => Math.floor((total + partition) / partitions)
  return {
    atMs: second * 1000,
    members,
    partitions: Array.from({length: partitions}, (_, partition) => {
      const end = share(latest, partition)
      return {key: `market.trade/${partition}`, latest: end, lag: end - share(consumed, partition)}
    }),
  }
}
