import type {Cluster} from 'kafkajs'
import type {Context} from '../../core/context.ts'
import {AbortedError} from '../../core/errors.ts'
import type {Isolation, TopicPartition} from '../../core/ports/bus.ts'
import {partitionKey} from '../assign.ts'
import type {ReadRequest, ReadResult} from '../fair-read.ts'
import {KafkaAuthError} from '../kafka/errors.ts'
import {FETCH_BYTES, PartitionBuffer} from './buffer.ts'
import {protocolTypeOf} from './errors.ts'
import {toBusMessage} from './messages.ts'
import {visibleMessages} from './visible.ts'
import type {FetchAnswer, FetchedPartition} from './wire.ts'

/** How long a broker waits for a first record. Shorter while a partition of it is full: that one must not wait for the others when it is read. */
const WAIT_MS = 500
const WAIT_BESIDE_FULL_MS = 50
/** Of all partitions of a broker together. */
const MAX_BYTES = 10 * FETCH_BYTES
const FIRST_PAUSE_MS = 50
const LONGEST_PAUSE_MS = 1_000
const ISOLATION = {uncommitted: 0, committed: 1} as const

export interface FetcherOptions {
  readonly cluster: Cluster
  readonly isolation: Isolation
  readonly context: Pick<Context, 'logger' | 'clock'>
  /** Something can be read that could not before. */
  readonly onData: () => void
  /** The log of a partition was begun anew. */
  readonly onRestart: (partition: TopicPartition) => void
  /** An error of kafkajs as one of ours. */
  readonly translate: (error: unknown) => unknown
}

/** Fills the buffers of the partitions that are held, from their leaders, one request at a time for each broker. */
export class Fetcher {
  readonly #options: FetcherOptions
  readonly #buffers = new Map<string, PartitionBuffer>()
  /** Brokers that are asked just now. */
  readonly #busy = new Set<number>()
  readonly #stop = new AbortController()
  #pauseMs = FIRST_PAUSE_MS
  /** What no later try makes good. */
  #failure: KafkaAuthError | null = null

  constructor(options: FetcherOptions) {
    this.#options = options
  }

