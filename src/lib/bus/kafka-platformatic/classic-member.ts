import type {joinGroupV9, syncGroupV5} from '@platformatic/kafka'
import type {Clock, Logger} from '../../core/context.ts'
import {isRetryable, UnknownTopicError, UnsupportedError} from '../../core/errors.ts'
import type {TopicPartition} from '../../core/ports/bus.ts'
import {partitionKey} from '../assign.ts'
import {instanceReplaced} from '../errors.ts'
import type {KafkaClient} from '../kafka/client.ts'
import {answerOf, protocolName} from '../kafka/protocol-name.ts'
import {untilDone} from '../kafka/retry.ts'
import {decodeClaim, decodeShare, encodeClaim, encodeShare, PROTOCOL_NAME, PROTOCOL_TYPE, planShares, type Share} from './assignor.ts'
import {committedOffsets} from './committed-offsets.ts'
import type {GroupIdentity} from './group-members.ts'

export interface ClassicMemberOptions {
  /** For nothing but joining: the broker answers when the others have joined too. */
  readonly client: KafkaClient
  /** For all else. */
  readonly control: KafkaClient
  readonly group: string
  readonly instanceId: string | null
  readonly topics: readonly string[]
  readonly sessionTimeoutMs: number
  readonly rebalanceTimeoutMs: number
  readonly clock: Clock
  readonly logger: Logger
}

/** `rebalance`: join again with what is owned. `out`: nothing is owned any more. */
export type Pulse = 'stable' | 'rebalance' | 'out'

const NO_MEMBER = ''
const NO_GENERATION = -1
/** How often the leader looks for partitions that are new or gone. */
const WATCH_MS = 3_000

/**
 * Member of a group by the classic protocol, which all brokers know: joins, shares the partitions out where it leads the group, and gives signs of life.
 * What it does with its partitions is for others. The protocol of Kafka 4 (KIP-848) refuses a member whose instance id is taken, where here the newer one
 * takes over, and has no leader that could tell a new partition from one of a group that was never read.
 */
export class ClassicMember {
  readonly #options: ClassicMemberOptions
  #memberId = NO_MEMBER
  #generation = NO_GENERATION
  /** Generation in which the owned partitions were got. */
  #ownedIn = NO_GENERATION
  #joining: Promise<unknown> | null = null
  #leads = false
  #counts: ReadonlyMap<string, number> = new Map()
  #watchedMs = 0
  /** Of the last time it led: instance id by partition. */
  readonly #remembered = new Map<string, string>()

  constructor(options: ClassicMemberOptions) {
    this.#options = options
  }

