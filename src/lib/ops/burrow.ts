/**
 * How a consumer group is doing, judged by how its commits and its lag move and not by thresholds. The rules are Burrow's:
 * https://github.com/linkedin/Burrow/wiki/Consumer-Lag-Evaluation-Rules, in the order of its evaluator
 * (https://github.com/linkedin/Burrow/blob/master/core/internal/evaluator/caching.go), which looks for a stop first.
 */

/** Commits, and ends of the log, that a judgement looks back on. */
export const WINDOW_SIZE = 10

/** STOP: no more commits. STALL: commits of the same place. REWIND: a commit before the one before. WARN: moving, but not catching up. */
export type PartitionStatus = 'OK' | 'WARN' | 'STOP' | 'STALL' | 'REWIND'

export type GroupStatus = 'OK' | 'WARN' | 'ERR'

export interface Commit {
  readonly offset: number
  /** Records between the commit and the end of the log when it was seen. */
  readonly lag: number
  readonly atMs: number
}

/** What is known of one partition of a group, oldest first. */
export interface PartitionWindow {
  readonly commits: readonly Commit[]
  /** Where the log ended at the last looks. */
  readonly ends: readonly number[]
  /** Now. */
  readonly lag: number
}

/** A pure function of the window. */
export function judgePartition({commits, ends, lag}: PartitionWindow, nowMs: number): PartitionStatus {
  const last = commits.at(-1)
  if (lag === 0 || last === undefined) return 'OK'
  const caughtUpLately = ends.some((end) => end <= last.offset)
  if (hasStopped(commits, nowMs) && !caughtUpLately) return 'STOP'
  if (commits.some((commit) => commit.lag === 0)) return 'OK'
  if (somePair(commits, (earlier, later) => later.offset < earlier.offset)) return 'REWIND'
  if (!somePair(commits, (earlier, later) => later.offset !== earlier.offset)) return 'STALL'
  if (!somePair(commits, (earlier, later) => later.lag < earlier.lag)) return 'WARN'
  return 'OK'
}

/** A group is in error where one partition is stopped, stalled or rewound. */
export function judgeGroup(partitions: readonly PartitionStatus[]): GroupStatus {
  if (partitions.some((status) => status !== 'OK' && status !== 'WARN')) return 'ERR'
  return partitions.includes('WARN') ? 'WARN' : 'OK'
}

/** Silent for longer than all commits of the window took. */
function hasStopped(commits: readonly Commit[], nowMs: number): boolean {
  const [first, last] = [commits[0]?.atMs ?? nowMs, commits.at(-1)?.atMs ?? nowMs]
  return nowMs - last > last - first
}

function somePair(commits: readonly Commit[], test: (earlier: Commit, later: Commit) => boolean): boolean {
  return commits.some((later, at) => {
    const earlier = commits[at - 1]
    return earlier !== undefined && test(earlier, later)
  })
}
