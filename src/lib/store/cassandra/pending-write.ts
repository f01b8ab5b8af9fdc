import type {RefusedItem} from '../../core/ports/sink.ts'
import type {EncodedRow} from './rows.ts'

/** A row on its way, for one call of `write`. */
export interface Waiting {
  readonly row: EncodedRow
  readonly write: PendingWrite
  /** Of its item in the batch. */
  readonly index: number
  /** A state that this newer one stands for: sent together, it would only be overwritten. */
  replaced: Waiting | undefined
}

/** One call of `write`: settled once all its rows are, or its deadline passed. */
export class PendingWrite {
  readonly startedMs: number
  readonly deadlineMs: number
  readonly done: Promise<readonly RefusedItem[]>
  readonly #refused: RefusedItem[] = []
  #resolve: (refused: readonly RefusedItem[]) => void = () => undefined
  #reject: (error: unknown) => void = () => undefined
  #remaining: number
  #settled = false

  constructor(rows: number, startedMs: number, deadlineMs: number) {
    this.startedMs = startedMs
    this.#remaining = rows
    this.deadlineMs = deadlineMs
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

/** Whether anybody still waits for a row, or for one that it stands for. */
export function isWanted(waiting: Waiting): boolean {
  for (let each: Waiting | undefined = waiting; each; each = each.replaced) if (!each.write.settled) return true
  return false
}

/** Does something with a row and all that it stands for. */
export function withReplaced(waiting: Waiting, fn: (waiting: Waiting) => void): void {
  for (let each: Waiting | undefined = waiting; each; each = each.replaced) fn(each)
}

export function bytesOf({row}: Waiting): number {
  return row.end - row.start
}
