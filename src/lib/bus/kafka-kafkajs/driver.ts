import type {Context} from '../../core/context.ts'
import type {SubscribeOptions} from '../../core/ports/bus.ts'
import type {GroupBackend} from '../group-backend.ts'
import {type DriverDependencies, KAFKA_COMPONENT, type KafkaDriver, type PartitionBatch, type SendOutcome} from '../kafka/driver.ts'
import type {KafkaOptions} from '../kafka/options.ts'
import {KafkajsBackend} from './backend.ts'
import {KafkajsProducer} from './producer.ts'

/** Kafka through kafkajs: without transactions, idempotence and static membership, which are not to be relied upon there. */
export class KafkajsDriver implements KafkaDriver {
  readonly capabilities = {transactions: false, idempotence: false, staticMembership: false, cooperative: false}
  readonly transactions = null
  readonly #options: KafkaOptions
  readonly #context: Context
  readonly #dependencies: DriverDependencies
  readonly #producer: KafkajsProducer
  readonly #backends = new Set<KafkajsBackend>()

  constructor(options: KafkaOptions, context: Context, dependencies: DriverDependencies) {
    this.#options = options
    this.#context = context
    this.#dependencies = dependencies
    this.#producer = new KafkajsProducer(options, context)
  }

  async connect(): Promise<void> {
    await this.#producer.connect()
  }

  async close(): Promise<void> {
    await Promise.all([...this.#backends].map((backend) => backend.close()))
    await this.#producer.close()
  }

  send(batches: readonly PartitionBatch[]): Promise<readonly SendOutcome[]> {
    return Promise.all(batches.map((batch) => this.#producer.send(batch)))
  }

  backend(subscription: SubscribeOptions): GroupBackend {
    const backend = new KafkajsBackend(subscription, {
      options: this.#options,
      context: this.#context,
      component: KAFKA_COMPONENT,
      ensureTopic: this.#dependencies.ensureTopic,
      onClosed: (closed) => this.#backends.delete(closed),
    })
    this.#backends.add(backend)
    return backend
  }
}
