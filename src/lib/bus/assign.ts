import type {TopicPartition} from '../core/ports/bus.ts'

/** A member as assignment sees it. */
export interface Candidate {
  readonly id: string
  readonly topics: readonly string[]
}

/** One text per partition; `/` cannot be part of a topic name. */
export function partitionKey(partition: TopicPartition): string {
  return `${partition.topic}/${partition.partition}`
}

/**
 * Who should hold which partition: everyone keeps what he has, as long as no member that could take a partition over has two fewer. Pure, and the
 * same for any order of members. The result names partitions by {@link partitionKey}; one that nobody subscribed to is left out.
 */
export function assignPartitions(
  members: readonly Candidate[],
  partitions: readonly TopicPartition[],
  current: ReadonlyMap<string, string>,
): Map<string, string> {
  const sorted = [...members].sort((a, b) => (a.id < b.id ? -1 : 1))
  const shares = new Map(sorted.map((member) => [member.id, [] as TopicPartition[]]))
  const unowned: TopicPartition[] = []
  for (const partition of partitions) {
    const holder = sorted.find((member) => member.id === current.get(partitionKey(partition)))
    if (holder?.topics.includes(partition.topic)) shares.get(holder.id)?.push(partition)
    else unowned.push(partition)
  }
  for (const partition of unowned) poorest(shares, takers(sorted, partition))?.push(partition)
  balance(sorted, shares)
  return new Map([...shares].flatMap(([id, share]) => share.map((partition) => [partitionKey(partition), id] as const)))
}

type Shares = Map<string, TopicPartition[]>

function takers(members: readonly Candidate[], partition: TopicPartition): readonly Candidate[] {
  return members.filter((member) => member.topics.includes(partition.topic))
}

function poorest(shares: Shares, members: readonly Candidate[]): TopicPartition[] | undefined {
  let least: TopicPartition[] | undefined
  for (const member of members) {
    const share = shares.get(member.id)
    if (share !== undefined && (least === undefined || share.length < least.length)) least = share
  }
  return least
}

/** Moves one partition at a time from a richer to a poorer member; each move brings the shares closer, so this ends. */
function balance(members: readonly Candidate[], shares: Shares): void {
  while (members.some((rich) => moveOne(rich, members, shares)));
}

function moveOne(rich: Candidate, members: readonly Candidate[], shares: Shares): boolean {
  const share = shares.get(rich.id) ?? []
  for (let at = share.length - 1; at >= 0; at--) {
    const partition = share[at] as TopicPartition
    const target = poorest(shares, takers(members, partition))
    if (target === undefined || share.length - target.length < 2) continue
    share.splice(at, 1)
    target.push(partition)
    return true
  }
  return false
}
