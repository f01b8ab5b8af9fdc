/** The last ids that were added: at least `count` of them, at most twice as many. */
export class RecentIds {
  readonly #count: number
  #newer = new Set<string>()
  #older = new Set<string>()

  constructor(count: number) {
    this.#count = count
  }

  /** False where it is one of them. */
  add(id: string): boolean {
    if (this.#newer.has(id) || this.#older.has(id)) return false
    this.#newer.add(id)
    if (this.#newer.size >= this.#count) {
      this.#older = this.#newer
      this.#newer = new Set()
    }
    return true
  }
}
