import type {listOffsetsV9} from '@platformatic/kafka'
import type {Isolation, TopicPartition} from '../../core/ports/bus.ts'
import {partitionKey} from '../assign.ts'
import {byTopic} from './by-topic.ts'
import type {KafkaClient} from './client.ts'

/** Instead of a time, in ListOffsets: https://kafka.apache.org/protocol#The_Messages_ListOffsets */
export const LATEST = -1n
export const EARLIEST = -2n

const ANY_REPLICA = -1
const NO_EPOCH = -1
export const ISOLATION_LEVELS: Readonly<Record<Isolation, number>> = {uncommitted: 0, committed: 1}

export interface ListOffsetsQuery {
  readonly partitions: readonly TopicPartition[]
  readonly at: typeof LATEST | typeof EARLIEST
  /** `committed`: the latest is where the first open transaction began. */
  readonly isolation: Isolation
}

/** Offsets by {@link partitionKey}. A partition whose leader is not known or does not answer as such is left out; rejects where a broker is away. */
export async function listOffsets(client: KafkaClient, {partitions, at, isolation}: ListOffsetsQuery): Promise<Map<string, number>> {
  const placed = await Promise.all(partitions.map(async (partition) => ({partition, leader: await client.leader(partition)})))
  const byLeader = Map.groupBy(placed, ({leader}) => leader)
  byLeader.delete(-1)
  const answers = await Promise.all(
    [...byLeader].map(([node, share]) => {
      const ask = byTopic(
        share.map(({partition}) => partition),
        ({partition}) => ({partitionIndex: partition, currentLeaderEpoch: NO_EPOCH, timestamp: at}),
      )
      const args = [ANY_REPLICA, ISOLATION_LEVELS[isolation], ask]
      return client.call<listOffsetsV9.ListOffsetsResponse>({node}, 'ListOffsets', args, {what: 'look up offsets', partial: true})
    }),
  )
  const found = new Map<string, number>()
  for (const {name, partitions: all} of answers.flatMap(({topics}) => topics)) {
    for (const {partitionIndex, errorCode, offset} of all) {
      if (errorCode === 0) found.set(partitionKey({topic: name, partition: partitionIndex}), Number(offset))
    }
  }
  if (found.size < partitions.length) client.forgetLeaders()
  return found
}
