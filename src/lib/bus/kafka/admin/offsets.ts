import type {listOffsetsV9} from '@platformatic/kafka'
import {UnknownTopicError} from '../../../core/errors.ts'
import type {PartitionOffsets, Position, TopicPartition} from '../../../core/ports/bus.ts'
import {partitionOutOfRange} from '../../errors.ts'
import {byTopic} from '../by-topic.ts'
import {KafkaError, noLeader} from '../errors.ts'
import {EARLIEST, ISOLATION_LEVELS, LATEST} from '../list-offsets.ts'
import type {Requests, TopicView} from './requests.ts'

const ANY_REPLICA = -1
const NO_EPOCH = -1
const NONE_FOUND = -1

/** First and next offset of each partition. Partitions without a leader are left out: nobody can tell. */
export async function partitionOffsets(requests: Requests, topics: readonly string[]): Promise<PartitionOffsets[]> {
  return await atTopics(requests, topics, (views) => offsetsOnce(requests, views))
}

/** Tried once. */
export async function offsetsOnce(requests: Requests, views: readonly TopicView[]): Promise<PartitionOffsets[]> {
  const [earliest, latest] = await Promise.all([offsetsFor(requests, views, EARLIEST), offsetsFor(requests, views, LATEST)])
  return latest.map(({topic, partition, offset}, index) => ({
    topic,
    partition,
    earliest: earliest[index]?.offset ?? offset,
    latest: offset,
  }))
}

/** Per partition the first offset that came in at or after `timestampMs`, else the next one. */
export async function offsetsAt(requests: Requests, topic: string, timestampMs: number): Promise<Position[]> {
  return await atTopics(requests, [topic], async (views) => {
    const timestamp = BigInt(Math.max(0, Math.ceil(timestampMs)))
    const [found, latest] = await Promise.all([offsetsFor(requests, views, timestamp), offsetsFor(requests, views, LATEST)])
    return found.map((position, index) => (position.offset === NONE_FOUND ? (latest[index] ?? position) : position))
  })
}

/** Removes records below the positions, and never more than there are. */
export async function trim(requests: Requests, positions: readonly Position[]): Promise<void> {
  const topics = [...new Set(positions.map(({topic}) => topic))]
  await atTopics(requests, topics, async (views) => {
    requirePartitions(views, positions)
    const latest = await offsetsFor(requests, views, LATEST)
    const clamped = positions.map((position) => ({...position, offset: Math.min(position.offset, offsetOf(requests, latest, position))}))
    await atLeaders(views, clamped, async (leader, at) => {
      const args = [byTopic(at, ({partition, offset}) => ({partitionIndex: partition, offset: BigInt(offset)})), requests.brokerTimeoutMs]
      await requests.client.call({node: leader}, 'DeleteRecords', args, {what: `trim topic '${at[0]?.topic}'`})
    })
  })
}

/** Throws PartitionOutOfRangeError. The topics of the partitions are among `views`. */
export function requirePartitions(views: readonly TopicView[], partitions: readonly TopicPartition[]): void {
  for (const {topic, partition} of partitions) {
    const count = views.find(({name}) => name === topic)?.partitions.length ?? 0
    if (partition < 0 || partition >= count) throw partitionOutOfRange(topic, partition, count)
  }
}

/** Looks up the leaders anew for each try: that they have moved is what most often goes wrong. */
export async function atTopics<T>(
  requests: Requests,
  topics: readonly string[],
  work: (views: readonly TopicView[]) => Promise<T>,
): Promise<T> {
  return await requests.retrying(async () => {
    const {topics: views} = await requests.clusterOnce(topics)
    try {
      return await work(views)
    } catch (error) {
      // It was there a moment ago; when it is gone, the next look says so.
      if (error instanceof UnknownTopicError) throw staleView(topics, error)
      throw error
    }
  })
}

function staleView(topics: readonly string[], cause: unknown): KafkaError {
  const message = `topics '${topics.join("', '")}': their leaders do not know them yet, or no more`
  return new KafkaError('UNKNOWN_TOPIC_OR_PARTITION', message, {
    cause,
    retry: {kind: 'later'},
    remedy: ['look at the brokers: coinpipe nodes --bus kafka'],
  })
}

async function offsetsFor(requests: Requests, views: readonly TopicView[], timestamp: bigint): Promise<Position[]> {
  const all = views.flatMap(({partitions}) => partitions)
  const answers = await atLeaders(views, all, async (leader, at) => {
    const ask = byTopic(at, ({partition}) => ({partitionIndex: partition, currentLeaderEpoch: NO_EPOCH, timestamp}))
    const what = `look up offsets of topic '${at[0]?.topic}'`
    const args = [ANY_REPLICA, ISOLATION_LEVELS.uncommitted, ask]
    return await requests.client.call<listOffsetsV9.ListOffsetsResponse>({node: leader}, 'ListOffsets', args, {what})
  })
  return answers
    .flatMap(({topics}) => topics)
    .flatMap(({name, partitions}) => partitions.map((p) => ({topic: name, partition: p.partitionIndex, offset: Number(p.offset)})))
    .sort(inOrder)
}

function offsetOf(requests: Requests, positions: readonly Position[], {topic, partition}: TopicPartition): number {
  const found = positions.find((position) => position.topic === topic && position.partition === partition)
  if (found === undefined) throw leaderless({topic, partition}, requests)
  return found.offset
}

export function leaderless({topic, partition}: TopicPartition, {client}: Requests): unknown {
  return noLeader(`partition ${partition} of topic '${topic}'`, client.brokers)
}

/** By topic and partition. */
export function inOrder(a: TopicPartition, b: TopicPartition): number {
  return a.topic === b.topic ? a.partition - b.partition : a.topic < b.topic ? -1 : 1
}

/** One call per leader, all at once. Partitions without a leader are passed over. */
async function atLeaders<P extends TopicPartition, T>(
  views: readonly TopicView[],
  partitions: readonly P[],
  call: (leader: number, partitions: readonly P[]) => Promise<T>,
): Promise<T[]> {
  const leaders = new Map(views.map(({name, partitions: all}) => [name, all.map(({leader}) => leader)]))
  const shares = Map.groupBy(partitions, ({topic, partition}) => leaders.get(topic)?.[partition] ?? null)
  shares.delete(null)
  return await Promise.all([...shares].map(([leader, share]) => call(Number(leader), share)))
}
