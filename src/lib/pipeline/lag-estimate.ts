import type {GroupLag} from '../core/ports/bus.ts'

export interface LagReading {
  /** Records between the end of the log and what the group committed. */
  readonly records: number
  /** Estimated time until they are worked off; Infinity while they do not become fewer, null before there is an estimate. */
  readonly seconds: number | null
}

/** Rates are averaged over about so long. */
const SMOOTH_MS = 10_000
/** Records that are worked off within this time, at the rate of now, are on their way: a live stream always has some. */
const ON_THE_WAY_S = 1
/** Where most of what is worked off comes off the lag, the end of the lag is worth waiting for. */
const LEVEL_SHARE = 0.5

interface Sample {
  readonly atMs: number
  readonly partitions: number
  readonly lag: number
  /** Sum of the offsets up to which the group has committed. */
  readonly done: number
}

/** Estimates from successive looks at a group's lag when it will have caught up. */
export class LagEstimate {
  #last: Sample | null = null
  /** Records a second: those that the group works off, and by how many its lag falls. */
  #doneRate: number | null = null
  #drainRate = 0
  #isLevel = false
  #reading: LagReading | null = null
  #caughtUp = false

  /** Takes a look at all partitions of the group. One without any says nothing: nobody has joined yet. */
  add(partitions: readonly GroupLag[], atMs: number): void {
    if (partitions.length === 0) return
    const sample = {atMs, partitions: partitions.length, lag: sum(partitions, ({lag}) => lag), done: sum(partitions, doneOf)}
    const before = this.#last
    this.#last = sample
    // Those that come or go would look like records.
    if (before !== null && before.partitions === sample.partitions && atMs > before.atMs) this.#learn(before, sample)
    const seconds = this.#secondsFor(sample.lag)
    this.#caughtUp = sample.lag === 0 || (this.#isLevel && seconds !== null && seconds <= ON_THE_WAY_S)
    this.#reading = {records: sample.lag, seconds}
  }

  get reading(): LagReading | null {
    return this.#reading
  }

  /** Whether nothing is left, or no more than what is always on its way in a live stream. */
  get caughtUp(): boolean {
    return this.#caughtUp
  }

  /** Records that the group has worked off, up to an unknown constant. */
  get done(): number {
    return this.#last?.done ?? 0
  }

  #learn(before: Sample, now: Sample): void {
    const seconds = (now.atMs - before.atMs) / 1000
    const done = Math.max(0, now.done - before.done) / seconds
    const drained = (before.lag - now.lag) / seconds
    this.#isLevel = done > 0 && drained <= done * LEVEL_SHARE
    const weight = this.#doneRate === null ? 1 : 1 - Math.exp((before.atMs - now.atMs) / SMOOTH_MS)
    this.#doneRate = (this.#doneRate ?? 0) * (1 - weight) + done * weight
    this.#drainRate = this.#drainRate * (1 - weight) + drained * weight
  }

  #secondsFor(lag: number): number | null {
    if (lag === 0) return 0
    if (this.#doneRate === null) return null
    const alone = lag / this.#doneRate
    if (alone <= ON_THE_WAY_S) return alone
    return this.#drainRate > 0 ? lag / this.#drainRate : Number.POSITIVE_INFINITY
  }
}

function sum(partitions: readonly GroupLag[], value: (partition: GroupLag) => number): number {
  return partitions.reduce((total, partition) => total + value(partition), 0)
}

function doneOf({latest, lag}: GroupLag): number {
  return latest - lag
}
