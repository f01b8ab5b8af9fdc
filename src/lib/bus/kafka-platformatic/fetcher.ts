import {protocolErrorsCodesById} from '@platformatic/kafka'
import type {Clock, Logger} from '../../core/context.ts'
import {isRetryable, NotConnectedError, UnknownTopicError} from '../../core/errors.ts'
import type {Isolation, TopicPartition} from '../../core/ports/bus.ts'
import {partitionKey} from '../assign.ts'
import type {ReadRequest, ReadResult} from '../fair-read.ts'
import type {KafkaClient} from '../kafka/client.ts'
import {errorOfCode, KafkaAuthError, KafkaError} from '../kafka/errors.ts'
import {type FetchAnswer, type FetchApi, type FetchPartitionAnswer, fetchApi} from '../kafka/fetch-api.ts'
import {FetchBuffer} from '../kafka/fetch-buffer.ts'
import {EARLIEST, ISOLATION_LEVELS, LATEST, listOffsets} from '../kafka/list-offsets.ts'

/** How long a broker keeps a request that it has nothing for. A partition that is new or read again waits as long for the next request. */
const LONG_WAIT_MS = 250
/** The same while a partition of that broker is not asked for, as its buffer is full: soon it will be. */
const SHORT_WAIT_MS = 20
const MIN_BYTES = 1
const PARTITION_BYTES = 1024 * 1024
const ANSWER_BYTES = 16 * 1024 * 1024
/** No fetch session: each request says all. https://cwiki.apache.org/confluence/x/LQU0BQ (KIP-227) */
const NO_SESSION = [0, -1] as const
const NO_EPOCH = -1
const ANY_RACK = ''
const FIRST_PAUSE_MS = 50
const LONGEST_PAUSE_MS = 1_000

export interface FetcherOptions {
  /** For nothing but fetches: they wait on the broker. */
  readonly client: KafkaClient
  /** For all else. */
  readonly control: KafkaClient
  readonly clock: Clock
  readonly logger: Logger
  readonly isolation: Isolation
  /** Most bytes that wait to be read, all partitions together. */
  readonly maxBytes: number
  readonly onData: () => void
  /** The log of a partition was begun anew. */
  readonly onRestart: (partition: TopicPartition) => void
}

interface Source {
  readonly key: string
  readonly buffer: FetchBuffer
  /** Null while it has to be looked up. */
  place: {readonly node: number; readonly topicId: string} | null
  topicId: string | null
  /** The broker has nothing at its offset: once what was fetched is read, it is looked up where to go on. */
  outOfRange: 'no' | 'yes' | 'asking'
}

/**
 * Keeps records at hand for whoever reads them: asks the leader of each partition for more, one request at a time for each broker, and stops asking for a
 * partition whose share of the buffer is full.
 */
export class Fetcher {
  readonly #options: FetcherOptions
  readonly #sources = new Map<string, Source>()
  readonly #busy = new Set<number>()
  #api: FetchApi | null = null
  #looking = false
  #scheduled = false
  #pauseMs = FIRST_PAUSE_MS
  #failure: unknown
  readonly #stop = new AbortController()

  constructor(options: FetcherOptions) {
    this.#options = options
  }

