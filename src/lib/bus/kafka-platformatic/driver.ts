import type {Context} from '../../core/context.ts'
import type {SubscribeOptions} from '../../core/ports/bus.ts'
import type {GroupBackend} from '../group-backend.ts'
import {KafkaClient} from '../kafka/client.ts'
import type {EnsureTopic, KafkaDriver, PartitionBatch, SendOutcome} from '../kafka/driver.ts'
import type {KafkaOptions} from '../kafka/options.ts'
import {createBackend} from './backend.ts'
import {GroupMembers} from './group-members.ts'
import {Producer} from './producer.ts'

const COMPONENT = 'kafka-bus'

/** The default client: @platformatic/kafka, of which only the requests are used; records are encoded here. */
export class PlatformaticDriver implements KafkaDriver {
  readonly capabilities = {transactions: true, idempotence: true, staticMembership: true, cooperative: true}
  readonly transactions = null
  readonly #options: KafkaOptions
  readonly #context: Context
  readonly #client: KafkaClient
  readonly #producer: Producer
  readonly #members = new GroupMembers()

  constructor(options: KafkaOptions, context: Context) {
    this.#options = options
    this.#context = context
    this.#client = new KafkaClient(options)
    this.#producer = new Producer(this.#client, options, context.clock)
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

  backend(options: SubscribeOptions, ensureTopic: EnsureTopic): GroupBackend {
    const dependencies = {context: this.#context, component: COMPONENT, members: this.#members, ensureTopic}
    return createBackend(this.#options, options, dependencies)
  }
}
