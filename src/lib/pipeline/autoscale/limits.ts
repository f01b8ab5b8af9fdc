import type {Config} from '../../config/load.ts'
import {formatDuration} from '../../core/duration.ts'
import {InvalidInputError} from '../../core/errors.ts'
import {defaultTopicConfig} from '../../core/topics.ts'
import type {ScaleLimits} from './decide.ts'

/** As the flags of the command say it. */
export interface LimitFlags {
  readonly min: number
  /** Default: as many as the topics have partitions, within what one machine carries. */
  readonly max?: number | undefined
  readonly 'target-lag': number
  readonly stabilize: number
  readonly 'cool-down': number
  readonly interval: number
}

/** The limits that the flags set; `mostByDefault` is what the machine carries. Throws InvalidInputError where they contradict one another. */
export function limitsOf(
  flags: LimitFlags,
  {topics}: Pick<Config, 'topics'>,
  reads: readonly string[],
  mostByDefault: number,
): ScaleLimits {
  const partitions = reads.reduce((sum, topic) => sum + (topics[topic] ?? defaultTopicConfig(topic)).partitions, 0)
  const {min, interval, 'target-lag': targetLagMs, stabilize: stabilizeMs, 'cool-down': coolDownMs} = flags
  const max = flags.max ?? Math.max(min, Math.min(partitions, mostByDefault))
  const limits = {min, max, targetLagMs, stabilizeMs, coolDownMs}
  checkLimits(limits, interval)
  return limits
}

const SHORTEST_LOOK_MS = 100

function checkLimits({min, max, targetLagMs, stabilizeMs, coolDownMs}: ScaleLimits, intervalMs: number): void {
  if (min > max) throw refused(`--min ${min} is more than --max ${max}`, `--max ${min} or more`)
  if (targetLagMs <= 0) throw refused('--target-lag is 0: lag is never gone at once', '--target-lag 30s')
  if (intervalMs < SHORTEST_LOOK_MS) throw refused(`--interval ${formatDuration(intervalMs)} is too short`, '--interval 100ms or more')
  for (const [flag, ms] of Object.entries({stabilize: stabilizeMs, 'cool-down': coolDownMs})) {
    if (ms >= 2 * intervalMs) continue
    throw refused(
      `--${flag} ${formatDuration(ms)} is too short for --interval ${formatDuration(intervalMs)}: nothing can be measured in it`,
      `--${flag} ${formatDuration(2 * intervalMs)} or more`,
    )
  }
}

function refused(message: string, instead: string): InvalidInputError {
  return new InvalidInputError(message, {remedy: [`write ${instead}`]})
}
