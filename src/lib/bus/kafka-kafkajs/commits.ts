import {partitionKey} from '../assign.ts'
import type {CommitPosition} from '../group-backend.ts'

interface Waiting {
  readonly positions: readonly CommitPosition[]
  readonly resolve: () => void
  readonly reject: (error: unknown) => void
}

export interface CommitsOptions {
  /** Resolves once `check` knows. */
  readonly ready: () => Promise<unknown>
  /** Throws where a position may not be committed; nothing of its call is then. */
  readonly check: (position: CommitPosition) => void
  readonly send: (positions: readonly CommitPosition[]) => Promise<void>
}

/**
 * One commit under way at a time: kafkajs does not promise to send requests in the order of the calls. What comes in meanwhile goes with the next one,
 * so that a slow coordinator slows the acks down and not the reading.
 */
export class Commits {
  readonly #options: CommitsOptions
  #waiting: Waiting[] = []
  #running = false

  constructor(options: CommitsOptions) {
    this.#options = options
  }

  add(positions: readonly CommitPosition[]): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({positions, resolve, reject})
      if (!this.#running) void this.#run()
    })
  }

  async #run(): Promise<void> {
    this.#running = true
    while (this.#waiting.length > 0) await this.#next()
    this.#running = false
  }

  async #next(): Promise<void> {
    await this.#options.ready()
    const allowed = this.#waiting.filter((waiting) => this.#allows(waiting))
    this.#waiting = []
    const furthest = new Map<string, CommitPosition>()
    for (const position of allowed.flatMap(({positions}) => positions)) {
      const key = partitionKey(position)
      if (position.offset > (furthest.get(key)?.offset ?? -1)) furthest.set(key, position)
    }
    try {
      await this.#options.send([...furthest.values()])
      for (const {resolve} of allowed) resolve()
    } catch (error) {
      for (const {reject} of allowed) reject(error)
    }
  }

  #allows({positions, reject}: Waiting): boolean {
    try {
      for (const position of positions) this.#options.check(position)
      return true
    } catch (error) {
      reject(error)
      return false
    }
  }
}
