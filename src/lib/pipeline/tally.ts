/** Counts how often each of a known set of trades turns up. Compact: ten bytes a trade, so that a demo of hours can be counted at its end. */
export class Tally {
  /** Ids of each symbol, ascending. */
  readonly #ids = new Map<string, BigUint64Array>()
  readonly #seen = new Map<string, Uint8Array>()

  /** `trades` are numeric ids by symbol. */
  constructor(trades: ReadonlyMap<string, readonly string[]>) {
    for (const [symbol, ids] of trades) {
      this.#ids.set(symbol, BigUint64Array.from(ids, BigInt).sort())
      this.#seen.set(symbol, new Uint8Array(ids.length))
    }
  }

  /** A trade that is not of the set is left out. */
  add(symbol: string, tradeId: string): void {
    const ids = this.#ids.get(symbol)
    const seen = this.#seen.get(symbol)
    if (!ids || !seen) return
    const index = indexOf(ids, BigInt(tradeId))
    if (index >= 0) seen[index] = Math.min(255, (seen[index] ?? 0) + 1)
  }

  /** Trades seen at least once, and copies beyond the first. */
  result(): {readonly found: number; readonly repeated: number} {
    let [found, repeated] = [0, 0]
    for (const seen of this.#seen.values()) {
      for (const times of seen) {
        if (times > 0) found += 1
        if (times > 1) repeated += times - 1
      }
    }
    return {found, repeated}
  }
}

function indexOf(sorted: BigUint64Array, id: bigint): number {
  let [low, high] = [0, sorted.length - 1]
  while (low <= high) {
    const middle = (low + high) >> 1
    const value = sorted[middle] ?? 0n
    if (value === id) return middle
    if (value < id) low = middle + 1
    else high = middle - 1
  }
  return -1
}
