import type {offsetFetchV9} from '@platformatic/kafka'
import type {TopicPartition} from '../../core/ports/bus.ts'
import {partitionKey} from '../assign.ts'
import {byTopic} from '../kafka/by-topic.ts'
import type {KafkaClient} from '../kafka/client.ts'
import {answerOf} from '../kafka/protocol-name.ts'

const NO_OFFSET = -1
const NO_EPOCH = -1
/** An offset that an open transaction is about to commit is not told: whoever went on from the one before would read again what becomes final. */
const STABLE = true

/** What the group committed, null where it never did, by {@link partitionKey}; a partition for which it cannot be told just now is left out. */
export async function committedOffsets(
  client: KafkaClient,
  group: string,
  partitions: readonly TopicPartition[],
): Promise<Map<string, number | null>> {
  if (partitions.length === 0) return new Map()
  const topics = byTopic(partitions, ({partition}) => partition).map(({name, partitions: partitionIndexes}) => ({name, partitionIndexes}))
  const args = [[{groupId: group, memberId: null, memberEpoch: NO_EPOCH, topics}], STABLE]
  const {groups} = await ask(client, group, args)
  const found = new Map<string, number | null>()
  for (const {name, partitions: all} of groups.flatMap((answer) => answer.topics)) {
    for (const {partitionIndex: partition, committedOffset, errorCode} of all) {
      const offset = Number(committedOffset)
      if (errorCode === 0) found.set(partitionKey({topic: name, partition}), offset === NO_OFFSET ? null : offset)
    }
  }
  return found
}

async function ask(client: KafkaClient, group: string, args: readonly unknown[]): Promise<offsetFetchV9.OffsetFetchResponse> {
  try {
    return await client.call({group}, 'OffsetFetch', args, {what: `look up the offsets of group '${group}'`})
  } catch (error) {
    const answer = answerOf<offsetFetchV9.OffsetFetchResponse>(error)
    // Errors of single partitions are an answer.
    if (answer?.groups?.every(({errorCode}) => errorCode === 0)) return answer
    throw error
  }
}
