import type {Clock} from '../core/context.ts'
import type {StatusStream} from './status-stream.ts'

export interface ProgressFields {
  /** Numbers that only rise; shown with their rate: `stored 12,340 (1,998/s)`. */
  readonly totals: Readonly<Record<string, number>>
  /** Anything else, shown as it is: `lag 5`. */
  readonly values?: Readonly<Record<string, number | string>>
}

export interface ProgressOptions {
  /** The stream that the logger writes to as well. */
  readonly stream: StatusStream
  readonly clock: Clock
  /** Called once a second; must be cheap. */
  readonly read: () => ProgressFields
  /** False with `--json` or `--quiet`. Off anyway where the stream is not a terminal. */
  readonly enabled?: boolean
}

export interface Progress {
  /** Takes the line away. A second call does nothing. */
  stop(): void
}

const PERIOD_MS = 1000
const NUMBER = new Intl.NumberFormat('en-US', {maximumFractionDigits: 0})

/** One line with totals and rates at the bottom of the terminal, rewritten once a second until stopped. */
export function createProgress(options: ProgressOptions): Progress {
  const {stream, clock, read} = options
  if (!stream.isTTY || options.enabled === false) return {stop: () => undefined}
  let last = {atMs: clock.monotonicMs(), fields: read()}
  const tick = () => {
    const next = {atMs: clock.monotonicMs(), fields: read()}
    stream.setStatus(formatProgress(next.fields, last.fields, (next.atMs - last.atMs) / 1000))
    last = next
  }
  const timer = setInterval(tick, PERIOD_MS)
  timer.unref()
  return {
    stop() {
      clearInterval(timer)
      stream.setStatus('')
    },
  }
}

/** The line for two readings `seconds` apart. */
export function formatProgress(now: ProgressFields, before: ProgressFields, seconds: number): string {
  const totals = Object.entries(now.totals).map(([name, value]) => {
    const rate = seconds > 0 ? Math.max(0, value - (before.totals[name] ?? 0)) / seconds : 0
    return `${name} ${NUMBER.format(value)} (${NUMBER.format(rate)}/s)`
  })
  const values = Object.entries(now.values ?? {}).map(
    ([name, value]) => `${name} ${typeof value === 'number' ? NUMBER.format(value) : value}`,
  )
  return [...totals, ...values].join(' · ')
}
