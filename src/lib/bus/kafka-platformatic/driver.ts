import type {initProducerIdV4} from '@platformatic/kafka'
import type {Context} from '../../core/context.ts'
import type {SubscribeOptions} from '../../core/ports/bus.ts'
import type {GroupBackend} from '../group-backend.ts'
import {KafkaClient} from '../kafka/client.ts'
import {
  type DriverDependencies,
  KAFKA_COMPONENT,
  type KafkaDriver,
  type KafkaTransactions,
  type PartitionBatch,
  type SendOutcome,
} from '../kafka/driver.ts'
import type {KafkaOptions} from '../kafka/options.ts'
import {createBackend} from './backend.ts'
import {BatchWriter} from './batch-writer.ts'
import {GroupMembers} from './group-members.ts'
import {Producer} from './producer.ts'
import {Transactions} from './transactions.ts'

/** The default client: of @platformatic/kafka the connections and requests are used; records are encoded and decoded here. */
export class PlatformaticDriver implements KafkaDriver {
  readonly capabilities = {transactions: true, idempotence: true, staticMembership: true, cooperative: true}
  readonly transactions: KafkaTransactions
  readonly #options: KafkaOptions
  readonly #context: Context
  readonly #dependencies: DriverDependencies
  readonly #client: KafkaClient
  readonly #producer: Producer
  readonly #members = new GroupMembers()

  constructor(options: KafkaOptions, context: Context, dependencies: DriverDependencies) {
    this.#options = options
    this.#context = context
    this.#dependencies = dependencies
    const client = new KafkaClient(options)
    const {clock, logger} = context
    const writer = new BatchWriter({client, clock, requestTimeoutMs: options.requestTimeoutMs})
    this.#client = client
    this.#producer = new Producer(writer, options, () => this.#producerId())
    this.transactions = new Transactions({client, writer, members: this.#members, options, clock, logger})
  }

  async connect(): Promise<void> {
    await this.#client.connect()
  }

  async close(): Promise<void> {
    await this.#client.close()
  }

  send(batches: readonly PartitionBatch[]): Promise<readonly SendOutcome[]> {
    return this.#producer.send(batches)
  }

  backend(options: SubscribeOptions): GroupBackend {
    const {ensureTopic} = this.#dependencies
    return createBackend(this.#options, options, {context: this.#context, component: KAFKA_COMPONENT, members: this.#members, ensureTopic})
  }

  async #producerId(): Promise<initProducerIdV4.InitProducerIdResponse> {
    return await this.#client.call('any', 'InitProducerId', [null, this.#options.transactionTimeoutMs, -1n, -1], {
      what: 'get a producer id',
    })
  }
}
