import type {Context} from '../../core/context.ts'
import {DeadlineError} from '../../core/errors.ts'
import type {OutgoingRecord, PublishResult} from '../../core/ports/bus.ts'
import {ByteGate} from '../byte-gate.ts'
import {orLate} from '../deadline.ts'
import type {KafkaDriver, PartitionBatch} from './driver.ts'
import {notConnected} from './errors.ts'
import type {KnownTopic, KnownTopics} from './known-topics.ts'
import type {KafkaOptions} from './options.ts'
import {PartitionQueue} from './partition-queue.ts'
import {Publication, share} from './publication.ts'
import {Sender} from './sender.ts'

export interface PublisherOptions {
  readonly driver: Pick<KafkaDriver, 'send'>
  readonly topics: KnownTopics
  readonly options: KafkaOptions
  readonly context: Context
  readonly component: string
}

/** Publishes in the order of the calls: each waits for room, then for its topics, then for the brokers. */
export class Publisher {
  readonly #parts: PublisherOptions
  readonly #gate: ByteGate
  readonly #sender: Sender
  /** The last call that waits for a topic: those after it must not overtake it. */
  readonly #tails = new Map<string, Promise<void>>()
  #records = 0
  #closed = false

  constructor(parts: PublisherOptions) {
    this.#parts = parts
    this.#gate = new ByteGate(parts.options.maxQueueBytes)
    this.#sender = new Sender(parts)
  }

  /** `bytes`: about what the records take in memory. */
  publish(records: readonly OutgoingRecord[], bytes: number): Promise<readonly PublishResult[]> {
    return new Promise((resolve, reject) => {
      const {deliveryTimeoutMs} = this.#parts.options
      const leave = () => {
        this.#gate.leave(bytes)
        this.#count(-records.length)
      }
      const publication = new Publication(records.length, (error, results) => {
        leave()
        if (error === null) resolve(results)
        else reject(error.error)
      })
      const deadlineMs = this.#parts.context.clock.monotonicMs() + deliveryTimeoutMs
      let waiting: NodeJS.Timeout | 'over' | null = null
      this.#gate.enter(bytes, () => {
        if (waiting === 'over') return this.#gate.leave(bytes)
        if (waiting !== null) clearTimeout(waiting)
        waiting = 'over'
        this.#count(records.length)
        this.#place(records, publication, deadlineMs)
      })
      if (waiting === 'over') return
      waiting = setTimeout(() => {
        waiting = 'over'
        reject(this.#crowded(deliveryTimeoutMs))
      }, deliveryTimeoutMs)
    })
  }

  /** Batches for a transaction, those of a partition in their order. */
  async batches(records: readonly OutgoingRecord[]): Promise<readonly PartitionBatch[]> {
    const topics = await this.#find(namesOf(records), [])
    const batches: PartitionBatch[] = []
    const nobody = new Publication(records.length, () => undefined)
    for (const chunk of share(records, topics, nobody, Number.POSITIVE_INFINITY)) {
      const queue = new PartitionQueue(chunk.topic, chunk.partition, this.#parts.options.batchBytes)
      queue.push({chunk, from: 0, to: chunk.records.length, bytes: chunk.bytes}, 0)
      for (let batch = queue.take(0); batch !== null; batch = queue.take(0)) batches.push(batch.wire)
    }
    return batches
  }

  /** Waits until all is sent, but not for longer than `ms`; what is left then is given up. */
  async close(ms: number): Promise<void> {
    await orLate(this.#flush(), ms, 'flushing').catch(() => undefined)
    this.#closed = true
    this.#sender.stop(notConnected())
  }

  async #flush(): Promise<void> {
    await Promise.allSettled(this.#tails.values())
    await this.#sender.flush()
  }

  /** Shares the records among partitions, once their topics are known and what came before them is on its way. */
  #place(records: readonly OutgoingRecord[], publication: Publication, deadlineMs: number): void {
    const names = namesOf(records)
    const ahead = names.flatMap((name) => this.#tails.get(name) ?? [])
    const known = names.flatMap((name) => this.#parts.topics.get(name) ?? [])
    const push = (topics: readonly KnownTopic[]) => {
      try {
        if (this.#closed) throw notConnected()
        this.#sender.push(share(records, topics, publication, deadlineMs))
      } catch (error) {
        publication.reject(error)
      }
    }
    if (ahead.length === 0 && known.length === names.length) {
      push(known)
      return
    }
    const turn = this.#find(names, ahead).then(push, (error) => publication.reject(error))
    for (const name of names) this.#tails.set(name, turn)
    void turn.then(() => {
      for (const name of names) if (this.#tails.get(name) === turn) this.#tails.delete(name)
    })
  }

  async #find(names: readonly string[], ahead: readonly Promise<void>[]): Promise<readonly KnownTopic[]> {
    await Promise.all(ahead)
    const {topics} = this.#parts
    return await Promise.all(names.map((name) => topics.get(name) ?? topics.lookUp(name)))
  }

  #crowded(ms: number): DeadlineError {
    return new DeadlineError(`publish: ${this.#gate.bytes} bytes wait for the brokers, and no room came free within ${ms / 1000} s`, {
      remedy: ['look at the brokers: coinpipe nodes --bus kafka', 'or let more wait: bus.maxQueueBytes in coinpipe.yaml'],
    })
  }

  #count(records: number): void {
    const {context, component} = this.#parts
    this.#records += records
    context.metrics.gauge('coinpipe_component_queue_records').set(this.#records, {component})
    context.metrics.gauge('coinpipe_component_queue_bytes').set(this.#gate.bytes, {component})
  }
}

/** Nearly always one, and then without a set. */
function namesOf(records: readonly OutgoingRecord[]): readonly string[] {
  const names: string[] = []
  let last: string | null = null
  for (const {topic} of records) {
    if (topic === last) continue
    last = topic
    if (!names.includes(topic)) names.push(topic)
  }
  return names
}
