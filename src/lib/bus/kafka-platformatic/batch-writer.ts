import {once} from 'node:events'
import {type Connection, protocolErrorsCodesById} from '@platformatic/kafka'
import type {Clock} from '../../core/context.ts'
import {isRetryable} from '../../core/errors.ts'
import {orLate} from '../deadline.ts'
import type {Api, KafkaClient} from '../kafka/client.ts'
import type {PartitionBatch} from '../kafka/driver.ts'
import {errorOfCode, fromProtocol, noLeader} from '../kafka/errors.ts'
import {type ProduceAnswer, type ProducePartition, type ProducePartitionAnswer, produceApi} from './produce-api.ts'
import {BatchEncoder, type ProducerStamp} from './record-batch.ts'

/** For requests that all in-sync brokers acknowledge. */
export const ALL = -1

/** A batch on its way, with its number where brokers tell repeats. */
export interface Parcel {
  readonly batch: PartitionBatch
  readonly producer: ProducerStamp | null
}

/**
 * How writing a batch ended. `name` is that of the protocol's error; where nothing came back `NO_ANSWER`, and `NOT_SENT` where there was nobody to send
 * it to.
 */
export type Written = {readonly baseOffset: number | null} | {readonly error: unknown; readonly name: string}

export const NO_ANSWER = 'NO_ANSWER'
export const NOT_SENT = 'NOT_SENT'

export interface WriteOptions {
  readonly acks: number
  readonly transactionalId: string | null
}

export interface BatchWriterOptions {
  readonly client: KafkaClient
  readonly clock: Clock
  readonly requestTimeoutMs: number
}

interface Address extends Parcel {
  readonly index: number
}

const NONE = 'NONE'
const DUPLICATE = 'DUPLICATE_SEQUENCE_NUMBER'
/** With acks=0 nobody tells us to slow down, save the socket that does not take more. */
const MOST_UNSENT_BYTES = 4 * 1024 * 1024

/** Writes batches to the leaders of their partitions, one request for each leader. */
export class BatchWriter {
  readonly #options: BatchWriterOptions
  readonly #encoder = new BatchEncoder()
  #api: Promise<Api> | null = null

  constructor(options: BatchWriterOptions) {
    this.#options = options
  }

  /** One outcome per parcel, in order. No two of them may be of one partition. */
  async write(parcels: readonly Parcel[], options: WriteOptions): Promise<readonly Written[]> {
    const written: Written[] = new Array(parcels.length)
    const byLeader = new Map<number, Address[]>()
    const address = async (parcel: Parcel, index: number) => {
      try {
        const leader = await this.#leader(parcel.batch)
        const others = byLeader.get(leader)
        if (others === undefined) byLeader.set(leader, [{...parcel, index}])
        else others.push({...parcel, index})
      } catch (error) {
        if (isRetryable(error)) this.#options.client.forgetLeaders()
        written[index] = {error, name: NOT_SENT}
      }
    }
    await Promise.all(parcels.map(address))
    await Promise.all([...byLeader].map(([leader, addresses]) => this.#writeTo(leader, addresses, options, written)))
    return written
  }

  async #leader(batch: PartitionBatch): Promise<number> {
    const {client} = this.#options
    const leader = await client.leader(batch)
    if (leader < 0) throw noLeader(publishing(batch), client.brokers)
    return leader
  }

  async #writeTo(node: number, addresses: readonly Address[], options: WriteOptions, written: Written[]): Promise<void> {
    try {
      const answer = await this.#request(node, addresses, options)
      for (const {batch, index} of addresses) {
        written[index] = options.acks === 0 ? {baseOffset: null} : this.#writtenOf(batch, partitionAnswer(answer, batch))
      }
    } catch (error) {
      for (const {index} of addresses) written[index] = {error, name: NO_ANSWER}
    }
  }

  async #request(node: number, parcels: readonly Parcel[], {acks, transactionalId}: WriteOptions): Promise<ProduceAnswer> {
    const {client, requestTimeoutMs} = this.#options
    this.#api ??= produceApi(client)
    const api = await this.#api.catch((error) => {
      this.#api = null
      throw error
    })
    const request = {
      transactionalId,
      acks,
      // Brokers wait for each other not quite as long as we wait for them.
      timeoutMs: Math.round(requestTimeoutMs / 2),
      partitions: () => this.#encode(parcels),
    }
    const before = acks === 0 ? {before: (connection: Connection) => this.#writable(connection)} : {}
    return await client.call<ProduceAnswer>({node}, api, [request], {what: publishing(parcels[0]?.batch), partial: true, ...before})
  }

  /** For the request that is being written now: the next one takes the same buffer. */
  #encode(parcels: readonly Parcel[]): ProducePartition[] {
    const timestampMs = Math.round(this.#options.clock.nowUs() / 1000)
    this.#encoder.reset()
    return parcels.map(({batch: {topic, partition, records, compression}, producer}) => ({
      topic,
      partition,
      batch: this.#encoder.encode(records, {compression, timestampMs, producer}),
    }))
  }

  #writtenOf(batch: PartitionBatch, answer: ProducePartitionAnswer | undefined): Written {
    const what = publishing(batch)
    if (answer === undefined)
      return {error: fromProtocol('UNKNOWN_SERVER_ERROR', 'the answer leaves this partition out', what), name: NO_ANSWER}
    const {errorCode, errorMessage = null, baseOffset} = answer
    const name = protocolErrorsCodesById[errorCode] ?? `error ${errorCode}`
    // Of a repeat that comes so late that newer batches are between, the brokers do not say where it is.
    if (name === NONE || name === DUPLICATE) return {baseOffset: baseOffset < 0n ? null : Number(baseOffset)}
    const {client} = this.#options
    const error = errorOfCode(errorCode, errorMessage, what, client.brokers)
    if (isRetryable(error) || name === 'UNKNOWN_TOPIC_OR_PARTITION') client.forgetLeaders()
    return {error, name}
  }

  async #writable({socket}: Connection): Promise<void> {
    if (socket.writableLength <= MOST_UNSENT_BYTES) return
    const stop = new AbortController()
    const events = [once(socket, 'drain', stop), once(socket, 'close', stop)]
    for (const event of events) event.catch(() => undefined)
    try {
      await orLate(Promise.race(events), this.#options.requestTimeoutMs, 'publish: waiting for the broker to take what was sent')
    } finally {
      stop.abort()
    }
  }
}

export function publishing(batch: Pick<PartitionBatch, 'topic'> | undefined): string {
  return `publish to topic '${batch?.topic ?? ''}'`
}

function partitionAnswer({responses}: ProduceAnswer, {topic, partition}: PartitionBatch): ProducePartitionAnswer | undefined {
  return responses.find(({name}) => name === topic)?.partitionResponses.find(({index}) => index === partition)
}
