import type {Bus, BusAdmin, BusMessage} from '../../src/lib/core/ports/bus.ts'

const TICK_MS = 20

/** What became of what a {@link Load} published. */
export interface LoadReport {
  readonly acked: ReadonlySet<number>
  readonly rejected: number
  /** Longest time from one acknowledgement to the next, and the longest wait of one publish. */
  readonly longestGapMs: number
  readonly longestPublishMs: number
}

/** Publishes numbered records to all partitions of a topic in turn, at a steady rate and whatever becomes of them, until it is stopped. */
export class Load {
  readonly #options: {readonly bus: Bus; readonly topic: string; readonly partitions: number; readonly perSecond: number}
  readonly #acked = new Set<number>()
  readonly #open = new Set<Promise<void>>()
  readonly #timer: NodeJS.Timeout
  #next = 0
  #rejected = 0
  #longestGapMs = 0
  #longestPublishMs = 0
  #startedMs = performance.now()
  #ackedAtMs = performance.now()

  constructor(options: {readonly bus: Bus; readonly topic: string; readonly partitions: number; readonly perSecond: number}) {
    this.#options = options
    this.#timer = setInterval(() => this.#tick(), TICK_MS)
  }

  get acked(): number {
    return this.#acked.size
  }

  /** Resolves once every publish has ended. */
  async stop(): Promise<LoadReport> {
    clearInterval(this.#timer)
    await Promise.all(this.#open)
    const {size} = this.#acked
    if (size === 0) throw new Error('nothing was acknowledged')
    return {
      acked: this.#acked,
      rejected: this.#rejected,
      longestGapMs: Math.round(this.#longestGapMs),
      longestPublishMs: Math.round(this.#longestPublishMs),
    }
  }

  #tick(): void {
    const {topic, partitions, perSecond} = this.#options
    const due = Math.floor(((performance.now() - this.#startedMs) / 1000) * perSecond)
    const numbers = Array.from({length: due - this.#next}, (_, at) => this.#next + at)
    this.#next = due
    const records = numbers.map((value) => ({topic, partition: value % partitions, key: null, value: String(value)}))
    for (let partition = 0; partition < partitions; partition++) {
      const own = records.filter((record) => record.partition === partition)
      if (own.length === 0) continue
      const work = this.#publish(own).finally(() => this.#open.delete(work))
      this.#open.add(work)
    }
  }

  async #publish(records: readonly {topic: string; partition: number; key: null; value: string}[]): Promise<void> {
    const sentMs = performance.now()
    try {
      await this.#options.bus.publish(records)
    } catch {
      // Whether they were written is not known, so nothing is said of them.
      this.#rejected += records.length
      return
    }
    const nowMs = performance.now()
    for (const {value} of records) this.#acked.add(Number(value))
    this.#longestPublishMs = Math.max(this.#longestPublishMs, nowMs - sentMs)
    this.#longestGapMs = Math.max(this.#longestGapMs, nowMs - this.#ackedAtMs)
    this.#ackedAtMs = nowMs
  }
}

/** What a log holds of a load, judged by what was acknowledged. */
export interface LoadVerdict {
  readonly lost: readonly number[]
  readonly repeated: number
  /** Records that first stand behind a later one of their partition. */
  readonly misplaced: readonly number[]
}

export async function judge(admin: BusAdmin, topic: string, acked: ReadonlySet<number>): Promise<LoadVerdict> {
  const {offsets} = await admin.describeTopic(topic)
  const found = new Set<number>()
  const misplaced: number[] = []
  let total = 0
  for (const {partition, earliest, latest} of offsets) {
    let highest = -1
    for (let offset = earliest; offset < latest; ) {
      const page: readonly BusMessage[] = await admin.read({topic, partition, offset}, 10_000)
      for (const value of page.map((message) => Number(message.value))) {
        total += 1
        if (!found.has(value) && value < highest) misplaced.push(value)
        highest = Math.max(highest, value)
        found.add(value)
      }
      offset = (page.at(-1)?.offset ?? latest) + 1
    }
  }
  return {lost: [...acked].filter((value) => !found.has(value)), repeated: total - found.size, misplaced}
}
