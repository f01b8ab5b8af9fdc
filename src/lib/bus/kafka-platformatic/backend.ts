import type {Context} from '../../core/context.ts'
import {FencedError, isRetryable} from '../../core/errors.ts'
import type {SubscribeOptions, TopicPartition} from '../../core/ports/bus.ts'
import {partitionKey} from '../assign.ts'
import {takenAway} from '../errors.ts'
import type {CommitPosition, GroupBackend, Membership} from '../group-backend.ts'
import {KafkaClient} from '../kafka/client.ts'
import {EARLIEST, LATEST, listOffsets} from '../kafka/list-offsets.ts'
import type {KafkaOptions} from '../kafka/options.ts'
import {untilDone} from '../kafka/retry.ts'
import {ClassicMember} from './classic-member.ts'
import {committedOffsets} from './committed-offsets.ts'
import {Committer} from './committer.ts'
import {Fetcher} from './fetcher.ts'
import type {GroupMembers} from './group-members.ts'
import {Holdings} from './holdings.ts'

export interface BackendDependencies {
  readonly context: Context
  /** Label of the metrics. */
  readonly component: string
  /** Where transactions find the members of this process: they send their offsets through {@link GroupMembers.send}. */
  readonly members: GroupMembers
  /** Creates a topic that is not there. */
  ensureTopic(topic: string): Promise<void>
}

/** Most bytes that wait to be read, all partitions of a subscription together. */
const BUFFER_BYTES = 32 * 1024 * 1024
const REJOIN_PAUSE_MS = 100

/** A member of a group on Kafka, and the reader of its partitions. It has connections of its own; the first `join` opens them, `ended` closes them. */
export function createBackend(options: KafkaOptions, subscribe: SubscribeOptions, dependencies: BackendDependencies): GroupBackend {
  const reader = new GroupReader(options, subscribe, dependencies)
  return {
    component: dependencies.component,
    join: () => reader.join(),
    sync: (memberId, drained) => reader.sync(memberId, drained),
    commit: (memberId, positions) => reader.commit(memberId, positions),
    leave: () => reader.leave(),
    generation: () => reader.generation,
    read: (request) => reader.fetcher.read(request),
    onChange: (listener) => reader.listen(listener),
    ended: () => void reader.end(),
  }
}

class GroupReader {
  readonly fetcher: Fetcher
  readonly #options: KafkaOptions
  readonly #subscribe: SubscribeOptions
  readonly #dependencies: BackendDependencies
  readonly #clients: {readonly control: KafkaClient; readonly joining: KafkaClient; readonly fetching: KafkaClient}
  readonly #holdings: Holdings
  readonly #member: ClassicMember
  readonly #committer: Committer
  readonly #listeners = new Set<() => void>()
  #knownTopics: ReadonlySet<string> = new Set()
  #opened = false

