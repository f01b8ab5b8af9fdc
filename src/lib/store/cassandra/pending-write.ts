import type {RefusedItem} from '../../core/ports/sink.ts'

/** One call of `write`: settled once all its rows are, or it was given up. */
export class PendingWrite {
  readonly startedMs: number
  readonly done: Promise<readonly RefusedItem[]>
  readonly #refused: RefusedItem[] = []
  #resolve: (refused: readonly RefusedItem[]) => void = () => undefined
  #reject: (error: unknown) => void = () => undefined
  #remaining: number
  #settled = false

  constructor(rows: number, startedMs: number) {
    this.#remaining = rows
    this.startedMs = startedMs
    this.done = new Promise((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
  }

  get settled(): boolean {
    return this.#settled
  }

  written(): void {
    this.#remaining -= 1
    if (this.#remaining > 0 || this.#settled) return
    this.#settled = true
    this.#resolve(this.#refused)
  }

  refuse(item: RefusedItem): void {
    this.#refused.push(item)
    this.written()
  }

  fail(error: unknown): void {
    if (this.#settled) return
    this.#settled = true
    this.#reject(error)
  }
}
