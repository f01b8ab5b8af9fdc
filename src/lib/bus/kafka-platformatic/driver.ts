import type {Context} from '../../core/context.ts'
import type {SubscribeOptions} from '../../core/ports/bus.ts'
import type {GroupBackend} from '../group-backend.ts'
import {KafkaClient} from '../kafka/client.ts'
import type {KafkaDriver, PartitionBatch, SendOutcome} from '../kafka/driver.ts'
import type {KafkaOptions} from '../kafka/options.ts'
import {GroupMembers} from './group-members.ts'
import {Producer} from './producer.ts'

/** The default client: @platformatic/kafka, of which only the requests are used; records are encoded here. */
export class PlatformaticDriver implements KafkaDriver {
  readonly capabilities = {transactions: true, idempotence: true, staticMembership: true, cooperative: true}
  readonly transactions = null
  readonly #client: KafkaClient
  readonly #producer: Producer
  readonly #members = new GroupMembers()

  constructor(options: KafkaOptions, context: Context) {
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

  backend(options: SubscribeOptions): GroupBackend {
    throw new Error(String(options))
  }
}
