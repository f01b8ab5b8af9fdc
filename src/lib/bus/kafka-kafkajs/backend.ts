import type {Cluster} from 'kafkajs'
import type {Context} from '../../core/context.ts'
import {FencedError} from '../../core/errors.ts'
import type {SubscribeOptions, TopicPartition} from '../../core/ports/bus.ts'
import {partitionKey} from '../assign.ts'
import {orLate} from '../deadline.ts'
import {takenAway} from '../errors.ts'
import type {ReadRequest, ReadResult} from '../fair-read.ts'
import type {CommitPosition, Grant, GroupBackend, Membership} from '../group-backend.ts'
import {KafkaError, notConnected} from '../kafka/errors.ts'
import type {KafkaOptions} from '../kafka/options.ts'
import {untilDone} from '../kafka/retry.ts'
import {Commits} from './commits.ts'
import {Connections, openCluster} from './connections.ts'
import {protocolTypeOf, translateKafkajsError} from './errors.ts'
import {Fetcher} from './fetcher.ts'
import {type Joined, Member} from './member.ts'

/** How long `leave` may take. */
const LEAVE_MS = 2_000
const NO_GENERATION = -1
const UNKNOWN_TOPIC = 'UNKNOWN_TOPIC_OR_PARTITION'

interface Held extends Omit<Grant, 'revoking'> {
  committed: number | null
}

export interface BackendParts {
  readonly options: KafkaOptions
  readonly context: Context
  readonly component: string
  /** Creates the topic where it is missing. */
  readonly ensureTopic: (topic: string) => Promise<void>
  readonly onClosed: (backend: KafkajsBackend) => void
}

/**
 * A member of a group on connections of its own. All partitions stop while the group is shared anew: `sync` has them drained, then joins again. What
 * this member gets back at once it goes on with as if nothing had been.
 */
export class KafkajsBackend implements GroupBackend {
  readonly component: string
  readonly #subscription: SubscribeOptions
  readonly #parts: BackendParts
  readonly #connections: Connections
  readonly #cluster: Cluster
  readonly #member: Member
  readonly #fetcher: Fetcher
  readonly #commits: Commits
  readonly #held = new Map<string, Held>()
  readonly #listeners = new Set<() => void>()
  #membership: Omit<Membership, 'grants'> | null = null
  /** Counts joins: generations of a group that was empty for long start again. */
  #epoch = 0
  /** Until when the partitions may be drained; null while nothing has to be. */
  #drainUntilMs: number | null = null
  #joining: Promise<Membership> | null = null
  #closing: Promise<void> | null = null

