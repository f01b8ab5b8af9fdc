import {addPartitionsToTxnV3, type initProducerIdV4} from '@platformatic/kafka'
import type {Clock, Logger} from '../../core/context.ts'
import {FencedError, isRetryable, NotConnectedError} from '../../core/errors.ts'
import type {Position} from '../../core/ports/bus.ts'
import {partitionKey} from '../assign.ts'
import {transactionFenced} from '../errors.ts'
import {byTopic, commitsByTopic} from '../kafka/by-topic.ts'
import type {Api, CallOptions, KafkaClient, Target} from '../kafka/client.ts'
import type {KafkaTransactions, PartitionBatch} from '../kafka/driver.ts'
import type {KafkaOptions} from '../kafka/options.ts'
import {protocolName} from '../kafka/protocol-name.ts'
import type {GroupCommit, TransactionContent} from '../transaction.ts'
import {ALL, type BatchWriter} from './batch-writer.ts'
import type {GroupIdentity, GroupMembers, TransactionEnd} from './group-members.ts'
import {nextSequence, type ProducerIdentity} from './sequences.ts'

export interface TransactionsOptions {
  readonly client: Pick<KafkaClient, 'call'>
  readonly writer: Pick<BatchWriter, 'write'>
  readonly members: GroupMembers
  readonly options: Pick<KafkaOptions, 'transactionTimeoutMs' | 'deliveryTimeoutMs'>
  readonly clock: Clock
  readonly logger: Logger
}

/** A transactional id that this process holds. */
interface Holder extends ProducerIdentity {
  readonly id: string
  /** The last start; a commit of an earlier one is refused. */
  epoch: number
  /** Next number of each partition, through all transactions of this holder. */
  readonly sequences: Map<string, number>
}

/** Brokers write the end of a transaction behind its answer, mostly within milliseconds. */
const BUSY_WAIT_MS = 10
const RETRY_WAIT_MS = 100
/** How long giving up is tried; the brokers do so themselves after the transaction's timeout. */
const GIVE_UP_MS = 5_000
/** Someone else has the id: theirs to end. */
const TAKEN_OVER = new Set(['INVALID_PRODUCER_EPOCH', 'PRODUCER_FENCED'])
/** Asks for a new epoch whatever the last one was: a process that starts anew does not know it, and has to fence what it was before. */
const UNKNOWN_PRODUCER = {producerId: -1n, producerEpoch: -1} as const
/** The newest version for clients: what comes after it is for brokers, and needs their rights. */
const ADD_PARTITIONS = addPartitionsToTxnV3.api as unknown as Api

/** Transactions: what one collected is sent at its end, in one go. */
export class Transactions implements KafkaTransactions {
  readonly #parts: TransactionsOptions
  readonly #holders = new Map<string, Promise<Holder>>()
  /** Transactions of one id take turns. */
  readonly #tails = new Map<string, Promise<void>>()
  #starts = 0

  constructor(parts: TransactionsOptions) {
    this.#parts = parts
  }

  async start(id: string): Promise<number> {
    const known = this.#holders.get(id)
    const starting = known ?? this.#init(id)
    if (known === undefined) this.#holders.set(id, starting)
    try {
      const holder = await starting
      holder.epoch = ++this.#starts
      return holder.epoch
    } catch (error) {
      this.#drop(id, starting)
      throw error
    }
  }

  async commit(content: TransactionContent, batches: readonly PartitionBatch[]): Promise<void> {
    const ahead = this.#tails.get(content.id)
    const mine = (ahead ?? Promise.resolve()).then(() => this.#commitInTurn(content, batches))
    const tail = mine.catch(() => undefined)
    this.#tails.set(content.id, tail)
    try {
      await mine
    } finally {
      if (this.#tails.get(content.id) === tail) this.#tails.delete(content.id)
    }
  }

  async #commitInTurn(content: TransactionContent, batches: readonly PartitionBatch[]): Promise<void> {
    const holding = this.#holders.get(content.id)
    const holder = await holding
    if (holding === undefined || holder?.epoch !== content.epoch) throw transactionFenced(content.id)
    const attempt = new Attempt(holder, this.#parts)
    try {
      await attempt.write(content.commits, batches)
      await attempt.end(true)
    } catch (error) {
      // What the brokers have of it is not known any more: the next start begins with a new epoch.
      this.#drop(content.id, holding)
      if (attempt.mayBeCommitted) this.#tellMembers(content, 'unknown')
      if (!TAKEN_OVER.has(protocolName(error) ?? '')) await attempt.giveUp()
      throw error
    }
    this.#tellMembers(content, 'committed')
  }

  #tellMembers({commits}: TransactionContent, end: TransactionEnd): void {
    for (const commit of commits) this.#parts.members.ended(commit, end)
  }

  async #init(id: string): Promise<Holder> {
    const {transactionTimeoutMs, deliveryTimeoutMs} = this.#parts.options
    const {producerId, producerEpoch} = UNKNOWN_PRODUCER
    const args = [id, transactionTimeoutMs, producerId, producerEpoch]
    const what = `start transaction '${id}'`
    const identity = await patiently<initProducerIdV4.InitProducerIdResponse>(this.#parts, deliveryTimeoutMs, () =>
      this.#parts.client.call({transaction: id}, 'InitProducerId', args, {what}),
    )
    return {id, producerId: identity.producerId, producerEpoch: identity.producerEpoch, epoch: 0, sequences: new Map()}
  }

  #drop(id: string, holder: Promise<Holder>): void {
    if (this.#holders.get(id) === holder) this.#holders.delete(id)
  }
}

/** One transaction on its way. */
class Attempt {
  readonly #holder: Holder
  readonly #parts: TransactionsOptions
  #endMs: number
  #begun = false
  /** The brokers were asked to commit it. */
  mayBeCommitted = false