  /** These partitions and no others; what was fetched of the ones that stay is kept. */
  assign(kept: readonly TopicPartition[], fresh: readonly TopicPartition[]): void {
    const keep = new Set(kept.map(partitionKey))
    for (const key of this.#buffers.keys()) if (!keep.has(key)) this.#buffers.delete(key)
    for (const partition of fresh) this.#buffers.set(partitionKey(partition), new PartitionBuffer(partition))
  }

  /** Null where the partition is not held. Throws KafkaAuthError where we may not read it. */
  read(request: ReadRequest): ReadResult | null {
    if (this.#failure !== null) throw this.#failure
    const buffer = this.#buffers.get(partitionKey(request))
    if (buffer === undefined) return null
    const wanted = buffer.wants
    const result = buffer.read(request)
    if (!wanted && buffer.wants) this.#fetch()
    return result
  }

  close(): void {
    this.#stop.abort()
    this.#buffers.clear()
  }

  /** Starts to ask every broker that leads a partition with room and is not being asked. */
  #fetch(): void {
    if (this.#stop.signal.aborted || this.#failure !== null) return
    for (const leader of new Set([...this.#buffers.values()].filter(({wants}) => wants).map((buffer) => this.#leader(buffer)))) {
      if (!this.#busy.has(leader)) void this.#ask(leader)
    }
  }

  async #ask(leader: number): Promise<void> {
    this.#busy.add(leader)
    try {
      await this.#fetchFrom(leader)
      this.#pauseMs = FIRST_PAUSE_MS
    } catch (error) {
      await this.#recover(error)
    } finally {
      this.#busy.delete(leader)
    }
    this.#fetch()
  }

  async #fetchFrom(leader: number): Promise<void> {
    const {cluster, isolation, onData} = this.#options
    await cluster.refreshMetadataIfNecessary()
    const mine = [...this.#buffers.values()].filter((buffer) => this.#leader(buffer) === leader)
    const wanting = mine.filter(({wants}) => wants)
    if (wanting.length === 0) return
    const asked = new Map(wanting.map((buffer) => [buffer, buffer.fetchOffset ?? 0]))
    const broker = await cluster.findBroker({nodeId: String(leader)})
    const answer: FetchAnswer = await broker.fetch({
      isolationLevel: ISOLATION[isolation],
      maxWaitTime: wanting.length < mine.length ? WAIT_BESIDE_FULL_MS : WAIT_MS,
      minBytes: 1,
      maxBytes: MAX_BYTES,
      topics: [...asked].map(([{topic, partition}, offset]) => ({
        topic,
        partitions: [{partition, fetchOffset: String(offset), maxBytes: FETCH_BYTES}],
      })),
    })
    let came = false
    for (const {topicName: topic, partitions} of answer.responses) {
      for (const fetched of partitions) {
        const buffer = this.#buffers.get(partitionKey({topic, partition: fetched.partition}))
        // Read from elsewhere, or given away and got back, since it was asked for.
        if (buffer === undefined || asked.get(buffer) !== buffer.fetchOffset) continue
        came = take(buffer, fetched) || came
      }
    }
    if (came) onData()
  }

  async #recover(error: unknown): Promise<void> {
    const {cluster, context, translate, onData} = this.#options
    if (this.#stop.signal.aborted) return
    const translated = translate(error)
    if (translated instanceof KafkaAuthError) {
      this.#failure = translated
      return onData()
    }
    try {
      if (protocolTypeOf(error) === 'OFFSET_OUT_OF_RANGE') return await this.#restart(error as Error & TopicPartition)
      context.logger.debug({err: error}, 'a fetch failed and is tried again')
      await context.clock.sleep(this.#pauseMs, this.#stop.signal)
      this.#pauseMs = Math.min(this.#pauseMs * 2, LONGEST_PAUSE_MS)
      await cluster.refreshMetadata()
    } catch (failure) {
      // Nobody answers: the next fetch fails as well, after a longer pause.
      if (!(failure instanceof AbortedError)) context.logger.debug({err: failure}, 'looking for the leaders failed')
    }
  }

  /** kafkajs names the first partition whose offset is not in the log; of others the next answer tells. */
  async #restart({topic, partition}: TopicPartition): Promise<void> {
    const buffer = this.#buffers.get(partitionKey({topic, partition}))
    if (buffer === undefined) return
    const [found] = await this.#options.cluster.fetchTopicsOffset([{topic, partitions: [{partition}], fromBeginning: true}])
    const earliest = found?.partitions[0]?.offset
    if (earliest === undefined) return
    if (Number(earliest) < (buffer.fetchOffset ?? 0)) this.#options.onRestart(buffer)
    buffer.restart(Number(earliest))
    this.#options.onData()
  }

  /** -1 where nobody leads: asking that broker fails, which looks again after a while. */
  #leader({topic, partition}: TopicPartition): number {
    return this.#options.cluster.findTopicPartitionMetadata(topic).find(({partitionId}) => partitionId === partition)?.leader ?? -1
  }
}

/** Whether there was anything to take. */
function take(buffer: PartitionBuffer, {messages, abortedTransactions}: FetchedPartition): boolean {
  const last = messages.at(-1)
  const from = buffer.fetchOffset ?? 0
  if (last === undefined) return false
  // A compressed batch comes whole, from before the offset that was asked for.
  const records = visibleMessages(messages, abortedTransactions).filter(({offset}) => Number(offset) >= from)
  const next = Number(last.batchContext.firstOffset) + last.batchContext.lastOffsetDelta + 1
  buffer.push(
    records.map((record) => toBusMessage(buffer, record)),
    records.map(({value}) => value?.length ?? 0),
    Math.max(next, from),
  )
  return true
}
