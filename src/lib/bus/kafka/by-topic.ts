import type {Position, TopicPartition} from '../../core/ports/bus.ts'

/** Which leader's log a position is in, for brokers that check it: ours do not say. */
const NO_LEADER_EPOCH = -1
const NO_METADATA = ''

/** As requests name partitions, each with what they want to know of it. */
export function byTopic<P extends TopicPartition, T>(partitions: readonly P[], partition: (of: P) => T): {name: string; partitions: T[]}[] {
  return [...Map.groupBy(partitions, ({topic}) => topic)].map(([name, of]) => ({name, partitions: of.map(partition)}))
}

/** What commits name, those of transactions too. */
export function commitsByTopic(positions: readonly Position[]) {
  return byTopic(positions, ({partition, offset}) => ({
    partitionIndex: partition,
    committedOffset: BigInt(offset),
    committedLeaderEpoch: NO_LEADER_EPOCH,
    committedMetadata: NO_METADATA,
  }))
}
