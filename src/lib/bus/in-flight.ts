import type {TopicPartition} from '../core/ports/bus.ts'
import {partitionKey} from './assign.ts'

/** What a delivery holds of one partition. */
export interface Span extends TopicPartition {
  /** Generation in which the partition was got. */
  readonly epoch: number
  /** Offset to go back to in order to read it again. */
  readonly first: number
  /** Offset after its last item. */
  readonly next: number
}

/** One delivery on its way: handed out, then committing, then gone. */
export interface Entry {
  readonly memberId: string
  /** Without those whose log was begun anew meanwhile. */
  spans: readonly Span[]
}

/** `commit`: go on and commit. `again`: its records are read again, so there is nothing to commit. `closed`: the subscription has ended. */
export type Turn = 'commit' | 'again' | 'closed'

interface Tracked {
  state: 'out' | 'waiting' | 'committing'
  onTurn: (turn: Turn) => void
  /** Entries that commit together; none may overtake them. Null: commits by itself, and later ones may be sent right behind it. */
  together: object | null
}

/**
 * Deliveries handed out and not yet committed, in their order. A commit waits for its turn: until all earlier ones were sent off. Commits of one
 * member are executed in the order they are sent, so several may be under way.
 */
export class InFlight {
  readonly #entries = new Map<Entry, Tracked>()
  #closed = false

  /** Handed out, and not yet sent off to commit. */
  get open(): number {
    let open = 0
    for (const {state} of this.#entries.values()) if (state !== 'committing') open++
    return open
  }

  /** With those whose commit is under way. */
  get size(): number {
    return this.#entries.size
  }

  add(entry: Entry): void {
    this.#entries.set(entry, {state: 'out', onTurn: () => undefined, together: null})
  }

  /**
   * Calls back once the entry may be committed, or never will be. A callback and not a promise: commits whose turn comes at the same time must be sent
   * in their order, and promises would let the latest caller be the last, whatever its place.
   */
  turn(entry: Entry, onTurn: (turn: Turn) => void, together: object | null = null): void {
    const tracked = this.#entries.get(entry)
    if (tracked === undefined) {
      onTurn(this.#closed ? 'closed' : 'again')
    } else {
      Object.assign(tracked, {state: 'waiting', onTurn, together})
      this.#advance()
    }
  }

  /** The commit succeeded. */
  remove(entry: Entry): void {
    this.#entries.delete(entry)
    this.#advance()
  }

  /** Takes out this entry and all later ones; returns them, so that they are read again. */
  supersede(entry: Entry, turn: 'again' | 'closed' = 'again'): readonly Entry[] {
    if (!this.#entries.has(entry)) return []
    const all = [...this.#entries.keys()]
    const superseded = all.slice(all.indexOf(entry))
    for (const later of superseded) {
      const tracked = this.#entries.get(later)
      if (tracked?.state === 'waiting') tracked.onTurn(turn)
      this.#entries.delete(later)
    }
    return superseded
  }

  /** Whether any entry holds records of the partition. */
  touches(partition: TopicPartition): boolean {
    const key = partitionKey(partition)
    return [...this.#entries.keys()].some((entry) => entry.spans.some((span) => partitionKey(span) === key))
  }

  /** Nothing of the partition that was handed out is committed or read again: its log was begun anew, and the offsets mean other records now. */
  drop(partition: TopicPartition): void {
    const key = partitionKey(partition)
    for (const entry of this.#entries.keys()) entry.spans = entry.spans.filter((span) => partitionKey(span) !== key)
  }

  close(): void {
    this.#closed = true
    for (const entry of [...this.#entries.keys()]) this.supersede(entry, 'closed')
  }

  #advance(): void {
    let blockedBy: object | null = null
    for (const tracked of this.#entries.values()) {
      if (tracked.state === 'out' || (blockedBy !== null && tracked.together !== blockedBy)) return
      if (tracked.state === 'waiting') {
        tracked.state = 'committing'
        tracked.onTurn('commit')
      }
      blockedBy = tracked.together
    }
  }
}
