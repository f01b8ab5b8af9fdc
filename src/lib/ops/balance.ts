import type {Context} from '../core/context.ts'
import type {BusAdmin, LeaderElection, PartitionReplication, TopicPartition} from '../core/ports/bus.ts'
import {mapLimited} from './map-limited.ts'

/** Nodes hear of new leaders a moment after the election. */
const SETTLE_MS = 5_000
const POLL_MS = 100
const DESCRIBED_AT_ONCE = 8

/** How many partitions a node leads, and how many it should. */
export interface NodeBalance {
  readonly node: number
  readonly leaders: number
  /** Partitions that name the node first among their replicas. */
  readonly preferred: number
  /** Share of these that it does lead, 0 to 1; null where there are none. */
  readonly preferredShare: number | null
}

export interface ElectionOutcome {
  /** One for each partition that another than its preferred leader led. */
  readonly elections: readonly LeaderElection[]
  readonly before: readonly NodeBalance[]
  readonly after: readonly NodeBalance[]
}

/** Elections that failed alike. */
export interface ElectionFailure {
  /** The name of the error, with what was said where it is the same for all of them. */
  readonly error: string
  readonly partitions: readonly TopicPartition[]
}

/** Gives the partitions of the topics back to their preferred leaders, and says how they were spread before and after. */
export async function electLeaders(admin: BusAdmin, topics: readonly string[], context: Context): Promise<ElectionOutcome> {
  const before = await replicationOf(admin, topics)
  const elections = await admin.electLeaders(topics)
  const after = await settled(admin, topics, elections, context)
  return {elections, before: leaderBalance(before), after: leaderBalance(after)}
}

/** By the name of the error: what is said with it can name the partition. */
export function electionFailures(elections: readonly LeaderElection[]): readonly ElectionFailure[] {
  const failed = elections.flatMap(({topic, partition, error}) => (error === null ? [] : [{topic, partition, error}]))
  return [...Map.groupBy(failed, ({error}) => error.replace(/:.*/s, ''))].map(([name, alike]) => ({
    error: alike.every(({error}) => error === alike[0]?.error) ? (alike[0]?.error ?? name) : name,
    partitions: alike.map(({topic, partition}) => ({topic, partition})),
  }))
}

/** Per node, by id. */
export function leaderBalance(partitions: readonly PartitionReplication[]): readonly NodeBalance[] {
  const nodes = [...new Set(partitions.flatMap(({leader, replicas}) => [...replicas, ...(leader === null ? [] : [leader])]))]
  return nodes
    .sort((a, b) => a - b)
    .map((node) => {
      const preferred = partitions.filter(({replicas}) => replicas[0] === node)
      const led = preferred.filter(({leader}) => leader === node).length
      return {
        node,
        leaders: partitions.filter(({leader}) => leader === node).length,
        preferred: preferred.length,
        preferredShare: preferred.length === 0 ? null : led / preferred.length,
      }
    })
}

/** Waits, for a while, until the elections are seen. */
async function settled(
  admin: BusAdmin,
  topics: readonly string[],
  elections: readonly LeaderElection[],
  {clock, signal}: Context,
): Promise<readonly PartitionReplication[]> {
  const deadline = clock.monotonicMs() + SETTLE_MS
  const elected = new Set(elections.filter(({error}) => error === null).map(({topic, partition}) => `${topic}/${partition}`))
  for (;;) {
    const replication = await replicationOf(admin, topics)
    const late = replication.some((entry) => elected.has(`${entry.topic}/${entry.partition}`) && entry.leader !== entry.replicas[0])
    if (!late || clock.monotonicMs() > deadline) return replication
    await clock.sleep(POLL_MS, signal)
  }
}

async function replicationOf(admin: BusAdmin, topics: readonly string[]): Promise<PartitionReplication[]> {
  const descriptions = await mapLimited(topics, DESCRIBED_AT_ONCE, (topic) => admin.describeTopic(topic))
  return descriptions.flatMap(({replication}) => replication)
}
