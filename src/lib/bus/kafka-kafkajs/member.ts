import type {Cluster} from 'kafkajs'
import type {Position, SubscribeOptions, TopicPartition} from '../../core/ports/bus.ts'
import {assignPartitions, partitionKey} from '../assign.ts'
import type {KafkaOptions} from '../kafka/options.ts'
import {type Assignment, decodeAssignment, decodeMembers, encodeAssignment, encodeTopics, PROTOCOL, type Subscriber} from './assigner.ts'
import {protocolTypeOf} from './errors.ts'
import {findCoordinator, type GroupBroker, type JoinAnswer} from './wire.ts'

export interface Joined extends Assignment {
  readonly memberId: string
  readonly generation: number
  /** Whether this member was in the generation before this one: then nobody else held in between what it holds in both. */
  readonly continued: boolean
}

/** `rejoin`: the group is shared anew. `out`: the group does not know this member in this generation. */
export type Pulse = 'well' | 'rejoin' | 'out'

type Options = Pick<KafkaOptions, 'sessionTimeoutMs' | 'rebalanceTimeoutMs'>

/** Tries of one join that the group itself makes necessary: a member came or went meanwhile. */
const MAX_JOINS = 20
const COORDINATOR_GONE = new Set(['NOT_COORDINATOR_FOR_GROUP', 'GROUP_COORDINATOR_NOT_AVAILABLE'])

/**
 * A member of a group by Kafka's classic protocol, and its leader where the group makes it that. Errors are kafkajs' own; a request that failed is for
 * the caller to repeat.
 */
export class Member {
  readonly #cluster: Cluster
  readonly #subscription: SubscribeOptions
  readonly #options: Options
  #broker: GroupBroker | null = null
  #memberId = ''
  #generation = -1
  /** Only while this member is the leader: what to watch, what it gave out, and where it let partitions start. */
  #led: {readonly topics: readonly string[]; readonly partitions: readonly TopicPartition[]; readonly shares: Map<string, string>} | null =
    null
  readonly #starts = new Map<string, number>()

  constructor(cluster: Cluster, subscription: SubscribeOptions, options: Options) {
    this.#cluster = cluster
    this.#subscription = subscription
    this.#options = options
  }

