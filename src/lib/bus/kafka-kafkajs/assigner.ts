import kafkajs from 'kafkajs'
import type {TopicPartition} from '../../core/ports/bus.ts'
import {partitionKey} from '../assign.ts'
import type {JoinAnswer} from './wire.ts'

/** Known to every Kafka client, so that a group may have members of other kinds; who is its leader shares as he likes. */
export const PROTOCOL = 'roundrobin'

export interface Subscriber {
  readonly id: string
  readonly topics: readonly string[]
}

export interface Assignment {
  readonly partitions: readonly TopicPartition[]
  /** Where partitions start that nobody in the group has committed, by partition key, as the leader found it. */
  readonly starts: ReadonlyMap<string, number>
}

export function encodeTopics(topics: readonly string[]): Buffer {
  return kafkajs.AssignerProtocol.MemberMetadata.encode({version: 0, topics: [...topics], userData: Buffer.alloc(0)})
}

export function decodeMembers(members: JoinAnswer['members']): readonly Subscriber[] {
  return members.map(({memberId, memberMetadata}) => ({
    id: memberId,
    topics: kafkajs.AssignerProtocol.MemberMetadata.decode(memberMetadata)?.topics ?? [],
  }))
}

export function encodeAssignment({partitions, starts}: Assignment): Buffer {
  const assignment: Record<string, number[]> = {}
  const own: [string, number][] = []
  for (const partition of partitions) {
    assignment[partition.topic] = [...(assignment[partition.topic] ?? []), partition.partition]
    const start = starts.get(partitionKey(partition))
    if (start !== undefined) own.push([partitionKey(partition), start])
  }
  const userData = own.length === 0 ? Buffer.alloc(0) : Buffer.from(JSON.stringify(Object.fromEntries(own)))
  return kafkajs.AssignerProtocol.MemberAssignment.encode({version: 0, assignment, userData})
}

/** Of a leader of another kind there are no starts. */
export function decodeAssignment(bytes: Buffer): Assignment {
  const decoded = kafkajs.AssignerProtocol.MemberAssignment.decode(bytes)
  if (decoded === null) return {partitions: [], starts: new Map()}
  const partitions = Object.entries(decoded.assignment).flatMap(([topic, ids]) => ids.map((partition) => ({topic, partition})))
  const text = decoded.userData?.toString() ?? ''
  const starts = text.startsWith('{') ? (JSON.parse(text) as Record<string, number>) : {}
  return {partitions, starts: new Map(Object.entries(starts))}
}
