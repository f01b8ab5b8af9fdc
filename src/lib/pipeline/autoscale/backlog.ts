import type {BusAdmin, GroupLag} from '../../core/ports/bus.ts'

/** How far a group is, seen at one moment. */
export interface Backlog {
  /** Of a clock that never steps back. */
  readonly atMs: number
  /** Those that the group reads. */
  readonly partitions: readonly PartitionBacklog[]
  /** Members of the group, ours and others. */
  readonly members: number
}

export interface PartitionBacklog {
  /** `topic/partition`. */
  readonly key: string
  /** The end of the log. */
  readonly latest: number
  /** Records between what is committed and the end. */
  readonly lag: number
}

/** Records a second. */
export interface Rates {
  readonly arrivedPerSecond: number
  readonly consumedPerSecond: number
}

/**
 * Looks at the group now. Null where it has no members, so that nobody can say what it reads: what it committed once may be of topics that it has left.
 * Rejects as the bus does.
 */
export async function lookAtBacklog(admin: BusAdmin, group: string, nowMs: () => number): Promise<Backlog | null> {
  const [{members}, lags] = await Promise.all([admin.describeGroup(group), admin.lag(group)])
  const topics = new Set(members.flatMap(({partitions}) => partitions.map(({topic}) => topic)))
  const partitions = lags.filter(({topic}) => topics.has(topic)).map(partitionBacklog)
  return partitions.length === 0 ? null : {atMs: nowMs(), partitions, members: members.length}
}

export function totalLag({partitions}: Backlog): number {
  return partitions.reduce((sum, {lag}) => sum + lag, 0)
}

/** Records that the group has behind it; only differences mean something. */
export function totalConsumed({partitions}: Backlog): number {
  return partitions.reduce((sum, {latest, lag}) => sum + latest - lag, 0)
}

/** What happened between two looks, by the partitions that both saw; offsets that went back count as standing still. */
export function ratesBetween(from: Backlog, to: Backlog): Rates {
  const seconds = (to.atMs - from.atMs) / 1000
  const before = new Map(from.partitions.map((partition) => [partition.key, partition]))
  let [arrived, consumed] = [0, 0]
  for (const {key, latest, lag} of to.partitions) {
    const earlier = before.get(key)
    if (earlier === undefined) continue
    arrived += Math.max(0, latest - earlier.latest)
    consumed += Math.max(0, latest - lag - (earlier.latest - earlier.lag))
  }
  return seconds > 0
    ? {arrivedPerSecond: arrived / seconds, consumedPerSecond: consumed / seconds}
    : {arrivedPerSecond: 0, consumedPerSecond: 0}
}

function partitionBacklog({topic, partition, latest, lag}: GroupLag): PartitionBacklog {
  return {key: `${topic}/${partition}`, latest, lag}
}
