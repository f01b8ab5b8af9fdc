import type {Position, TopicPartition} from '../../core/ports/bus.ts'
import {partitionKey} from '../assign.ts'
import {takenAway} from '../errors.ts'
import type {CommitPosition, Grant} from '../group-backend.ts'
import {DRAIN_MS} from '../group-state.ts'

/** Where reading starts. */
export interface Start {
  readonly committed: number | null
  readonly earliest: number
}

interface Holding extends TopicPartition {
  readonly epoch: number
  /** When it is given up, drained or not; null where it stays. */
  releaseByMs: number | null
  /** Null until it is looked up: nobody reads it before. */
  start: Start | null
  /** What is committed, as far as this member knows. */
  floor: number | null
}

/** The partitions of one member: those it was given, and those it should give up and has not finished. */
export class Holdings {
  readonly #group: string
  readonly #all = new Map<string, Holding>()
  #epoch = 0

  constructor(group: string) {
    this.#group = group
  }

  /** What the member may hold from now on. Whatever else it has, it should finish. */
  assign(partitions: readonly TopicPartition[], nowMs: number): void {
    this.#epoch++
    const mine = new Set(partitions.map(partitionKey))
    for (const [key, holding] of this.#all) holding.releaseByMs = mine.has(key) ? null : (holding.releaseByMs ?? nowMs + DRAIN_MS)
    for (const {topic, partition} of partitions) {
      const key = partitionKey({topic, partition})
      if (!this.#all.has(key)) this.#all.set(key, {topic, partition, epoch: this.#epoch, releaseByMs: null, start: null, floor: null})
    }
  }

  /** Gives up what was drained, what nobody reads yet, and what took too long. Returns whether all is given up that should be, and anything was. */
  release(drained: readonly TopicPartition[], nowMs: number): boolean {
    const keys = new Set(drained.map(partitionKey))
    const leaving = [...this.#all].filter(([, {releaseByMs}]) => releaseByMs !== null)
    const gone = leaving.filter(([key, {start, releaseByMs}]) => keys.has(key) || start === null || (releaseByMs ?? 0) <= nowMs)
    for (const [key] of gone) this.#all.delete(key)
    return gone.length > 0 && gone.length === leaving.length
  }

  clear(): void {
    this.#all.clear()
  }

  get owned(): readonly TopicPartition[] {
    return [...this.#all.values()].map(({topic, partition}) => ({topic, partition}))
  }

  /** Those of which it is not known where to start. */
  get unstarted(): readonly TopicPartition[] {
    return [...this.#all.values()].filter(({start, releaseByMs}) => start === null && releaseByMs === null)
  }

  start(partition: TopicPartition, start: Start): void {
    const holding = this.#all.get(partitionKey(partition))
    if (holding === undefined) return
    holding.start = start
    holding.floor = start.committed
  }

  get grants(): readonly Grant[] {
    return [...this.#all.values()].flatMap(({topic, partition, epoch, releaseByMs, start, floor}) =>
      start === null ? [] : [{topic, partition, epoch, revoking: releaseByMs !== null, committed: floor, earliest: start.earliest}],
    )
  }

  /** Throws FencedError where one of the partitions is not held any more, or was given up and got again. */
  require(positions: readonly CommitPosition[]): void {
    for (const {topic, partition, epoch} of positions) {
      if (this.#all.get(partitionKey({topic, partition}))?.epoch !== epoch) throw takenAway(this.#group, topic, partition)
    }
  }

  /** As something to commit. */
  at(positions: readonly Position[]): readonly CommitPosition[] {
    return positions.flatMap((position) => {
      const holding = this.#all.get(partitionKey(position))
      return holding === undefined ? [] : [{...position, epoch: holding.epoch}]
    })
  }

  /** Without what would move an offset back, or leave it where it is. */
  ahead(positions: readonly CommitPosition[]): readonly Position[] {
    return positions.filter((position) => position.offset > (this.#all.get(partitionKey(position))?.floor ?? -1))
  }

  committed(positions: readonly Position[]): void {
    for (const position of positions) {
      const holding = this.#all.get(partitionKey(position))
      if (holding !== undefined) holding.floor = Math.max(holding.floor ?? 0, position.offset)
    }
  }

  /**
   * What is committed of them is not known any more, and has to be looked up. Until then nobody reads them, and what was read before cannot be committed: it
   * may be already.
   */
  doubt(positions: readonly CommitPosition[]): void {
    for (const {topic, partition, epoch} of positions) {
      const key = partitionKey({topic, partition})
      const holding = this.#all.get(key)
      if (holding?.epoch === epoch) this.#all.set(key, {...holding, epoch: ++this.#epoch, start: null, floor: null})
    }
  }

  /** Its log was begun anew: what was committed is no measure any more. */
  restarted(partition: TopicPartition): void {
    const holding = this.#all.get(partitionKey(partition))
    if (holding !== undefined) holding.floor = null
  }
}