  constructor(holder: Holder, parts: TransactionsOptions) {
    this.#holder = holder
    this.#parts = parts
    this.#endMs = parts.clock.monotonicMs() + parts.options.deliveryTimeoutMs
  }

  async write(commits: readonly GroupCommit[], batches: readonly PartitionBatch[]): Promise<void> {
    if (batches.length > 0) await this.#addPartitions(batches)
    // Both are awaited in any case: what comes in after the end of a transaction would stay open.
    const halves = await Promise.allSettled([this.#produce(batches), this.#commitOffsets(commits)])
    const errors = halves.flatMap((half) => (half.status === 'rejected' ? [half.reason] : []))
    if (errors.length > 0) throw errors.find((error) => error instanceof FencedError) ?? errors[0]
  }

  /** Commits or gives up what was begun; without anything begun there is nothing to end. */
  async end(commit: boolean): Promise<void> {
    if (!this.#begun) return
    if (commit) this.mayBeCommitted = true
    const {id, producerId, producerEpoch} = this.#holder
    await this.#call({transaction: id}, 'EndTxn', [id, producerId, producerEpoch, commit], {
      what: `${commit ? 'commit' : 'give up'} transaction '${id}'`,
    })
  }

  /** Readers need not wait for the transaction's timeout; should this fail, they do. */
  async giveUp(): Promise<void> {
    const {clock, logger} = this.#parts
    this.#endMs = clock.monotonicMs() + GIVE_UP_MS
    try {
      await this.end(false)
    } catch (error) {
      logger.warn({transaction: this.#holder.id, err: error}, 'could not give up a transaction; the brokers do so after its timeout')
    }
  }

  async #addPartitions(batches: readonly PartitionBatch[]): Promise<void> {
    const {id: transactionalId, producerId, producerEpoch} = this.#holder
    const once = new Map(batches.map((batch) => [partitionKey(batch), batch]))
    const topics = byTopic([...once.values()], ({partition}) => partition)
    this.#begun = true
    await this.#call({transaction: transactionalId}, ADD_PARTITIONS, [[{transactionalId, producerId, producerEpoch, topics}]], {
      what: `begin transaction '${transactionalId}'`,
    })
  }

  /** A request may hold one batch of a partition: the second ones follow the first ones. */
  async #produce(batches: readonly PartitionBatch[]): Promise<void> {
    for (let left = batches; left.length > 0; ) {
      const [now, later] = firstOfEach(left)
      await this.#writeAll(now)
      left = later
    }
  }

  async #writeAll(batches: readonly PartitionBatch[]): Promise<void> {
    const {sequences, id: transactionalId, producerId, producerEpoch} = this.#holder
    let parcels = batches.map((batch) => {
      const baseSequence = sequences.get(partitionKey(batch)) ?? 0
      sequences.set(partitionKey(batch), nextSequence(baseSequence, batch.records.length))
      return {batch, producer: {producerId, producerEpoch, baseSequence, transactional: true}}
    })
    await this.#patiently(async () => {
      const written = await this.#parts.writer.write(parcels, {acks: ALL, transactionalId})
      parcels = parcels.filter((_, index) => 'error' in (written[index] ?? {}))
      // One that helps no more goes before those that a repeat may help.
      const errors = written.flatMap((outcome) => ('error' in outcome ? [outcome.error] : []))
      if (errors.length > 0) throw errors.find((error) => !isRetryable(error)) ?? errors[0]
    })
  }

  async #commitOffsets(commits: readonly GroupCommit[]): Promise<void> {
    for (const commit of commits) await this.#parts.members.send(commit, this.#sendOffsets)
  }

  readonly #sendOffsets = async ({group, memberId, generation, instanceId}: GroupIdentity, positions: readonly Position[]) => {
    const {id, producerId, producerEpoch} = this.#holder
    const what = `transaction '${id}': commit for group '${group}'`
    this.#begun = true
    await this.#call({transaction: id}, 'AddOffsetsToTxn', [id, producerId, producerEpoch, group], {what})
    const args = [id, group, producerId, producerEpoch, generation, memberId, instanceId, commitsByTopic(positions)]
    await this.#call({group}, 'TxnOffsetCommit', args, {what})
  }

  async #call(target: Target, api: string | Api, args: readonly unknown[], options: CallOptions): Promise<void> {
    await this.#patiently(() => this.#parts.client.call(target, api, args, options))
  }

  #patiently<T>(work: () => Promise<T>): Promise<T> {
    return patiently(this.#parts, this.#endMs - this.#parts.clock.monotonicMs(), work)
  }
}

/** Until it works or cannot: while the brokers still end the transaction before, a coordinator moves, or one of them is away. */
async function patiently<T>({clock}: {readonly clock: Clock}, forMs: number, work: () => Promise<T>): Promise<T> {
  const endMs = clock.monotonicMs() + forMs
  for (;;) {
    try {
      return await work()
    } catch (error) {
      const waitMs = protocolName(error) === 'CONCURRENT_TRANSACTIONS' ? BUSY_WAIT_MS : RETRY_WAIT_MS
      if (!isRetryable(error) || error instanceof NotConnectedError || clock.monotonicMs() + waitMs > endMs) throw error
      await clock.sleep(waitMs)
    }
  }
}

function firstOfEach(batches: readonly PartitionBatch[]): readonly [PartitionBatch[], PartitionBatch[]] {
  const seen = new Set<string>()
  const first: PartitionBatch[] = []
  const later: PartitionBatch[] = []
  for (const batch of batches) {
    const key = partitionKey(batch)
    if (seen.has(key)) later.push(batch)
    else first.push(batch)
    seen.add(key)
  }
  return [first, later]
}
