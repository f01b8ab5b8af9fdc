import type {offsetFetchV9} from '@platformatic/kafka'
import {FencedError, InvalidInputError} from '../../../core/errors.ts'
import type {GroupLag, PartitionOffsets, Position} from '../../../core/ports/bus.ts'
import {partitionKey} from '../../assign.ts'
import {groupActive} from '../../errors.ts'
import {commitsByTopic} from '../by-topic.ts'
import {protocolName} from '../protocol-name.ts'
import {describeGroup} from './groups.ts'
import {offsetsOnce, requirePartitions} from './offsets.ts'
import type {Requests} from './requests.ts'

/** What commits without being a member, as for a group that nobody is in. */
const NO_MEMBER = ''
const NO_GENERATION = -1
const NO_EPOCH = -1

/**
 * Of all partitions that the group committed or that its members hold. `latest` and `lag` are what kafka-consumer-groups prints: up to the end of the log,
 * whatever is aborted or gone by then. Partitions without a leader, or of topics that are gone, are left out.
 */
export async function lag(requests: Requests, group: string): Promise<GroupLag[]> {
  const [committed, {members}] = await Promise.all([committedOffsets(requests, group), describeGroup(requests, group)])
  const held = members.flatMap(({partitions}) => partitions)
  const topics = new Set([...committed, ...held].map(({topic}) => topic))
  if (topics.size === 0) return []
  const commits = new Map(committed.map((position) => [partitionKey(position), position.offset]))
  const counted = new Set([...committed, ...held].map(partitionKey))
  const offsets = await existingOffsets(requests, topics)
  return offsets
    .filter((partition) => counted.has(partitionKey(partition)))
    .map((partition) => lagOf(partition, commits.get(partitionKey(partition)) ?? null))
}

/** A group that there is not may be reset too: its first member then starts there. */
export async function resetGroup(requests: Requests, group: string, positions: readonly Position[]): Promise<void> {
  const wrong = positions.find(({offset}) => !Number.isSafeInteger(offset) || offset < 0)
  if (wrong !== undefined) {
    throw new InvalidInputError(`group '${group}' cannot start at offset ${wrong.offset} of topic '${wrong.topic}'`, {
      remedy: ['give a whole number from 0'],
    })
  }
  const {topics} = await requests.cluster([...new Set(positions.map(({topic}) => topic))])
  requirePartitions(topics, positions)
  await requireEmpty(requests, group)
  try {
    const what = `reset group '${group}'`
    await requests.call({group}, 'OffsetCommit', [group, NO_GENERATION, NO_MEMBER, null, commitsByTopic(positions)], {what})
  } catch (error) {
    // A member came in between.
    if (error instanceof FencedError) throw groupActive(group, 1)
    throw error
  }
}

/** Does nothing where there is no such group. */
export async function deleteGroup(requests: Requests, group: string): Promise<void> {
  await requireEmpty(requests, group)
  try {
    await requests.call({group}, 'DeleteGroups', [[group]], {what: `delete group '${group}'`})
  } catch (error) {
    if (protocolName(error) === 'GROUP_ID_NOT_FOUND') return
    throw error
  }
}

async function requireEmpty(requests: Requests, group: string): Promise<void> {
  const {members} = await describeGroup(requests, group)
  if (members.length > 0) throw groupActive(group, members.length)
}

async function committedOffsets(requests: Requests, group: string): Promise<Position[]> {
  const all = [{groupId: group, memberId: null, memberEpoch: NO_EPOCH, topics: null}]
  const what = `look up what group '${group}' committed`
  const answer = await requests.call<offsetFetchV9.OffsetFetchResponse>({group}, 'OffsetFetch', [all, false], {what})
  return answer.groups
    .flatMap(({topics}) => topics)
    .flatMap(({name, partitions}) =>
      partitions.map((of) => ({topic: name, partition: of.partitionIndex, offset: Number(of.committedOffset)})),
    )
    .filter(({offset}) => offset >= 0)
}

/** Of those topics that still exist: a group keeps what it committed to one that is gone for a while. */
async function existingOffsets(requests: Requests, topics: ReadonlySet<string>): Promise<PartitionOffsets[]> {
  return await requests.retrying(async () => {
    const all = await requests.clusterOnce(null)
    return await offsetsOnce(
      requests,
      all.topics.filter(({name}) => topics.has(name)),
    )
  })
}

function lagOf({topic, partition, earliest, latest}: PartitionOffsets, committed: number | null): GroupLag {
  return {topic, partition, committed, latest, lag: Math.max(0, latest - (committed ?? earliest))}
}