  /** Waits until all members have joined. */
  async join(): Promise<Joined> {
    const before = {memberId: this.#memberId, generation: this.#generation}
    for (let tries = 1; ; tries++) {
      try {
        const joined = await this.#joinOnce()
        const continued = joined.memberId === before.memberId && joined.generation === before.generation + 1
        return {...joined, continued}
      } catch (error) {
        const type = protocolTypeOf(error)
        if (type === 'UNKNOWN_MEMBER_ID') this.#forget()
        else if (type !== 'REBALANCE_IN_PROGRESS' && type !== 'ILLEGAL_GENERATION') throw this.#failed(error)
        if (tries === MAX_JOINS) throw error
      }
    }
  }

  async pulse(): Promise<Pulse> {
    try {
      const broker = await this.#coordinator()
      await broker.heartbeat({...this.#identity, groupGenerationId: this.#generation})
    } catch (error) {
      const type = protocolTypeOf(error)
      if (type === 'REBALANCE_IN_PROGRESS') return 'rejoin'
      if (type === 'UNKNOWN_MEMBER_ID') this.#forget()
      if (type === 'UNKNOWN_MEMBER_ID' || type === 'ILLEGAL_GENERATION') return 'out'
      throw this.#failed(error)
    }
    return (await this.#partitionsChanged()) ? 'rejoin' : 'well'
  }

  /** As what the member was in `generation`: refused where the group has been shared anew since. */
  async commit(positions: readonly Position[], generation: number): Promise<void> {
    try {
      const broker = await this.#coordinator()
      const topics = positions.map(({topic, partition, offset}) => ({topic, partitions: [{partition, offset: String(offset)}]}))
      await broker.offsetCommit({...this.#identity, groupGenerationId: generation, topics})
    } catch (error) {
      throw this.#failed(error)
    }
  }

  /** By partition key; what was never committed is left out. */
  async committed(partitions: readonly TopicPartition[]): Promise<Map<string, number>> {
    if (partitions.length === 0) return new Map()
    try {
      const broker = await this.#coordinator()
      const topics = partitions.map(({topic, partition}) => ({topic, partitions: [{partition, offset: ''}]}))
      const {responses} = await broker.offsetFetch({groupId: this.#subscription.group, topics})
      return byPartition(responses)
    } catch (error) {
      throw this.#failed(error)
    }
  }

  /** Ends of the log: its first offset, or the one that comes next. By partition key. */
  async ends(partitions: readonly TopicPartition[], end: 'earliest' | 'latest'): Promise<Map<string, number>> {
    if (partitions.length === 0) return new Map()
    const topics = [...new Set(partitions.map(({topic}) => topic))].map((topic) => ({
      topic,
      partitions: partitions.filter((partition) => partition.topic === topic).map(({partition}) => ({partition})),
      fromBeginning: end === 'earliest',
    }))
    return byPartition(await this.#cluster.fetchTopicsOffset(topics))
  }

  async leave(): Promise<void> {
    if (this.#memberId === '') return
    const broker = await this.#coordinator()
    await broker.leaveGroup(this.#identity)
    this.#forget()
  }

  get #identity() {
    return {groupId: this.#subscription.group, memberId: this.#memberId}
  }

  async #joinOnce() {
    const {group, topics} = this.#subscription
    await this.#cluster.addMultipleTargetTopics([...topics])
    const broker = await this.#coordinator()
    const answer = await broker.joinGroup({
      ...this.#identity,
      sessionTimeout: this.#options.sessionTimeoutMs,
      rebalanceTimeout: this.#options.rebalanceTimeoutMs,
      groupProtocols: [{name: PROTOCOL, metadata: encodeTopics(topics)}],
    })
    const {memberId, generationId: generation} = answer
    this.#memberId = memberId
    const groupAssignment = answer.leaderId === memberId ? await this.#share(answer) : this.#follow()
    const {memberAssignment} = await broker.syncGroup({groupId: group, memberId, generationId: generation, groupAssignment})
    this.#generation = generation
    return {memberId, generation, ...decodeAssignment(memberAssignment)}
  }

  #follow(): [] {
    this.#led = null
    this.#starts.clear()
    return []
  }

  // Leading

  async #share(answer: JoinAnswer) {
    const members = decodeMembers(answer.members)
    const topics = [...new Set(members.flatMap((member) => member.topics))]
    await this.#cluster.addMultipleTargetTopics(topics)
    await this.#cluster.refreshMetadata()
    const partitions = this.#partitionsOf(topics)
    const shares = assignPartitions(members, partitions, this.#led?.shares ?? new Map())
    this.#led = {topics, partitions, shares}
    if (this.#subscription.from === 'latest') await this.#chooseStarts(partitions)
    return members.map((member) => ({memberId: member.id, memberAssignment: this.#assignmentOf(member)}))
  }

  #assignmentOf({id}: Subscriber): Buffer {
    const {partitions = [], shares} = this.#led ?? {}
    return encodeAssignment({
      partitions: partitions.filter((partition) => shares?.get(partitionKey(partition)) === id),
      starts: this.#starts,
    })
  }

  /**
   * Where the group starts at the end, that end is found once, here, and every member commits it for what it got. What is not committed although others
   * of its topic are was added later, and starts at its beginning.
   */
  async #chooseStarts(partitions: readonly TopicPartition[]): Promise<void> {
    const committed = await this.committed(partitions)
    for (const key of committed.keys()) this.#starts.delete(key)
    const known = new Set(partitions.filter((partition) => committed.has(partitionKey(partition))).map(({topic}) => topic))
    const starting = partitions.filter((partition) => !known.has(partition.topic) && !this.#starts.has(partitionKey(partition)))
    for (const [key, offset] of await this.ends(starting, 'latest')) this.#starts.set(key, offset)
  }

  /** Only the leader looks: it knows the topics of all, and one rejoin is enough. */
  async #partitionsChanged(): Promise<boolean> {
    if (this.#led === null) return false
    await this.#cluster.refreshMetadataIfNecessary()
    return this.#partitionsOf(this.#led.topics).length !== this.#led.partitions.length
  }

  #partitionsOf(topics: readonly string[]): readonly TopicPartition[] {
    return topics.flatMap((topic) =>
      this.#cluster.findTopicPartitionMetadata(topic).map(({partitionId}) => ({topic, partition: partitionId})),
    )
  }

  // The coordinator

  async #coordinator(): Promise<GroupBroker> {
    if (this.#broker?.isConnected() !== true) this.#broker = await findCoordinator(this.#cluster, this.#subscription.group)
    return this.#broker
  }

  #failed(error: unknown): unknown {
    const type = protocolTypeOf(error)
    // Without a type it is the network's: another broker may look after the group by now.
    if (type === null || COORDINATOR_GONE.has(type)) this.#broker = null
    return error
  }

  #forget(): void {
    this.#memberId = ''
    this.#generation = -1
    this.#led = null
  }
}

/** kafkajs answers -1 where there is no offset. */
function byPartition(topics: readonly {topic: string; partitions: readonly {partition: number; offset: string}[]}[]): Map<string, number> {
  const entries = topics.flatMap(({topic, partitions}) =>
    partitions.map(({partition, offset}) => [partitionKey({topic, partition}), Number(offset)] as const),
  )
  return new Map(entries.filter(([, offset]) => offset >= 0))
}
