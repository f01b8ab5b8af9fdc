import type {PartitionBatch} from '../kafka/driver.ts'

/** What a producer id from InitProducerId is. */
export interface ProducerIdentity {
  readonly producerId: bigint
  readonly producerEpoch: number
}

/** Under which number a batch is sent, the first time and every time after. */
export interface Stamped extends ProducerIdentity {
  readonly baseSequence: number
}

/**
 * How the sending of a batch ended: it is in the log; it is certainly not, by this attempt; it may be; or the brokers know nothing of this producer any
 * more, or something else than we do.
 */
export type Settled = 'written' | 'refused' | 'unknown' | 'lost'

interface Open {
  readonly batch: PartitionBatch
  readonly baseSequence: number
  /** An attempt ended without an answer. */
  unknown: boolean
}

interface PartitionState {
  readonly identity: Promise<ProducerIdentity>
  next: number
  open: Open | null
}

/** Sequence numbers are 31 bits, and begin again at zero. */
const SEQUENCES = 2 ** 31

/**
 * Numbers the batches of each partition, so that brokers tell a repeat from something new. A batch keeps its number until it is settled: the same object
 * is the same batch. One that was given up while nobody knows whether it is in the log leaves a hole, behind which brokers take nothing more; so does a
 * log that lost what it had. Then the partition begins anew under another producer id.
 */
export class Sequences {
  readonly #init: () => Promise<ProducerIdentity>
  readonly #partitions = new Map<string, PartitionState>()
  #identity: Promise<ProducerIdentity> | null = null

  constructor(init: () => Promise<ProducerIdentity>) {
    this.#init = init
  }

  async stamp(batch: PartitionBatch): Promise<Stamped> {
    const key = keyOf(batch)
    const before = this.#partitions.get(key)
    if (before?.open?.unknown === true && before.open.batch !== batch) this.#forget(key, before)
    const state = this.#partitions.get(key) ?? {identity: this.#current(), next: 0, open: null}
    this.#partitions.set(key, state)
    if (state.open?.batch !== batch) state.open = {batch, baseSequence: state.next, unknown: false}
    const {baseSequence} = state.open
    try {
      return {...(await state.identity), baseSequence}
    } catch (error) {
      this.#forget(key, state)
      throw error
    }
  }

  /** Whether the batch may be sent again without being written twice. */
  settle(batch: PartitionBatch, settled: Settled): boolean {
    const key = keyOf(batch)
    const state = this.#partitions.get(key)
    if (state?.open?.batch !== batch) return false
    const {baseSequence, unknown} = state.open
    if (settled === 'lost') {
      this.#forget(key, state)
      return !unknown
    }
    if (settled === 'unknown') state.open.unknown = true
    else if (settled === 'written') {
      state.next = nextSequence(baseSequence, batch.records.length)
      state.open = null
    } else if (!unknown) state.open = null
    return true
  }

  #current(): Promise<ProducerIdentity> {
    this.#identity ??= this.#init()
    return this.#identity
  }

  #forget(key: string, state: PartitionState): void {
    this.#partitions.delete(key)
    if (this.#identity === state.identity) this.#identity = null
  }
}

export function nextSequence(baseSequence: number, records: number): number {
  return (baseSequence + records) % SEQUENCES
}

function keyOf({topic, partition}: PartitionBatch): string {
  return `${partition}:${topic}`
}
