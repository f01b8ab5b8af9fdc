import {parseDuration} from '../core/duration.ts'
import {InvalidInputError} from '../core/errors.ts'

/** At `everyMs`, for `lengthMs`, the rate is `factor` times as high. */
export interface Burst {
  readonly factor: number
  readonly everyMs: number
  readonly lengthMs: number
}

/** Most that is made up for after a stall of this process, seconds' worth; the rest is let go. */
const MAX_DEBT_SECONDS = 2

/** Turns a rate into whole events per tick, without drift. */
export class Pacer {
  private readonly perSecond: number
  private readonly burst: Burst | null
  private credit = 0
  private ranMs = 0
  private lastMs: number | null = null

  constructor(perSecond: number, burst: Burst | null = null) {
    this.perSecond = perSecond
    this.burst = burst
  }

  /** How many events are due at this reading of a monotonic clock, `most` at a time. The first call starts the count. */
  due(nowMs: number, most: number): number {
    const passedMs = this.lastMs === null ? 0 : nowMs - this.lastMs
    this.lastMs = nowMs
    this.ranMs += passedMs
    const perSecond = this.perSecond * this.factor()
    this.credit = Math.min(this.credit + (passedMs * perSecond) / 1000, Math.max(1, perSecond * MAX_DEBT_SECONDS))
    const due = Math.min(Math.floor(this.credit), most)
    this.credit -= due
    return due
  }

  /** The time until the next `due` does not count. */
  pause(): void {
    this.lastMs = null
  }

  private factor(): number {
    if (this.burst === null) return 1
    const {factor, everyMs, lengthMs} = this.burst
    return this.ranMs >= everyMs && this.ranMs % everyMs < lengthMs ? factor : 1
  }
}

/** Reads a burst as the command line writes it, `10x@30s:2s`: ten times the rate for 2 s, every 30 s. */
export function parseBurst(text: string): Burst {
  const [, factor, every = '', length = ''] = /^(\d+(?:\.\d+)?)x@([^@:]+):([^@:]+)$/.exec(text) ?? []
  const remedy = ['write it as 10x@30s:2s: ten times the rate for 2 s, every 30 s']
  if (factor === undefined) throw new InvalidInputError(`'${text}' is not a burst`, {remedy})
  const burst = {factor: Number(factor), everyMs: parseDuration(every), lengthMs: parseDuration(length)}
  if (burst.everyMs === 0 || burst.lengthMs > burst.everyMs)
    throw new InvalidInputError(`burst '${text}' is longer than its period`, {remedy})
  return burst
}
