import {UnknownTopicError} from '../core/errors.ts'
import type {BusAdmin, PartitionReplication, TopicDescription} from '../core/ports/bus.ts'
import {mapLimited} from './map-limited.ts'

/** Each description takes a few requests of its own. */
const DESCRIBED_AT_ONCE = 8

/** One line of `topics list`. */
export interface TopicSummary {
  readonly topic: string
  readonly partitions: number
  readonly replicas: number
  /** Between the first and the last offset; on Kafka also what compaction removed and the marks of transactions. */
  readonly records: number
  /** Milliseconds; null keeps for ever. */
  readonly retentionMs: number | null
  /** All partitions together; null is unlimited. */
  readonly retentionBytes: number | null
  /** Partitions of which a copy is not in sync. */
  readonly underReplicated: number
}

/** What `topics describe` answers: the content of `kafka-topics --describe`, and the offsets. */
export interface TopicView extends Omit<TopicSummary, 'partitions'> {
  /** By Kafka's names; only what differs from the default of the nodes. */
  readonly settings: Readonly<Record<string, string>>
  readonly partitions: readonly PartitionView[]
}

/** Node ids are empty on the embedded log, which has one copy of everything. */
export interface PartitionView {
  readonly partition: number
  readonly earliest: number
  readonly latest: number
  readonly leader: number | null
  /** The first one is the preferred leader. */
  readonly replicas: readonly number[]
  readonly isr: readonly number[]
  readonly underReplicated: boolean
}

/** All topics, by name. One that is deleted meanwhile is left out. */
export async function listTopics(admin: BusAdmin): Promise<readonly TopicSummary[]> {
  const views = await mapLimited(await admin.listTopics(), DESCRIBED_AT_ONCE, (topic) => describedIfThere(admin, topic))
  return views
    .filter((view) => view !== null)
    .map(({settings: _, partitions, ...summary}) => ({...summary, partitions: partitions.length}))
    .sort((a, b) => (a.topic < b.topic ? -1 : 1))
}

/** Rejects with UnknownTopicError. */
export async function describeTopic(admin: BusAdmin, topic: string): Promise<TopicView> {
  return viewTopic(await admin.describeTopic(topic))
}

async function describedIfThere(admin: BusAdmin, topic: string): Promise<TopicView | null> {
  try {
    return await describeTopic(admin, topic)
  } catch (error) {
    if (error instanceof UnknownTopicError) return null
    throw error
  }
}

export function viewTopic({name, offsets, replication, replicas, retentionMs, retentionBytes, settings}: TopicDescription): TopicView {
  const copies = new Map(replication.map((entry) => [entry.partition, entry]))
  const partitions = offsets.map(({partition, earliest, latest}) => {
    const {leader = null, replicas = [], isr = []}: Partial<PartitionReplication> = copies.get(partition) ?? {}
    return {partition, earliest, latest, leader, replicas, isr, underReplicated: isr.length < replicas.length}
  })
  return {
    topic: name,
    replicas,
    records: offsets.reduce((sum, {earliest, latest}) => sum + latest - earliest, 0),
    retentionMs,
    retentionBytes,
    underReplicated: partitions.filter(({underReplicated}) => underReplicated).length,
    settings: Object.fromEntries(Object.entries(settings).sort(([a], [b]) => (a < b ? -1 : 1))),
    partitions,
  }
}
