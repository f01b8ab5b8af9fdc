import type {Broker, Cluster} from 'kafkajs'

/** The requests of a group, which kafkajs' broker has and its types leave away. */
export interface GroupBroker extends Broker {
  joinGroup(request: {
    readonly groupId: string
    readonly sessionTimeout: number
    readonly rebalanceTimeout: number
    readonly memberId: string
    readonly groupProtocols: readonly {readonly name: string; readonly metadata: Buffer}[]
  }): Promise<JoinAnswer>
  syncGroup(request: {
    readonly groupId: string
    readonly generationId: number
    readonly memberId: string
    readonly groupAssignment: readonly {readonly memberId: string; readonly memberAssignment: Buffer}[]
  }): Promise<{readonly memberAssignment: Buffer}>
  heartbeat(request: {readonly groupId: string; readonly groupGenerationId: number; readonly memberId: string}): Promise<unknown>
  leaveGroup(request: {readonly groupId: string; readonly memberId: string}): Promise<unknown>
}

export interface JoinAnswer {
  readonly generationId: number
  readonly leaderId: string
  readonly memberId: string
  /** Only the leader is told. */
  readonly members: readonly {readonly memberId: string; readonly memberMetadata: Buffer}[]
}

export interface ProduceAnswer {
  readonly topics: readonly {readonly partitions: readonly {readonly baseOffset: string}[]}[]
}

export interface FetchAnswer {
  readonly responses: readonly {readonly topicName: string; readonly partitions: readonly FetchedPartition[]}[]
}

export interface FetchedPartition {
  readonly partition: number
  /** Missing where the isolation does not ask for it. */
  readonly abortedTransactions: readonly AbortedTransaction[] | null
  readonly messages: readonly FetchedMessage[]
}

export interface AbortedTransaction {
  readonly producerId: string
  readonly firstOffset: string
}

export interface FetchedMessage {
  readonly offset: string
  readonly timestamp: string
  readonly key: Buffer | null
  readonly value: Buffer | null
  readonly headers: Readonly<Record<string, Buffer | string | readonly (Buffer | string)[] | null | undefined>>
  /** A mark of a transaction, not a record. */
  readonly isControlRecord: boolean
  readonly batchContext: {
    readonly producerId: string
    readonly inTransaction: boolean
    readonly firstOffset: string
    readonly lastOffsetDelta: number
  }
}

/** kafkajs looks all topics up at once that it was ever asked for, and fails for all of them where one is gone. */
export function forgetTopics(cluster: Cluster): void {
  const {targetTopics} = cluster as Cluster & {readonly targetTopics: Set<string>}
  targetTopics.clear()
}

export async function findCoordinator(cluster: Cluster, groupId: string): Promise<GroupBroker> {
  return (await cluster.findGroupCoordinator({groupId})) as GroupBroker
}
