import type {Clock} from '../../core/context.ts'
import {NotConnectedError, UnknownTopicError} from '../../core/errors.ts'
import {partitionForKey} from '../../core/partitioner.ts'
import type {OutgoingRecord, TopicConfig} from '../../core/ports/bus.ts'
import {partitionOutOfRange, TopicMismatchError} from '../errors.ts'
import type {KafkaClient} from './client.ts'
import {noLeader} from './errors.ts'
import {COMPRESSIONS, type Compression} from './options.ts'
import {untilDone} from './retry.ts'

/** Partitions that were added and leaders that moved without an error are seen by then. */
const MOST_AGE_MS = 10_000
/** Keys of markets come again and again; those of other topics may be too many to keep. */
const MOST_KEYS = 4096

/** A topic that records are published to: how many partitions it has, and where they are. */
export class KnownTopic {
  readonly name: string
  readonly compression: Compression
  readonly #byKey = new Map<string, number>()
  #leaders: readonly number[] = []
  #sticky = 0

  constructor(name: string, compression: Compression, random: number) {
    this.name = name
    this.compression = compression
    this.#sticky = Math.floor(random * 1024)
  }

  get partitions(): number {
    return this.#leaders.length
  }

  /** -1 where there is none just now. */
  leader(partition: number): number {
    return this.#leaders[partition] ?? -1
  }

  /** Leaders in the order of the partitions. */
  update(leaders: readonly number[]): void {
    if (leaders.length !== this.#leaders.length) this.#byKey.clear()
    this.#leaders = leaders
  }

  /** Throws PartitionOutOfRangeError. Records without partition and key stay together until `unstick`. */
  partitionOf({partition, key}: OutgoingRecord): number {
    if (partition !== undefined) return this.#checked(partition)
    if (key === null) return this.#sticky % this.#leaders.length
    const known = this.#byKey.get(key)
    if (known !== undefined) return known
    const found = partitionForKey(key, this.#leaders.length)
    if (this.#byKey.size < MOST_KEYS) this.#byKey.set(key, found)
    return found
  }

  /** Records without partition and key go elsewhere from now on: to the next partition that has a leader. */
  unstick(): void {
    const count = this.#leaders.length
    for (let step = 1; step <= count; step++) {
      if (this.leader((this.#sticky + step) % count) < 0) continue
      this.#sticky += step
      return
    }
  }

  #checked(partition: number): number {
    if (Number.isInteger(partition) && partition >= 0 && partition < this.#leaders.length) return partition
    throw partitionOutOfRange(this.name, partition, this.#leaders.length)
  }
}

export interface KnownTopicsOptions {
  readonly client: Pick<KafkaClient, 'topic' | 'brokers'>
  readonly clock: Clock
  readonly random: () => number
  /** How long a topic is looked for, or tried to be created. */
  readonly deadlineMs: number
  readonly compression: Compression
  readonly configOf: (topic: string) => TopicConfig
  readonly create: (topic: string, config: TopicConfig) => Promise<void>
  /** A topic that is known could not be looked up again; it stays as it was. */
  readonly onFailure: (error: unknown) => void
}

interface Entry {
  /** Always the same object for a name: what waits to be sent hangs on it. */
  readonly topic: KnownTopic
  /** Null where it has to be looked up before more is published to it. */
  checkedMs: number | null
}

/** What is known of topics; those that do not exist are created when they are first published to. */
export class KnownTopics {
  readonly #options: KnownTopicsOptions
  readonly #topics = new Map<string, Entry>()
  readonly #lookups = new Map<string, Promise<KnownTopic>>()

  constructor(options: KnownTopicsOptions) {
    this.#options = options
  }

  /** Undefined where it has to be looked up first. */
  get(name: string): KnownTopic | undefined {
    const known = this.#topics.get(name)
    if (known === undefined || known.checkedMs === null) return undefined
    if (this.#options.clock.monotonicMs() - known.checkedMs > MOST_AGE_MS) this.#refreshBehind(name)
    return known.topic
  }

  /** Asks the brokers; creates the topic where there is none. One question at a time for each topic. */
  lookUp(name: string): Promise<KnownTopic> {
    const running = this.#lookups.get(name)
    if (running !== undefined) return running
    const {clock, deadlineMs} = this.#options
    const lookup = untilDone(() => this.#findOrCreate(name), {clock, deadlineMs}).finally(() => this.#lookups.delete(name))
    this.#lookups.set(name, lookup)
    return lookup
  }

  /** The next publish to it asks the brokers. */
  forget(name: string): void {
    const known = this.#topics.get(name)
    if (known !== undefined) known.checkedMs = null
  }

  async #findOrCreate(name: string): Promise<KnownTopic> {
    try {
      return await this.#find(name)
    } catch (error) {
      if (!(error instanceof UnknownTopicError)) throw error
    }
    this.forget(name)
    await this.#create(name)
    return await this.#find(name).catch((error) => {
      // A broker may not have heard of it yet.
      throw error instanceof UnknownTopicError ? noLeader(`publish to topic '${name}'`, this.#options.client.brokers) : error
    })
  }

  async #create(name: string): Promise<void> {
    try {
      await this.#options.create(name, this.#options.configOf(name))
    } catch (error) {
      // Someone else was faster, and wanted another number of partitions.
      if (!(error instanceof TopicMismatchError)) throw error
    }
  }

  async #find(name: string): Promise<KnownTopic> {
    const {client, clock, random} = this.#options
    const {partitions} = await client.topic(name, {fresh: true})
    const known = this.#topics.get(name) ?? {topic: new KnownTopic(name, this.#compressionOf(name), random()), checkedMs: null}
    known.topic.update(partitions.map(({leader}) => leader))
    known.checkedMs = clock.monotonicMs()
    this.#topics.set(name, known)
    return known.topic
  }

  #refreshBehind(name: string): void {
    if (this.#lookups.has(name)) return
    this.lookUp(name).catch((error: unknown) => {
      if (!(error instanceof NotConnectedError)) this.#options.onFailure(error)
    })
  }

  #compressionOf(name: string): Compression {
    const setting = this.#options.configOf(name).settings?.['compression.type']
    if (setting === 'uncompressed') return 'none'
    return COMPRESSIONS.find((compression) => compression === setting) ?? this.#options.compression
  }
}
