import type {Micros} from '../../core/records.ts'

/** Compact form of a trade id: text cut out of a frame would keep the whole frame in memory. */
export type IdKey = bigint | string

const DIGITS = /^(0|[1-9]\d{0,38})$/

export function idKey(tradeId: string): IdKey {
  return DIGITS.test(tradeId) ? BigInt(tradeId) : Buffer.from(tradeId).toString()
}

/**
 * The ids of the last trades of one market: at least those of the last `spanUs` of event time, at most those of twice that. When more than
 * `2 * maxIds` trades fall into it, the window is shorter, so that memory stays bounded; a trade that comes again later is then taken for new,
 * which costs a duplicate with the same id and loses nothing.
 */
export class SeenIds {
  readonly #spanUs: Micros
  readonly #maxIds: number
  readonly #onRotate: (newest: Set<IdKey>, eventTime: Micros) => void
  #current = new Set<IdKey>()
  #previous = new Set<IdKey>()
  #startedAt: Micros | undefined

  constructor(spanUs: Micros, maxIds: number, onRotate: (newest: Set<IdKey>, eventTime: Micros) => void) {
    this.#spanUs = spanUs
    this.#maxIds = maxIds
    this.#onRotate = onRotate
  }

  /** Both halves of the window; the second one still grows. */
  get sets(): readonly [Set<IdKey>, Set<IdKey>] {
    return [this.#previous, this.#current]
  }

  /** False where the id is in the window already. */
  add(tradeId: string, eventTime: Micros): boolean {
    const key = idKey(tradeId)
    if (this.#previous.has(key)) return false
    this.#startedAt ??= eventTime
    if ((eventTime - this.#startedAt > this.#spanUs || this.#current.size >= this.#maxIds) && !this.#current.has(key))
      this.#rotate(eventTime)
    const before = this.#current.size
    return this.#current.add(key).size > before
  }

  has(key: IdKey): boolean {
    return this.#current.has(key) || this.#previous.has(key)
  }

  /** Adds an id without moving the window on: trades found by back-fill are older than the live ones. */
  addLate(key: IdKey): void {
    this.#current.add(key)
  }

  #rotate(eventTime: Micros): void {
    this.#previous = this.#current
    this.#current = new Set()
    this.#startedAt = eventTime
    this.#onRotate(this.#current, eventTime)
  }
}
