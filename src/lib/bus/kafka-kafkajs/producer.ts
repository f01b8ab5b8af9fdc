import kafkajs, {type Message, type PartitionerArgs, type Producer} from 'kafkajs'
import type {Context} from '../../core/context.ts'
import type {OutgoingRecord, Value} from '../../core/ports/bus.ts'
import type {PartitionBatch, SendOutcome} from '../kafka/driver.ts'
import {notConnected} from '../kafka/errors.ts'
import type {Compression, KafkaOptions} from '../kafka/options.ts'
import {Connections} from './connections.ts'
import {translateKafkajsError} from './errors.ts'

const ACKS = {0: 0, 1: 1, all: -1} as const
const METADATA_AGE_MS = 30_000
/** Goes by the name, and the types have no class of that name that can be made. */
const LOOK_AGAIN = 'KafkaJSMetadataNotLoaded'

/** Sends each batch once. */
export class KafkajsProducer {
  readonly #options: KafkaOptions
  readonly #connections: Connections
  readonly #producer: Producer
  #state: 'new' | 'open' | 'closed' = 'new'

  constructor(options: KafkaOptions, context: Pick<Context, 'logger'>) {
    this.#options = options
    this.#connections = new Connections(options, context)
    this.#producer = this.#connections.kafka.producer({
      idempotent: false,
      allowAutoTopicCreation: false,
      metadataMaxAge: METADATA_AGE_MS,
      retry: {retries: 0},
      createPartitioner: givenPartition,
    })
  }

  /** Rejects with BrokerUnreachableError or KafkaAuthError. */
  async connect(): Promise<void> {
    if (this.#state === 'closed') throw notConnected()
    try {
      await this.#producer.connect()
    } catch (error) {
      throw translateKafkajsError(error, 'connect to Kafka', this.#options.brokers)
    }
    if (this.#state === 'new') this.#state = 'open'
  }

  async close(): Promise<void> {
    this.#state = 'closed'
    await this.#connections.close(() => this.#producer.disconnect())
  }

  /**
   * One partition a call, and no retries by kafkajs: where a call spans several partitions and its first try fails, kafkajs takes brokers that had
   * answered as done, also for partitions that have moved, and acknowledges records that nobody has.
   */
  async send({topic, partition, records, compression}: PartitionBatch): Promise<SendOutcome> {
    if (this.#state !== 'open') return {error: notConnected()}
    const {acks, requestTimeoutMs, brokers} = this.#options
    try {
      const [placed] = await this.#producer.send({
        topic,
        acks: ACKS[acks],
        timeout: requestTimeoutMs,
        compression: typeOf(compression),
        messages: records.map((record) => toMessage(record, partition)),
      })
      return {baseOffset: placed?.baseOffset === undefined ? null : Number(placed.baseOffset)}
    } catch (error) {
      if ((this.#state as string) === 'closed') return {error: notConnected()}
      return {error: translateKafkajsError(error, `publish to topic '${topic}'`, brokers)}
    }
  }
}

/**
 * The partition that is settled already. One that kafkajs has not heard of yet it would leave out without a word, and answer as if all were well; this
 * error has it look again, and the send be repeated.
 */
function givenPartition(): (args: PartitionerArgs) => number {
  let known: PartitionerArgs['partitionMetadata'] = []
  let checked = -1
  return ({topic, message: {partition = 0}, partitionMetadata}) => {
    if (known === partitionMetadata && checked === partition) return partition
    if (!partitionMetadata.some(({partitionId}) => partitionId === partition)) {
      throw Object.assign(new kafkajs.KafkaJSError(`partition ${partition} of topic '${topic}' is not known yet`), {name: LOOK_AGAIN})
    }
    known = partitionMetadata
    checked = partition
    return partition
  }
}

function typeOf(compression: Compression): number {
  const {None, GZIP, Snappy, LZ4, ZSTD} = kafkajs.CompressionTypes
  return {none: None, gzip: GZIP, snappy: Snappy, lz4: LZ4, zstd: ZSTD}[compression]
}

function toMessage({key, value, headers}: OutgoingRecord, partition: number): Message {
  return {key, value: toBytes(value), partition, ...(headers === undefined ? {} : {headers: {...headers}})}
}

function toBytes(value: Value | null): string | Buffer | null {
  return value instanceof Uint8Array ? Buffer.from(value.buffer, value.byteOffset, value.byteLength) : value
}
