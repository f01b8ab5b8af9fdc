import type {CoinpipeError} from '../../core/errors.ts'

interface Gate {
  readonly sinceMs: number
  readonly open: () => void
  readonly fail: (error: unknown) => void
}

/** Those that wait until there is room for their rows, in the order in which they came. */
export class Gates {
  readonly #gates = new Set<Gate>()

  get size(): number {
    return this.#gates.size
  }

  wait(sinceMs: number): Promise<void> {
    return new Promise((open, fail) => {
      this.#gates.add({open, fail, sinceMs})
    })
  }

  /** One at a time: it takes its room before the next one is let in. */
  openOne(): void {
    const [gate] = this.#gates
    if (!gate) return
    this.#gates.delete(gate)
    gate.open()
  }

  /** Those that have waited since then or longer. */
  fail(error: CoinpipeError, sinceMs = Number.POSITIVE_INFINITY): void {
    for (const gate of this.#gates) {
      if (gate.sinceMs > sinceMs) return
      this.#gates.delete(gate)
      gate.fail(error)
    }
  }
}
