import {once} from 'node:events'
import {type Connection, type initProducerIdV4, protocolErrorsCodesById} from '@platformatic/kafka'
import type {Clock} from '../../core/context.ts'
import {isRetryable} from '../../core/errors.ts'
import {orLate} from '../deadline.ts'
import type {Api, KafkaClient} from '../kafka/client.ts'
import type {PartitionBatch, SendOutcome} from '../kafka/driver.ts'
import {errorOfCode, fromProtocol, KafkaError, noLeader} from '../kafka/errors.ts'
import type {KafkaOptions} from '../kafka/options.ts'
import {type ProduceAnswer, type ProducePartitionAnswer, type ProduceRequest, produceApi} from './produce-api.ts'
import {BatchEncoder, type ProducerStamp} from './record-batch.ts'
import {type ProducerIdentity, Sequences, type Settled} from './sequences.ts'

const NO_PRODUCER = {producerId: -1n, producerEpoch: -1} as const
/** With acks=0 nobody tells us to slow down, save the socket that does not take more. */
const MOST_UNSENT_BYTES = 4 * 1024 * 1024

const NONE = 'NONE'
const DUPLICATE = 'DUPLICATE_SEQUENCE_NUMBER'
const LOST = new Set(['OUT_OF_ORDER_SEQUENCE_NUMBER', 'UNKNOWN_PRODUCER_ID', 'INVALID_PRODUCER_EPOCH', 'INVALID_PRODUCER_ID_MAPPING'])
/** Answers after which the records may be in the log all the same. */
const UNKNOWN = new Set([
  'REQUEST_TIMED_OUT',
  'NOT_ENOUGH_REPLICAS_AFTER_APPEND',
  'NETWORK_EXCEPTION',
  'KAFKA_STORAGE_ERROR',
  'UNKNOWN_SERVER_ERROR',
])

/** A batch on its way, and where its outcome goes. */
interface Parcel {
  readonly batch: PartitionBatch
  readonly index: number
  readonly producer: ProducerStamp | null
}

/** Writes batches to the leaders of their partitions, one request for each leader. */
export class Producer {
  readonly #client: KafkaClient
  readonly #options: KafkaOptions
  readonly #clock: Clock
  readonly #encoder = new BatchEncoder()
  readonly #sequences: Sequences | null
  #api: Promise<Api> | null = null

  constructor(client: KafkaClient, options: KafkaOptions, clock: Clock) {
    this.#client = client
    this.#options = options
    this.#clock = clock
    this.#sequences = options.idempotent ? new Sequences(() => this.#identity()) : null
  }

  async send(batches: readonly PartitionBatch[]): Promise<readonly SendOutcome[]> {
    const outcomes: SendOutcome[] = new Array(batches.length)
    const byLeader = new Map<number, Parcel[]>()
    const place = async (batch: PartitionBatch, index: number) => {
      try {
        const parcel = {batch, index, producer: await this.#stamp(batch)}
        const leader = await this.#client.leader(batch)
        if (leader < 0) throw noLeader(publishing(batch), this.#client.brokers)
        byLeader.get(leader)?.push(parcel) ?? byLeader.set(leader, [parcel])
      } catch (error) {
        if (isRetryable(error)) this.#client.forgetLeaders()
        outcomes[index] = {error}
      }
    }
    await Promise.all(batches.map(place))
    await Promise.all([...byLeader].map(([leader, parcels]) => this.#sendTo(leader, parcels, outcomes)))
    return outcomes
  }

  async #stamp(batch: PartitionBatch): Promise<ProducerStamp | null> {
    return this.#sequences === null ? null : {...(await this.#sequences.stamp(batch)), transactional: false}
  }

  async #sendTo(node: number, parcels: readonly Parcel[], outcomes: SendOutcome[]): Promise<void> {
    const {acks, requestTimeoutMs} = this.#options
    const request: ProduceRequest = {
      transactionalId: null,
      acks: acks === 'all' ? -1 : acks,
      timeoutMs: brokerTimeoutMs(requestTimeoutMs),
      partitions: () => this.encode(parcels),
    }
    try {
      const answer = await this.request(node, request, publishing(parcels[0]?.batch))
      for (const parcel of parcels)
        outcomes[parcel.index] = acks === 0 ? {baseOffset: null} : this.#outcome(parcel.batch, find(answer, parcel.batch))
    } catch (error) {
      for (const {batch, index} of parcels) {
        this.#sequences?.settle(batch, 'unknown')
        outcomes[index] = {error}
      }
    }
  }

  /** One Produce request; the answer may have errors in it. */
  async request(node: number, request: ProduceRequest, what: string): Promise<ProduceAnswer> {
    this.#api ??= produceApi(this.#client)
    const api = await this.#api.catch((error) => {
      this.#api = null
      throw error
    })
    const before = request.acks === 0 ? (connection: Connection) => this.#writable(connection) : undefined
    return await this.#client.call<ProduceAnswer>({node}, api, [request], {what, partial: true, ...(before === undefined ? {} : {before})})
  }