  constructor(subscription: SubscribeOptions, parts: BackendParts) {
    const {options, context} = parts
    this.component = parts.component
    this.#subscription = subscription
    this.#parts = parts
    this.#connections = new Connections(options, context)
    this.#cluster = openCluster(this.#connections)
    this.#member = new Member(this.#cluster, subscription, options)
    this.#fetcher = new Fetcher({
      cluster: this.#cluster,
      isolation: subscription.isolation ?? 'committed',
      context,
      onData: () => this.#notify(),
      onRestart: (partition) => this.#onRestart(partition),
      translate: (error) => translateKafkajsError(error, this.#what, options.brokers),
    })
    this.#commits = new Commits({
      // A join under way says whether the partitions are still ours.
      ready: async () => this.#joining?.catch(() => undefined),
      check: (position) => this.#checkHeld(position),
      send: (positions) => this.#commit(positions),
    })
  }

  async join(): Promise<Membership> {
    await this.#patiently(() => this.#cluster.connect())
    for (const topic of this.#subscription.topics) await this.#patiently(() => this.#find(topic))
    return await this.#rejoin()
  }

  async sync(memberId: string, drained: readonly TopicPartition[]): Promise<Membership | null> {
    const membership = this.#membership
    if (membership === null || membership.memberId !== memberId) return null
    const pulse = await this.#translated(() => this.#member.pulse())
    if (pulse === 'out') {
      this.#membership = null
      return null
    }
    if (pulse === 'well' && this.#drainUntilMs === null) return {...membership, grants: this.#grants(false)}
    const {clock} = this.#parts.context
    this.#drainUntilMs ??= clock.monotonicMs() + this.#drainMs
    const finished = new Set(drained.map(partitionKey))
    const waiting = [...this.#held.keys()].some((key) => !finished.has(key))
    if (!waiting || clock.monotonicMs() >= this.#drainUntilMs) return await this.#rejoin()
    return {...membership, grants: this.#grants(true)}
  }

  commit(_memberId: string, positions: readonly CommitPosition[]): Promise<void> {
    return this.#commits.add(positions)
  }

  async leave(): Promise<void> {
    await this.close()
  }

  ended(): void {
    void this.close()
  }

  generation(): number | null {
    return this.#membership?.generation ?? null
  }

  read(request: ReadRequest): ReadResult | null {
    return this.#fetcher.read(request)
  }

  /** The one listener is the subscription; when it is gone, so is the need for a join that is under way. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => {
      this.#listeners.delete(listener)
      if (this.#membership === null) void this.close()
    }
  }

  /** Bounded; a second call waits for the first. */
  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    this.#fetcher.close()
    const leave = async () => {
      await this.#joining?.catch(() => undefined)
      await this.#member.leave()
    }
    try {
      await orLate(leave(), LEAVE_MS, 'leaving a group')
    } catch (error) {
      this.#parts.context.logger.debug({group: this.#subscription.group, err: error}, 'left without a word; the session will run out')
    }
    await this.#connections.close(() => this.#cluster.disconnect())
    this.#membership = null
    this.#held.clear()
    this.#parts.onClosed(this)
  }

  // Joining

  /** Half of the time that the brokers give: joining takes some of it too. */
  get #drainMs(): number {
    return this.#parts.options.rebalanceTimeoutMs / 2
  }

  async #find(topic: string): Promise<void> {
    try {
      await this.#cluster.addTargetTopic(topic)
    } catch (error) {
      if (protocolTypeOf(error) !== UNKNOWN_TOPIC) throw error
      await this.#parts.ensureTopic(topic)
      // The brokers learn of it one by one.
      throw new KafkaError(UNKNOWN_TOPIC, `topic '${topic}' is not known to all brokers yet`, {cause: error, retry: {kind: 'later'}})
    }
  }

  #rejoin(): Promise<Membership> {
    this.#joining ??= this.#join().finally(() => {
      this.#joining = null
    })
    return this.#joining
  }

  async #join(): Promise<Membership> {
    const joined = await this.#patiently(() => this.#member.join())
    const kept = joined.partitions.filter((partition) => joined.continued && this.#held.has(partitionKey(partition)))
    const fresh = joined.partitions.filter((partition) => !kept.includes(partition))
    const granted = await this.#patiently(() => this.#grant(fresh, joined))
    this.#hold(kept, granted)
    this.#fetcher.assign(kept, fresh)
    this.#drainUntilMs = null
    const {memberId, generation} = joined
    this.#membership = {memberId, generation}
    return {memberId, generation, grants: this.#grants(false)}
  }

  #grants(revoking: boolean): readonly Grant[] {
    return [...this.#held.values()].map((held) => ({...held, revoking}))
  }

  #hold(kept: readonly TopicPartition[], granted: readonly Held[]): void {
    const keep = new Set(kept.map(partitionKey))
    for (const key of this.#held.keys()) if (!keep.has(key)) this.#held.delete(key)
    for (const held of granted) this.#held.set(partitionKey(held), held)
  }

  async #grant(fresh: readonly TopicPartition[], {starts, generation}: Joined): Promise<readonly Held[]> {
    const epoch = ++this.#epoch
    const [committed, earliest] = await Promise.all([this.#member.committed(fresh), this.#member.ends(fresh, 'earliest')])
    const first = fresh.flatMap((partition) => {
      const offset = starts.get(partitionKey(partition))
      return offset === undefined || committed.has(partitionKey(partition)) ? [] : [{...partition, offset}]
    })
    if (first.length > 0) await this.#member.commit(first, generation)
    for (const {offset, ...partition} of first) committed.set(partitionKey(partition), offset)
    return fresh.map((partition) => {
      const key = partitionKey(partition)
      return {...partition, epoch, committed: committed.get(key) ?? null, earliest: earliest.get(key) ?? 0}
    })
  }

  // Committing

  #checkHeld({topic, partition, epoch}: CommitPosition): void {
    const isIn = this.#membership !== null && this.#held.get(partitionKey({topic, partition}))?.epoch === epoch
    if (!isIn) throw takenAway(this.#subscription.group, topic, partition)
  }

  async #commit(positions: readonly CommitPosition[]): Promise<void> {
    const ahead = positions.filter((position) => position.offset > (this.#held.get(partitionKey(position))?.committed ?? -1))
    if (ahead.length === 0) return
    await this.#patiently(async () => {
      // Before each try: a join in between may have given a partition to another member, whose commits this one must not undo.
      await this.#joining?.catch(() => undefined)
      for (const position of ahead) this.#checkHeld(position)
      await this.#member.commit(ahead, this.#membership?.generation ?? NO_GENERATION)
    })
    for (const position of ahead) {
      const held = this.#held.get(partitionKey(position))
      if (held?.epoch === position.epoch) held.committed = position.offset
    }
  }

  /** Its log was begun anew: what was committed is no measure any more. */
  #onRestart(partition: TopicPartition): void {
    const held = this.#held.get(partitionKey(partition))
    if (held !== undefined) held.committed = null
  }

  // Errors

  get #what(): string {
    return `read as a member of group '${this.#subscription.group}'`
  }

  /** Again and again while that may help; what it does must do no harm when it is done twice. */
  #patiently<T>(work: () => Promise<T>): Promise<T> {
    const {clock} = this.#parts.context
    return untilDone(() => this.#translated(work), {clock, deadlineMs: this.#parts.options.deliveryTimeoutMs})
  }

  async #translated<T>(work: () => Promise<T>): Promise<T> {
    const what = this.#what
    try {
      if (this.#closing !== null) throw notConnected()
      return await work()
    } catch (error) {
      if (this.#closing !== null) throw notConnected()
      if (protocolTypeOf(error) === 'REBALANCE_IN_PROGRESS') {
        throw new FencedError(`${what}: its partitions are being shared anew; nothing was committed`, {cause: error})
      }
      throw translateKafkajsError(error, what, this.#parts.options.brokers)
    }
  }

  #notify(): void {
    for (const listener of this.#listeners) listener()
  }
}