  get identity(): GroupIdentity {
    const {group, instanceId} = this.#options
    return {group, memberId: this.#memberId, generation: this.#generation, instanceId}
  }

  /** Resolves when no joining is under way. */
  async settled(): Promise<void> {
    await this.#joining
  }

  /** Takes part in sharing the group anew; null where it knows this member no more. Rejects with FencedError where another took over its instance id. */
  async join(owned: readonly TopicPartition[]): Promise<Share | null> {
    const {clock, rebalanceTimeoutMs} = this.#options
    const joining = untilDone(() => this.#join(owned), {clock, deadlineMs: rebalanceTimeoutMs})
    this.#joining = joining.catch(() => undefined)
    try {
      return await joining
    } finally {
      this.#joining = null
    }
  }

  async heartbeat(): Promise<Pulse> {
    const {control, group, instanceId} = this.#options
    if (this.#memberId === NO_MEMBER) return 'out'
    try {
      await control.call({group}, 'Heartbeat', [group, this.#generation, this.#memberId, instanceId], {what: `stay in group '${group}'`})
    } catch (error) {
      const name = protocolName(error)
      if (name === 'REBALANCE_IN_PROGRESS') return 'rebalance'
      if (!this.#isOut(name)) throw error
      return 'out'
    }
    return (await this.#topicsChanged()) ? 'rebalance' : 'stable'
  }

  /** A static member stays until its session is over, so that it can come back to its partitions. */
  async leave(): Promise<void> {
    const {control, group, instanceId} = this.#options
    const memberId = this.#memberId
    if (memberId === NO_MEMBER || instanceId !== null) return
    this.#forget()
    const members = [{memberId, groupInstanceId: null, reason: 'closed'}]
    await control.call({group}, 'LeaveGroup', [group, members], {what: `leave group '${group}'`})
  }

  async #join(owned: readonly TopicPartition[]): Promise<Share | null> {
    for (;;) {
      const joined = await this.#enter(owned)
      const share = joined === null ? null : await this.#share(joined)
      if (share !== 'again') return share
    }
  }

  async #enter(owned: readonly TopicPartition[]): Promise<joinGroupV9.JoinGroupResponse | null> {
    const {client, group, instanceId, topics, sessionTimeoutMs, rebalanceTimeoutMs} = this.#options
    const metadata = encodeClaim({topics, owned, generation: owned.length === 0 ? NO_GENERATION : this.#ownedIn})
    const protocols = [{name: PROTOCOL_NAME, metadata}]
    for (;;) {
      const args = [group, sessionTimeoutMs, rebalanceTimeoutMs, this.#memberId, instanceId, PROTOCOL_TYPE, protocols, null]
      try {
        const joined = await client.call<joinGroupV9.JoinGroupResponse>({group}, 'JoinGroup', args, {what: `join group '${group}'`})
        this.#memberId = joined.memberId ?? NO_MEMBER
        this.#generation = joined.generationId
        return joined
      } catch (error) {
        const name = protocolName(error)
        const given = answerOf<joinGroupV9.JoinGroupResponse>(error)?.memberId
        if (name === 'INCONSISTENT_GROUP_PROTOCOL') throw otherProtocol(group, error)
        if (this.#isOut(name)) return null
        if (name !== 'MEMBER_ID_REQUIRED' || !given) throw error
        this.#memberId = given
      }
    }
  }

  async #share(joined: joinGroupV9.JoinGroupResponse): Promise<Share | null | 'again'> {
    const {client, group, instanceId} = this.#options
    this.#leads = joined.leader === joined.memberId
    const assignments = this.#leads && !joined.skipAssignment ? await this.#assign(joined) : []
    const args = [group, this.#generation, this.#memberId, instanceId, PROTOCOL_TYPE, PROTOCOL_NAME, assignments]
    try {
      const {assignment} = await client.call<syncGroupV5.SyncGroupResponse>({group}, 'SyncGroup', args, {what: `join group '${group}'`})
      this.#ownedIn = this.#generation
      return decodeShare(assignment)
    } catch (error) {
      const name = protocolName(error)
      if (name === 'REBALANCE_IN_PROGRESS') return 'again'
      if (this.#isOut(name)) return null
      throw error
    }
  }

  /** As the leader. */
  async #assign({members}: joinGroupV9.JoinGroupResponse): Promise<{memberId: string; assignment: Buffer}[]> {
    const {control, group} = this.#options
    const claims = (members ?? []).map(({memberId, groupInstanceId, metadata}) => ({
      id: memberId,
      instanceId: groupInstanceId ?? null,
      ...decodeClaim(metadata as Buffer),
    }))
    this.#counts = await this.#countPartitions([...new Set(claims.flatMap(({topics}) => topics))].sort())
    this.#watchedMs = this.#options.clock.monotonicMs()
    const partitions = partitionsIn(this.#counts)
    const {shares, unowned} = planShares(claims, partitions, this.#remembered)
    const newTopics = new Set(unowned.map(({topic}) => topic))
    const committed = await committedOffsets(
      control,
      group,
      partitions.filter(({topic}) => newTopics.has(topic)),
    )
    const knownTopics = [...newTopics].filter((topic) =>
      partitions.some((partition) => partition.topic === topic && typeof committed.get(partitionKey(partition)) === 'number'),
    )
    return claims.map(({id, instanceId}) => {
      const share = shares.get(id) ?? []
      this.#remember(share, instanceId)
      return {memberId: id, assignment: encodeShare({partitions: share, knownTopics})}
    })
  }

  #remember(partitions: readonly TopicPartition[], instanceId: string | null): void {
    for (const partition of partitions) {
      if (instanceId === null) this.#remembered.delete(partitionKey(partition))
      else this.#remembered.set(partitionKey(partition), instanceId)
    }
  }

  /** Whether the leader has partitions to share out that were not there before, or has shared out what is gone. */
  async #topicsChanged(): Promise<boolean> {
    const {clock, logger, group} = this.#options
    if (!this.#leads || clock.monotonicMs() - this.#watchedMs < WATCH_MS) return false
    this.#watchedMs = clock.monotonicMs()
    try {
      const counts = await this.#countPartitions([...this.#counts.keys()])
      return [...counts].some(([topic, count]) => this.#counts.get(topic) !== count)
    } catch (error) {
      if (!isRetryable(error)) throw error
      logger.debug({group, err: error}, 'could not look for new partitions; they are looked for again')
      return false
    }
  }

  /** A topic that is gone has none. */
  async #countPartitions(topics: readonly string[]): Promise<ReadonlyMap<string, number>> {
    const counts = topics.map(async (topic) => {
      try {
        return [topic, (await this.#options.control.topic(topic, {fresh: true})).partitionsCount] as const
      } catch (error) {
        if (error instanceof UnknownTopicError) return [topic, 0] as const
        throw error
      }
    })
    return new Map(await Promise.all(counts))
  }

  #isOut(name: string | null): boolean {
    const {group, instanceId} = this.#options
    if (name === 'FENCED_INSTANCE_ID') throw instanceReplaced(group, instanceId ?? '')
    if (name !== 'UNKNOWN_MEMBER_ID' && name !== 'ILLEGAL_GENERATION') return false
    this.#forget()
    return true
  }

  #forget(): void {
    this.#memberId = NO_MEMBER
    this.#generation = NO_GENERATION
    this.#ownedIn = NO_GENERATION
    this.#leads = false
  }
}

function partitionsIn(counts: ReadonlyMap<string, number>): TopicPartition[] {
  return [...counts].flatMap(([topic, count]) => Array.from({length: count}, (_, partition) => ({topic, partition})))
}

function otherProtocol(group: string, cause: unknown): UnsupportedError {
  return new UnsupportedError(`group '${group}' has members that share their partitions in another way than ${PROTOCOL_NAME}`, {
    cause,
    remedy: ['stop those members first, or set their partition.assignment.strategy to CooperativeStickyAssignor', 'or use another group'],
  })
}
