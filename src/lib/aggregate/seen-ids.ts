/** A 64-bit key as two 32-bit lanes; never both 0. */
interface Lanes {
  high: number
  low: number
}

const EMPTY_SLOTS = 1 << 10

/** 64-bit keys in an open-addressed table of typed arrays: 16 bytes a key at most, no object per key. */
class KeyTable {
  #lanes = new Uint32Array(2 * EMPTY_SLOTS)
  #slots = EMPTY_SLOTS
  size = 0

  has({high, low}: Lanes): boolean {
    const mask = this.#slots - 1
    for (let slot = low & mask; ; slot = (slot + 1) & mask) {
      const at = 2 * slot
      if (this.#lanes[at] === high && this.#lanes[at + 1] === low) return true
      if (this.#lanes[at] === 0 && this.#lanes[at + 1] === 0) return false
    }
  }

  /** The key must not be there yet. */
  add({high, low}: Lanes): void {
    if (2 * (this.size + 1) > this.#slots) this.#grow()
    this.#place(high, low)
    this.size++
  }

  clear(): void {
    this.#lanes.fill(0)
    this.size = 0
  }

  #place(high: number, low: number): void {
    const mask = this.#slots - 1
    let slot = low & mask
    while (this.#lanes[2 * slot] !== 0 || this.#lanes[2 * slot + 1] !== 0) slot = (slot + 1) & mask
    this.#lanes[2 * slot] = high
    this.#lanes[2 * slot + 1] = low
  }

  #grow(): void {
    const old = this.#lanes
    this.#slots *= 2
    this.#lanes = new Uint32Array(2 * this.#slots)
    for (let at = 0; at < old.length; at += 2) {
      const high = old[at] ?? 0
      const low = old[at + 1] ?? 0
      if (high !== 0 || low !== 0) this.#place(high, low)
    }
  }
}

export interface SeenIdsOptions {
  /** A new generation begins after so many ids. */
  readonly maxIds: number
  /** Or so much time by the trades' own `receivedTime`, so that the same input always forgets at the same place. */
  readonly maxAgeUs: number
}

/** Where a generation began. */
export interface Generation {
  readonly fromOffset: number
  readonly fromUs: number
}

/**
 * Recently seen trade ids, by 64-bit hash: two generations, of which the older is forgotten when the newer is full. So between one and two
 * generations are remembered, in bounded memory.
 *
 * The ids themselves are not saved: they are in the log. What is saved is where both generations began; after a restart the trades from there
 * on are read again and given to {@link remember}.
 */
export class SeenIds {
  readonly #options: SeenIdsOptions
  readonly #key: Lanes = {high: 0, low: 0}
  #tables: {older: KeyTable; newer: KeyTable} = {older: new KeyTable(), newer: new KeyTable()}
  #older: Generation
  #newer: Generation

  constructor(options: SeenIdsOptions, generations?: readonly [older: Generation, newer: Generation]) {
    this.#options = options
    const [older, newer] = generations ?? [UNSET, UNSET]
    this.#older = older
    this.#newer = newer
  }

  get generations(): readonly [older: Generation, newer: Generation] {
    return [this.#older, this.#newer]
  }

  /** Adds the id; false where it was seen before. `seed` keeps markets apart. */
  add(id: string, seed: number, offset: number, receivedTime: number): boolean {
    this.#hash(id, seed)
    const {older, newer} = this.#tables
    if (newer.has(this.#key)) return false
    const isNew = !older.has(this.#key)
    if (this.#newer === UNSET || this.#isOver(receivedTime)) this.#rotate(offset, receivedTime)
    // Seen in the older generation only: it goes into the newer one too, so that each holds exactly the ids of its stretch of the log.
    this.#tables.newer.add(this.#key)
    return isNew
  }

  /** Puts an id back into the generation that it was in; does nothing for one older than both. */
  remember(id: string, seed: number, offset: number): void {
    if (offset < this.#older.fromOffset) return
    this.#hash(id, seed)
    const table = offset < this.#newer.fromOffset ? this.#tables.older : this.#tables.newer
    if (!table.has(this.#key)) table.add(this.#key)
  }

  #isOver(receivedTime: number): boolean {
    return this.#tables.newer.size >= this.#options.maxIds || receivedTime - this.#newer.fromUs > this.#options.maxAgeUs
  }

  #rotate(offset: number, receivedTime: number): void {
    const {older, newer} = this.#tables
    older.clear()
    this.#tables = {older: newer, newer: older}
    const started = {fromOffset: offset, fromUs: receivedTime}
    this.#older = this.#newer === UNSET ? started : this.#newer
    this.#newer = started
  }

  /** Two multiplicative lanes over the code units, rotated so that every bit of a unit reaches every bit of its lane. */
  #hash(id: string, seed: number): void {
    let high = seed
    let low = ~seed
    for (let i = 0; i < id.length; i++) {
      const unit = id.charCodeAt(i)
      high = Math.imul(((high << 5) | (high >>> 27)) ^ unit, 0x9e3779b1)
      low = Math.imul(((low << 13) | (low >>> 19)) ^ unit, 0x85ebca6b)
    }
    high ^= low >>> 15
    low = Math.imul(low ^ (high >>> 13), 0xc2b2ae35)
    this.#key.high = high >>> 0
    // Both lanes 0 marks an empty slot.
    this.#key.low = (low ^ (low >>> 16)) >>> 0 || (high === 0 ? 1 : 0)
  }
}

const UNSET: Generation = {fromOffset: 0, fromUs: 0}
