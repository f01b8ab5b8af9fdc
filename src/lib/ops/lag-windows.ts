import {type GroupStatus, judgeGroup, judgePartition, type PartitionStatus, type PartitionWindow, WINDOW_SIZE} from './burrow.ts'
import {counted} from './format.ts'
import {type LagRow, totalLag} from './groups.ts'

export interface PartitionVerdict extends LagRow {
  /** OK until it is judged. */
  readonly status: PartitionStatus
  /** Share of its window that has been seen, 0 to 1: at 1 it is judged. */
  readonly complete: number
}

/** How one group is doing. */
export interface GroupVerdict {
  readonly group: string
  readonly status: GroupStatus
  /** Share of the window that has been seen, 0 to 1. Until it is 1 nothing is judged and the status is OK. */
  readonly complete: number
  readonly lag: number
  readonly partitions: readonly PartitionVerdict[]
}

/**
 * The windows of Burrow's rules, filled by looking at groups again and again. A bus tells where a group has committed, not when. So a look counts as a
 * commit where the committed offset differs from that of the look before, or a member holds the partition and could commit; a partition that nobody
 * holds and nothing moves has had no commit.
 */
export class LagWindows {
  #windows = new Map<string, PartitionWindow>()

  /** Takes in what is seen at `nowMs` (a clock that never steps back) and judges it. Partitions that are not among the rows are forgotten. */
  observe(rows: readonly LagRow[], nowMs: number): readonly GroupVerdict[] {
    const windows = new Map(rows.map((row) => [keyOf(row), this.#extended(row, nowMs)]))
    this.#windows = windows
    const byGroup = Map.groupBy(rows, ({group}) => group)
    return [...byGroup].map(([group, rows]) => judge(group, rows, windows, nowMs))
  }

  #extended(row: LagRow, nowMs: number): PartitionWindow {
    const {commits, ends} = this.#windows.get(keyOf(row)) ?? {commits: [], ends: []}
    const {committed, latest, lag, memberId} = row
    const isCommit = committed !== null && (memberId !== null || commits.at(-1)?.offset !== committed)
    const seen = isCommit ? [...commits, {offset: committed, lag, atMs: nowMs}] : commits
    return {commits: seen.slice(-WINDOW_SIZE), ends: [...ends, latest].slice(-WINDOW_SIZE), lag}
  }
}

/** For people, for example `sink.store: ERR, 120 records behind`. */
export function verdictLine({group, status, complete, lag}: GroupVerdict): string {
  const judged = complete < 1 ? `not judged yet (look ${Math.round(complete * WINDOW_SIZE)} of ${WINDOW_SIZE})` : status
  return `${group}: ${judged}, ${counted(lag, 'record')} behind`
}

function judge(group: string, rows: readonly LagRow[], windows: ReadonlyMap<string, PartitionWindow>, nowMs: number): GroupVerdict {
  const partitions = rows.map((row) => {
    const window = windows.get(keyOf(row))
    return {...row, status: statusOf(window, nowMs), complete: (window?.ends.length ?? 0) / WINDOW_SIZE}
  })
  return {
    group,
    status: judgeGroup(partitions.map(({status}) => status)),
    complete: Math.min(...partitions.map(({complete}) => complete)),
    lag: totalLag(rows),
    partitions,
  }
}

function statusOf(window: PartitionWindow | undefined, nowMs: number): PartitionStatus {
  return window === undefined || window.ends.length < WINDOW_SIZE ? 'OK' : judgePartition(window, nowMs)
}

function keyOf({group, topic, partition}: LagRow): string {
  return JSON.stringify([group, topic, partition])
}