  constructor(options: KafkaOptions, subscribe: SubscribeOptions, dependencies: BackendDependencies) {
    this.#options = options
    this.#subscribe = subscribe
    this.#dependencies = dependencies
    const {sessionTimeoutMs, rebalanceTimeoutMs, requestTimeoutMs, deliveryTimeoutMs: timeoutMs} = options
    const {clock, logger} = dependencies.context
    const {group, topics, instanceId = null, isolation = 'committed'} = subscribe
    const control = new KafkaClient(options)
    const joining = new KafkaClient({...options, requestTimeoutMs: rebalanceTimeoutMs + requestTimeoutMs})
    const fetching = new KafkaClient(options)
    this.#clients = {control, joining, fetching}
    this.#holdings = new Holdings(group)
    this.#member = new ClassicMember({
      ...{client: joining, control, group, topics, instanceId},
      ...{sessionTimeoutMs, rebalanceTimeoutMs, clock, logger},
    })
    this.#committer = new Committer({client: control, clock, holdings: this.#holdings, member: this.#member, timeoutMs})
    this.fetcher = new Fetcher({
      ...{client: fetching, control, clock, logger, isolation, maxBytes: BUFFER_BYTES},
      onData: this.#notify,
      onRestart: (partition) => this.#holdings.restarted(partition),
    })
  }

  get generation(): number {
    return this.#member.identity.generation
  }

  listen(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  async join(): Promise<Membership> {
    this.#out()
    await this.#open()
    // A member that was slow to take part is asked to come again, under another id. When this is closed, that rejects.
    while (!(await this.#takePart())) await this.#dependencies.context.clock.sleep(REJOIN_PAUSE_MS)
    return await this.#membership()
  }

  async sync(memberId: string, drained: readonly TopicPartition[]): Promise<Membership | null> {
    if (this.#member.identity.memberId !== memberId) return null
    const released = this.#holdings.release(drained, this.#nowMs)
    const pulse = released ? 'rebalance' : await this.#member.heartbeat()
    const isIn = pulse === 'rebalance' ? await this.#takePart() : pulse === 'stable'
    if (isIn) return await this.#membership()
    this.#out()
    return null
  }

  async commit(memberId: string, positions: readonly CommitPosition[]): Promise<void> {
    const [first] = positions
    if (first === undefined) return
    if (this.#member.identity.memberId !== memberId) throw takenAway(this.#subscribe.group, first.topic, first.partition)
    await this.#committer.commit(positions)
  }

  async leave(): Promise<void> {
    this.#out()
    await this.#member.leave()
  }

  async end(): Promise<void> {
    this.fetcher.close()
    this.#out()
    try {
      // Closed before it was told that it is in, it may be in all the same, and hold up the others.
      if (this.#opened) await this.#member.leave()
    } catch (error) {
      this.#dependencies.context.logger.debug(
        {group: this.#subscribe.group, err: error},
        'could not leave the group; its session will run out',
      )
    }
    await Promise.all(Object.values(this.#clients).map((client) => client.close()))
  }

  async #open(): Promise<void> {
    if (this.#opened) return
    const {clock} = this.#dependencies.context
    const connect = () => Promise.all(Object.values(this.#clients).map((client) => client.connect()))
    await untilDone(connect, {clock, deadlineMs: this.#options.deliveryTimeoutMs})
    for (const topic of this.#subscribe.topics) await this.#dependencies.ensureTopic(topic)
    this.#opened = true
  }

  /** Joins, or joins again; false where the group does not know this member any more. */
  async #takePart(): Promise<boolean> {
    const before = this.#member.identity.memberId
    const share = await this.#member.join(this.#holdings.owned)
    this.#dependencies.members.delete(before)
    if (share === null) return false
    this.#dependencies.members.add(this.#member.identity.memberId, this.#committer)
    this.#knownTopics = new Set(share.knownTopics)
    this.#holdings.assign(share.partitions, this.#nowMs)
    return true
  }

  #out(): void {
    this.#dependencies.members.delete(this.#member.identity.memberId)
    this.#holdings.clear()
    this.fetcher.keep([])
  }

  async #membership(): Promise<Membership> {
    await this.#findStarts()
    const {grants} = this.#holdings
    this.fetcher.keep(grants.filter(({revoking}) => !revoking))
    const {memberId, generation} = this.#member.identity
    return {memberId, generation, grants}
  }

  /** What cannot be found out just now is not read yet, and tried again with the next heartbeat. */
  async #findStarts(): Promise<void> {
    const {unstarted} = this.#holdings
    if (unstarted.length === 0) return
    try {
      await this.#start(unstarted)
    } catch (error) {
      if (!isRetryable(error) && !(error instanceof FencedError)) throw error
      const {group} = this.#subscribe
      this.#dependencies.context.logger.debug({group, err: error}, 'could not look up where to start; it is tried again')
    }
  }

  async #start(partitions: readonly TopicPartition[]): Promise<void> {
    const {group, from = 'earliest', isolation = 'committed'} = this.#subscribe
    const {control} = this.#clients
    const committed = await committedOffsets(control, group, partitions)
    for (const partition of partitions) {
      const offset = committed.get(partitionKey(partition))
      if (typeof offset === 'number') this.#holdings.start(partition, {committed: offset, earliest: 0})
    }
    const anew = partitions.filter((partition) => committed.get(partitionKey(partition)) === null)
    const atEnd = anew.filter(({topic}) => from === 'latest' && !this.#knownTopics.has(topic))
    await this.#startAtEnd(atEnd, await listOffsets(control, {partitions: atEnd, at: LATEST, isolation}))
    const atBeginning = anew.filter((partition) => !atEnd.includes(partition))
    const earliest = await listOffsets(control, {partitions: atBeginning, at: EARLIEST, isolation})
    for (const partition of atBeginning) {
      const offset = earliest.get(partitionKey(partition))
      if (offset !== undefined) this.#holdings.start(partition, {committed: null, earliest: offset})
    }
  }

  /** Fixed by a commit, so that whoever takes over before the first ack does not skip what came in between. */
  async #startAtEnd(partitions: readonly TopicPartition[], latest: ReadonlyMap<string, number>): Promise<void> {
    const found = partitions.flatMap((partition) => {
      const offset = latest.get(partitionKey(partition))
      return offset === undefined ? [] : [{...partition, offset}]
    })
    await this.#committer.commit(this.#holdings.at(found))
    for (const {topic, partition, offset} of found) this.#holdings.start({topic, partition}, {committed: offset, earliest: offset})
  }

  get #nowMs(): number {
    return this.#dependencies.context.clock.monotonicMs()
  }

  readonly #notify = () => {
    for (const listener of this.#listeners) listener()
  }
}
