import {
  decodeConsumerProtocolAssignment,
  decodeConsumerProtocolSubscription,
  encodeConsumerProtocolAssignment,
  encodeConsumerProtocolSubscription,
} from '@platformatic/kafka'
import type {TopicPartition} from '../../core/ports/bus.ts'
import {assignPartitions, partitionKey} from '../assign.ts'
import {byTopic} from '../kafka/by-topic.ts'

/**
 * Cooperative sharing as Kafka's own `cooperative-sticky`: the name, and what members tell of themselves, are the same, so that its Java clients can be in
 * the same group. A partition that should move is first given to nobody: its owner finishes it, joins again without it, and then it is given away.
 * https://cwiki.apache.org/confluence/x/vAclBg (KIP-429)
 */
export const PROTOCOL_NAME = 'cooperative-sticky'
export const PROTOCOL_TYPE = 'consumer'
const SUBSCRIPTION_VERSION = 2
const ASSIGNMENT_VERSION = 1

export interface Claim {
  readonly topics: readonly string[]
  readonly owned: readonly TopicPartition[]
  /** Generation in which it got them. */
  readonly generation: number
}

export interface GroupMemberClaim extends Claim {
  readonly id: string
  readonly instanceId: string | null
}

/** What a member says of itself when it joins. */
export function encodeClaim({topics, owned, generation}: Claim): Buffer {
  const userData = Buffer.alloc(4)
  userData.writeInt32BE(generation)
  return encodeConsumerProtocolSubscription({
    version: SUBSCRIPTION_VERSION,
    topics: [...topics],
    userData,
    ownedPartitions: partitionsByTopic(owned),
    generationId: generation,
    rackId: null,
  })
}

export function decodeClaim(metadata: Buffer): Claim {
  const {version, topics, userData, ownedPartitions, generationId} = decodeConsumerProtocolSubscription(metadata)
  const bytes = Buffer.from(userData)
  const generation = version >= 2 ? generationId : bytes.length >= 4 ? bytes.readInt32BE() : -1
  return {topics, generation, owned: flatten(ownedPartitions)}
}

/** What a member may hold. */
export interface Share {
  readonly partitions: readonly TopicPartition[]
  /** Topics that the group has read before: a partition without a committed offset is a new one there, and is read from its beginning. */
  readonly knownTopics: readonly string[]
}

export function encodeShare({partitions, knownTopics}: Share): Buffer {
  const assignedPartitions = partitionsByTopic(partitions)
  return encodeConsumerProtocolAssignment({version: ASSIGNMENT_VERSION, assignedPartitions, userData: JSON.stringify({knownTopics})})
}

/** The leader may be another program, whose data is not ours. */
export function decodeShare(assignment: Buffer): Share {
  const {assignedPartitions, userData} = decodeConsumerProtocolAssignment(assignment)
  return {partitions: flatten(assignedPartitions), knownTopics: knownTopicsIn(userData)}
}

function knownTopicsIn(userData: Uint8Array): readonly string[] {
  try {
    const {knownTopics} = JSON.parse(Buffer.from(userData).toString()) as {knownTopics?: unknown}
    return Array.isArray(knownTopics) ? knownTopics.map(String) : []
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof TypeError) return []
    throw error
  }
}

function partitionsByTopic(partitions: readonly TopicPartition[]): {topic: string; partitions: number[]}[] {
  return byTopic(partitions, ({partition}) => partition).map(({name, partitions: of}) => ({topic: name, partitions: of}))
}

function flatten(assignments: readonly {readonly topic: string; readonly partitions: readonly number[]}[]): TopicPartition[] {
  return assignments.flatMap(({topic, partitions}) => partitions.map((partition) => ({topic, partition})))
}

export interface Plan {
  /** By member id, what it may hold from now on. */
  readonly shares: ReadonlyMap<string, readonly TopicPartition[]>
  /** Partitions that nobody owned before. */
  readonly unowned: readonly TopicPartition[]
}

/**
 * Who holds what from now on, `remembered` telling who held what nobody claims, by instance id: a static member that was started again claims nothing, and
 * gets back what it had.
 */
export function planShares(
  members: readonly GroupMemberClaim[],
  partitions: readonly TopicPartition[],
  remembered: ReadonlyMap<string, string>,
): Plan {
  const owners = ownersOf(members)
  const byInstance = new Map(members.map(({id, instanceId}) => [instanceId, id]))
  const current = new Map(owners)
  for (const partition of partitions) {
    const key = partitionKey(partition)
    const before = byInstance.get(remembered.get(key) ?? null)
    if (before !== undefined && remembered.has(key) && !current.has(key)) current.set(key, before)
  }
  const targets = assignPartitions(members, partitions, current)
  const shares = new Map(members.map(({id}) => [id, [] as TopicPartition[]]))
  for (const partition of partitions) {
    const [owner, target] = [owners.get(partitionKey(partition)), targets.get(partitionKey(partition))]
    if (target !== undefined && (owner === undefined || owner === target)) shares.get(target)?.push(partition)
  }
  return {shares, unowned: partitions.filter((partition) => !owners.has(partitionKey(partition)))}
}

/** Who may say that it owns a partition: the latest claim counts; two of the same generation cannot both be true, and neither counts. */
function ownersOf(members: readonly GroupMemberClaim[]): Map<string, string> {
  const latest = new Map<string, {id: string | null; generation: number}>()
  for (const {id, owned, generation} of members) {
    for (const partition of owned) {
      const key = partitionKey(partition)
      const other = latest.get(key)
      if (other === undefined || other.generation < generation) latest.set(key, {id, generation})
      else if (other.generation === generation) other.id = null
    }
  }
  return new Map([...latest].flatMap(([key, {id}]) => (id === null ? [] : [[key, id] as const])))
}
