import type {Clock} from '../../core/context.ts'
import {FencedError} from '../../core/errors.ts'
import type {Position} from '../../core/ports/bus.ts'
import {partitionKey} from '../assign.ts'
import type {CommitPosition} from '../group-backend.ts'
import {commitsByTopic} from '../kafka/by-topic.ts'
import type {KafkaClient} from '../kafka/client.ts'
import {protocolName} from '../kafka/protocol-name.ts'
import {untilDone} from '../kafka/retry.ts'
import type {GroupIdentity, OffsetSender, SendOffsets, TransactionEnd} from './group-members.ts'
import type {Holdings} from './holdings.ts'

export interface CommitterOptions {
  readonly client: Pick<KafkaClient, 'call'>
  readonly clock: Clock
  readonly holdings: Holdings
  readonly member: {readonly identity: GroupIdentity; settled(): Promise<void>}
  /** How long a commit is tried. */
  readonly timeoutMs: number
}

interface Waiting {
  readonly positions: readonly CommitPosition[]
  readonly done: PromiseWithResolvers<void>
}

/** Between two tries while the group is shared anew and no news of it has come to us. */
const REBALANCE_PAUSE_MS = 100
/** Between two commits when acks come faster than they are committed. */
const TOGETHER_MS = 5

/** Commits offsets one request after the other: acks that come in meanwhile travel together in the next one. */
export class Committer implements OffsetSender {
  readonly #options: CommitterOptions
  #waiting: Waiting[] = []
  #running = false

  constructor(options: CommitterOptions) {
    this.#options = options
  }

  /** Rejects with FencedError, having committed nothing, where one of the partitions was taken away. */
  commit(positions: readonly CommitPosition[]): Promise<void> {
    const done = Promise.withResolvers<void>()
    this.#waiting.push({positions, done})
    if (!this.#running) void this.#run()
    return done.promise
  }

  async send(positions: readonly CommitPosition[], send: SendOffsets): Promise<void> {
    const {clock, holdings, member, timeoutMs} = this.#options
    const endMs = clock.monotonicMs() + timeoutMs
    for (;;) {
      holdings.require(positions)
      const ahead = holdings.ahead(positions)
      if (ahead.length === 0) return
      const {identity} = member
      try {
        await send(identity, ahead)
        return
      } catch (error) {
        const name = protocolName(error)
        // The brokers may have gone on to a new generation before we heard of it.
        const overtaken = name === 'REBALANCE_IN_PROGRESS' || name === 'ILLEGAL_GENERATION'
        if (!overtaken || clock.monotonicMs() > endMs) throw error
        await member.settled()
        if (member.identity.generation !== identity.generation) continue
        if (name === 'ILLEGAL_GENERATION') throw error
        await clock.sleep(REBALANCE_PAUSE_MS)
      }
    }
  }

  ended(positions: readonly CommitPosition[], end: TransactionEnd): void {
    if (end === 'committed') this.#options.holdings.committed(positions)
    else this.#options.holdings.doubt(positions)
  }

  async #run(): Promise<void> {
    this.#running = true
    while (this.#waiting.length > 0) {
      const all = this.#waiting
      this.#waiting = []
      await this.#commitTogether(all)
      // Whoever acks without waiting for each is not slowed down by this, and the broker has fewer of them to write.
      if (all.length > 1) await this.#options.clock.sleep(TOGETHER_MS)
    }
    this.#running = false
  }

  async #commitTogether(all: readonly Waiting[]): Promise<void> {
    try {
      await this.send(latestOf(all), this.#sendCommit)
      for (const {done} of all) done.resolve()
    } catch (error) {
      // Of what is refused together some may be committed all the same.
      if (error instanceof FencedError && all.length > 1) for (const waiting of all) await this.#commitTogether([waiting])
      else for (const {done} of all) done.reject(error)
    }
  }

  readonly #sendCommit = async ({group, memberId, generation, instanceId}: GroupIdentity, positions: readonly Position[]) => {
    const {client, clock, holdings, timeoutMs} = this.#options
    const args = [group, generation, memberId, instanceId, commitsByTopic(positions)]
    const commit = async () => {
      try {
        await client.call({group}, 'OffsetCommit', args, {what: `commit for group '${group}'`})
        return null
      } catch (error) {
        if (protocolName(error) === 'REBALANCE_IN_PROGRESS') return error
        throw error
      }
    }
    const refused = await untilDone(commit, {clock, deadlineMs: timeoutMs})
    if (refused !== null) throw refused
    holdings.committed(positions)
  }
}

/** One position for each partition. Positions of a partition only rise. */
function latestOf(all: readonly Waiting[]): readonly CommitPosition[] {
  const latest = new Map<string, CommitPosition>()
  for (const position of all.flatMap(({positions}) => positions)) {
    const key = partitionKey(position)
    if (position.offset >= (latest.get(key)?.offset ?? 0)) latest.set(key, position)
  }
  return [...latest.values()]
}