  /** What is at hand; null where it is nothing. Reading from elsewhere than where the last read ended drops it, and has it fetched from there. */
  read(request: ReadRequest): ReadResult | null {
    if (this.#failure !== undefined) throw this.#failure
    const key = partitionKey(request)
    const source = this.#sources.get(key)
    if (source === undefined) {
      const buffer = new FetchBuffer(request, request.offset)
      this.#sources.set(key, {key, buffer, place: null, topicId: null, outOfRange: 'no'})
      this.#schedule()
      return null
    }
    if (source.buffer.expected !== request.offset) {
      source.buffer.seek(request.offset)
      source.outOfRange = 'no'
    }
    this.#schedule()
    return source.buffer.read(request)
  }

  /** Forgets all other partitions. */
  keep(partitions: readonly TopicPartition[]): void {
    const kept = new Set(partitions.map(partitionKey))
    for (const key of this.#sources.keys()) if (!kept.has(key)) this.#sources.delete(key)
  }

  close(): void {
    this.#stop.abort()
    this.#sources.clear()
  }

  /** What is read in one turn of the event loop is asked for together. */
  #schedule(): void {
    if (this.#scheduled || this.#stop.signal.aborted) return
    this.#scheduled = true
    setImmediate(() => {
      this.#scheduled = false
      this.#dispatch()
    })
  }

  #dispatch(): void {
    if (this.#stop.signal.aborted || this.#failure !== undefined) return
    const all = [...this.#sources.values()]
    if (all.some(({place}) => place === null)) void this.#lookUp()
    const share = this.#options.maxBytes / Math.max(1, all.length)
    for (const [node, sources] of Map.groupBy(all, ({place}) => place?.node ?? null)) {
      if (node === null || this.#busy.has(node)) continue
      const wanted = sources.filter(({buffer, outOfRange}) => outOfRange === 'no' && buffer.bytes < share)
      if (wanted.length > 0) void this.#fetch(node, wanted, wanted.length < sources.length ? SHORT_WAIT_MS : LONG_WAIT_MS)
    }
    for (const source of all) if (source.outOfRange === 'yes' && source.buffer.bytes === 0) void this.#recover(source)
  }

  async #fetch(node: number, sources: readonly Source[], waitMs: number): Promise<void> {
    this.#busy.add(node)
    try {
      this.#api ??= await fetchApi(this.#options.client)
      const epochs = new Map(sources.map((source) => [source, source.buffer.epoch]))
      const answer = await this.#ask(node, sources, waitMs, this.#api)
      this.#takeIn(answer, epochs, this.#api)
    } catch (error) {
      this.#failed(sources, error)
    } finally {
      this.#busy.delete(node)
      this.#schedule()
    }
  }

  async #ask(node: number, sources: readonly Source[], waitMs: number, {send, byId}: FetchApi): Promise<FetchAnswer> {
    const {client, isolation} = this.#options
    const byTopic = Map.groupBy(sources, (source) => idOf(source, byId))
    const topics = [...byTopic].map(([topicId, of]) => ({
      topicId,
      partitions: of.map(({buffer}) => ({
        partition: buffer.partition,
        currentLeaderEpoch: NO_EPOCH,
        fetchOffset: BigInt(buffer.fetchOffset),
        lastFetchedEpoch: NO_EPOCH,
        partitionMaxBytes: PARTITION_BYTES,
      })),
    }))
    const args = [waitMs, MIN_BYTES, ANSWER_BYTES, ISOLATION_LEVELS[isolation], ...NO_SESSION, topics, [], ANY_RACK]
    const answer = await client.call<FetchAnswer>({node}, send, args, {what: 'fetch records'})
    if (answer.errorCode !== 0) throw errorOfCode(answer.errorCode, null, 'fetch records', client.brokers)
    return answer
  }

  #takeIn(answer: FetchAnswer, epochs: ReadonlyMap<Source, number>, {byId}: FetchApi): void {
    const sources = new Map([...epochs.keys()].map((source) => [`${idOf(source, byId)}/${source.buffer.partition}`, source]))
    let news = false
    for (const part of answer.partitions) {
      const source = sources.get(`${part.topicId}/${part.partition}`)
      if (source === undefined || source.buffer.epoch !== epochs.get(source)) continue
      if (part.errorCode !== 0) this.#refused(source, part)
      else if (part.records.length > 0) {
        source.buffer.add(part.records, part.aborted, this.#options.isolation === 'committed')
        news = true
      }
    }
    if (news) {
      this.#pauseMs = FIRST_PAUSE_MS
      this.#options.onData()
    }
  }

  #refused(source: Source, {errorCode, partition}: FetchPartitionAnswer): void {
    const {topic} = source.buffer
    if (protocolErrorsCodesById[errorCode] === 'OFFSET_OUT_OF_RANGE') {
      source.outOfRange = 'yes'
      return
    }
    const error = errorOfCode(errorCode, null, `read partition ${partition} of topic '${topic}'`, this.#options.control.brokers)
    if (error instanceof KafkaAuthError) {
      this.#fail(error)
      return
    }
    // Most often that another broker leads now; a topic that is gone is taken from us by the group.
    this.#options.logger.debug({topic, partition, err: error}, 'a partition could not be read; its leader is looked up')
    source.place = null
  }

  #failed(sources: readonly Source[], error: unknown): void {
    if (this.#stop.signal.aborted || error instanceof NotConnectedError) return
    if (!isRetryable(error)) {
      this.#fail(error)
      return
    }
    this.#options.logger.debug({err: error}, 'a broker could not be read from; the leaders are looked up')
    for (const source of sources) source.place = null
  }

  async #lookUp(): Promise<void> {
    if (this.#looking) return
    this.#looking = true
    try {
      const lost = [...this.#sources.values()].filter(({place}) => place === null)
      // Brokers need a moment to agree on a new leader.
      if (lost.some(({topicId}) => topicId !== null)) await this.#pause()
      await Promise.all([...Map.groupBy(lost, ({buffer}) => buffer.topic)].map(([topic, sources]) => this.#place(topic, sources)))
    } catch (error) {
      if (this.#stop.signal.aborted) return
      if (!isRetryable(error) && !(error instanceof UnknownTopicError)) return this.#fail(error)
      await this.#pause()
    } finally {
      this.#looking = false
      this.#schedule()
    }
  }

  async #place(topic: string, sources: readonly Source[]): Promise<void> {
    const {id, partitions} = await this.#options.control.topic(topic, {fresh: true})
    for (const source of sources) {
      if (source.topicId !== null && source.topicId !== id) this.#restart(source, 0)
      source.topicId = id
      const node = partitions[source.buffer.partition]?.leader ?? -1
      if (node >= 0) source.place = {node, topicId: id}
    }
  }

  /** The broker has no such offset: retention removed it, or the log was begun anew and is shorter. */
  async #recover(source: Source): Promise<void> {
    const {buffer} = source
    source.outOfRange = 'asking'
    const {epoch, fetchOffset, topic, partition} = buffer
    const query = {partitions: [{topic, partition}], isolation: 'uncommitted' as const}
    try {
      const {control} = this.#options
      const [earliest, latest] = await Promise.all([
        listOffsets(control, {...query, at: EARLIEST}),
        listOffsets(control, {...query, at: LATEST}),
      ])
      const [first, end] = [earliest.get(source.key), latest.get(source.key)]
      // Meanwhile it is read from elsewhere.
      if (buffer.epoch !== epoch) return
      if (first === undefined || end === undefined) throw leaderless(buffer)
      if (fetchOffset < first) buffer.jump(first)
      else if (fetchOffset > end) this.#restart(source, first)
      source.outOfRange = 'no'
      this.#options.onData()
    } catch (error) {
      this.#failed([], error)
      await this.#pause()
      source.outOfRange = 'yes'
    } finally {
      this.#schedule()
    }
  }

  #restart({buffer}: Source, earliest: number): void {
    buffer.jump(earliest)
    this.#options.onRestart(buffer)
    this.#options.onData()
  }

  async #pause(): Promise<void> {
    const ms = this.#pauseMs
    this.#pauseMs = Math.min(ms * 2, LONGEST_PAUSE_MS)
    // It rejects when this is closed, which whoever waits looks at next.
    await this.#options.clock.sleep(ms, this.#stop.signal).catch(() => undefined)
  }

  #fail(error: unknown): void {
    this.#failure = error
    this.#options.onData()
  }
}

function leaderless({topic, partition}: TopicPartition): KafkaError {
  return new KafkaError('LEADER_NOT_AVAILABLE', `partition ${partition} of topic '${topic}' has no leader just now`, {
    retry: {kind: 'later'},
  })
}

function idOf({place, buffer}: Source, byId: boolean): string {
  return byId ? (place?.topicId ?? '') : buffer.topic
}
