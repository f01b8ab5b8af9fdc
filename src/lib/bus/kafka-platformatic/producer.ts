import type {PartitionBatch, SendOutcome} from '../kafka/driver.ts'
import {KafkaError} from '../kafka/errors.ts'
import type {KafkaOptions} from '../kafka/options.ts'
import {ALL, type BatchWriter, NO_ANSWER, publishing, type Written} from './batch-writer.ts'
import {type ProducerIdentity, Sequences, type Settled} from './sequences.ts'

/** The brokers do not know this producer any more, or expect another number from it. */
const LOST = new Set(['OUT_OF_ORDER_SEQUENCE_NUMBER', 'UNKNOWN_PRODUCER_ID', 'INVALID_PRODUCER_EPOCH', 'INVALID_PRODUCER_ID_MAPPING'])
/** After which the records may be in the log all the same. */
const UNKNOWN = new Set([
  NO_ANSWER,
  'REQUEST_TIMED_OUT',
  'NOT_ENOUGH_REPLICAS_AFTER_APPEND',
  'NETWORK_EXCEPTION',
  'KAFKA_STORAGE_ERROR',
  'UNKNOWN_SERVER_ERROR',
])

/** Publishes outside of transactions; numbers the batches where that is to be idempotent. */
export class Producer {
  readonly #writer: BatchWriter
  readonly #acks: number
  readonly #sequences: Sequences | null

  constructor(writer: BatchWriter, {acks, idempotent}: Pick<KafkaOptions, 'acks' | 'idempotent'>, init: () => Promise<ProducerIdentity>) {
    this.#writer = writer
    this.#acks = acks === 'all' ? ALL : acks
    this.#sequences = idempotent ? new Sequences(init) : null
  }

  async send(batches: readonly PartitionBatch[]): Promise<readonly SendOutcome[]> {
    const options = {acks: this.#acks, transactionalId: null}
    const sequences = this.#sequences
    if (sequences === null) {
      return await this.#writer.write(
        batches.map((batch) => ({batch, producer: null})),
        options,
      )
    }
    const stamped = await Promise.all(
      batches.map(async (batch) => ({batch, producer: {...(await sequences.stamp(batch)), transactional: false}})),
    )
    const written = await this.#writer.write(stamped, options)
    return stamped.map(({batch}, index) => settle(sequences, batch, written[index] as Written))
  }
}

function settle(sequences: Sequences, batch: PartitionBatch, written: Written): SendOutcome {
  if (!('error' in written)) {
    sequences.settle(batch, 'written')
    return written
  }
  const mayRepeat = sequences.settle(batch, settled(written.name))
  return LOST.has(written.name) ? {error: lost(written.name, publishing(batch), mayRepeat)} : written
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
      remedy: ['publish them again where a repeat does no harm: sinks take a record once, by its id'],
    },
  )
}
