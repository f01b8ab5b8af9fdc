/**
 * Lets work pass while the bytes inside stay below a limit; the rest waits its turn, first come, first served. Work larger than the limit passes when
 * nothing else is inside.
 */
export class ByteGate {
  readonly #limit: number
  readonly #waiting: {readonly bytes: number; readonly pass: () => void}[] = []
  #inside = 0

  constructor(limit: number) {
    this.#limit = limit
  }

  get bytes(): number {
    return this.#inside
  }

  /** Calls `pass` at once or later, in the order of the calls. */
  enter(bytes: number, pass: () => void): void {
    this.#waiting.push({bytes, pass})
    this.#admit()
  }

  leave(bytes: number): void {
    this.#inside -= bytes
    this.#admit()
  }

  #admit(): void {
    for (let first = this.#waiting[0]; first !== undefined; first = this.#waiting[0]) {
      if (this.#inside > 0 && first.bytes > 0 && this.#inside + first.bytes > this.#limit) return
      this.#waiting.shift()
      this.#inside += first.bytes
      first.pass()
    }
  }
}
