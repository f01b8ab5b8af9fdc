import type {Position} from '../../core/ports/bus.ts'
import {takenAway} from '../errors.ts'
import type {CommitPosition} from '../group-backend.ts'
import type {GroupCommit} from '../transaction.ts'

/** What brokers want to hear from a member that commits: they refuse one that a newer generation or instance has replaced. */
export interface GroupIdentity {
  readonly group: string
  readonly memberId: string
  readonly generation: number
  readonly instanceId: string | null
}

/** Sends offsets to the coordinator; rejects with what it answered. Called again where the member has another generation meanwhile. */
export type SendOffsets = (identity: GroupIdentity, positions: readonly Position[]) => Promise<void>

/** How a transaction ended: `unknown` where the brokers were asked to commit it and nobody said whether they did. */
export type TransactionEnd = 'committed' | 'unknown'

export interface OffsetSender {
  send(positions: readonly CommitPosition[], send: SendOffsets): Promise<void>
  /** The transaction that positions were sent with is over. */
  ended(positions: readonly CommitPosition[], end: TransactionEnd): void
}

/** The members of this process, by member id: how a transaction learns who it commits for. One for each driver. */
export class GroupMembers {
  readonly #members = new Map<string, OffsetSender>()

  add(memberId: string, sender: OffsetSender): void {
    this.#members.set(memberId, sender)
  }

  delete(memberId: string): void {
    this.#members.delete(memberId)
  }

  /**
   * Has a transaction's offsets sent as what the member is now, waiting while its group is shared anew. Positions that would move a committed offset back
   * are left out; where none is left `send` is not called. Rejects with FencedError where a partition was taken away.
   */
  async send({group, memberId, positions}: GroupCommit, send: SendOffsets): Promise<void> {
    const member = this.#members.get(memberId)
    const [first] = positions
    if (first === undefined) return
    if (member === undefined) throw takenAway(group, first.topic, first.partition)
    await member.send(positions, send)
  }

  /** A member that is in the group no more looks up what is committed when it is in again. */
  ended({memberId, positions}: GroupCommit, end: TransactionEnd): void {
    this.#members.get(memberId)?.ended(positions, end)
  }
}