  /** For the request that is being written now: the next one takes the same buffer. */
  encode(parcels: readonly Pick<Parcel, 'batch' | 'producer'>[]) {
    const timestampMs = Math.round(this.#clock.nowUs() / 1000)
    this.#encoder.reset()
    return parcels.map(({batch, producer}) => {
      const {topic, partition, records, compression} = batch
      return {topic, partition, batch: this.#encoder.encode(records, {compression, timestampMs, producer})}
    })
  }

  #outcome(batch: PartitionBatch, answer: ProducePartitionAnswer | undefined): SendOutcome {
    const what = publishing(batch)
    if (answer === undefined) return {error: fromProtocol('UNKNOWN_SERVER_ERROR', 'the answer leaves this partition out', what)}
    const name = protocolErrorsCodesById[answer.errorCode] ?? NONE
    if (name === NONE || name === DUPLICATE) {
      this.#sequences?.settle(batch, 'written')
      // Of a repeat that came too late the brokers have forgotten where it is.
      return {baseOffset: answer.baseOffset < 0n ? null : Number(answer.baseOffset)}
    }
    const mayRepeat = this.#sequences?.settle(batch, settled(name)) ?? true
    const said = answer.errorMessage ?? null
    if (LOST.has(name)) return {error: lost(name, what, mayRepeat)}
    const error = errorOfCode(answer.errorCode, said, what, this.#client.brokers)
    if (isRetryable(error) || name === 'UNKNOWN_TOPIC_OR_PARTITION') this.#client.forgetLeaders()
    return {error}
  }

  async #identity(): Promise<ProducerIdentity> {
    const {producerId, producerEpoch} = NO_PRODUCER
    return await this.#client.call<initProducerIdV4.InitProducerIdResponse>(
      'any',
      'InitProducerId',
      [null, this.#options.transactionTimeoutMs, producerId, producerEpoch],
      {what: 'get a producer id'},
    )
  }

  async #writable({socket}: Connection): Promise<void> {
    if (socket.writableLength <= MOST_UNSENT_BYTES) return
    const stop = new AbortController()
    const drained = Promise.race([once(socket, 'drain', stop), once(socket, 'close', stop)])
    try {
      await orLate(drained, this.#options.requestTimeoutMs, 'publish: waiting for the broker to take what was sent')
    } finally {
      stop.abort()
      drained.catch(() => undefined)
    }
  }
}

/** How long brokers wait for each other, so that their answer still comes before we give up. */
export function brokerTimeoutMs(requestTimeoutMs: number): number {
  return Math.round(requestTimeoutMs / 2)
}

export function publishing(batch: Pick<PartitionBatch, 'topic'> | undefined): string {
  return `publish to topic '${batch?.topic ?? ''}'`
}

function find({responses}: ProduceAnswer, {topic, partition}: PartitionBatch): ProducePartitionAnswer | undefined {
  return responses.find(({name}) => name === topic)?.partitionResponses.find(({index}) => index === partition)
}

function settled(name: string): Settled {
  if (LOST.has(name)) return 'lost'
  return UNKNOWN.has(name) ? 'unknown' : 'refused'
}

function lost(name: string, what: string, mayRepeat: boolean): KafkaError {
  if (mayRepeat) return new KafkaError(name, `${what}: ${name}: the brokers forgot this producer; it begins anew`, {retry: {kind: 'later'}})
  return new KafkaError(
    name,
    `${what}: ${name}: the brokers forgot this producer, and whether its last records are in the log is not known`,
    {
      remedy: ['publish them again where a repeat does no harm: every sink takes a record once by its id'],
    },
  )
}
