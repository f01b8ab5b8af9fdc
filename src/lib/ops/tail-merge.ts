import type {Context} from '../core/context.ts'
import {isRetryable} from '../core/errors.ts'
import type {BusAdmin, BusMessage, Isolation, Position, TopicDescription} from '../core/ports/bus.ts'
import {Feed} from './tail-feed.ts'

/** Longest sleep without anything happening. */
const IDLE_MS = 1000
const LOOK_AGAIN_MS = 5000
const BATCH_RECORDS = 1000
/** What all partitions together may hold in memory, about. */
const MEMORY_BYTES = 32 * 1024 * 1024
const MAX_FEED_BYTES = 1024 * 1024

export interface MergeOptions {
  readonly admin: Pick<BusAdmin, 'read' | 'describeTopic'>
  readonly topic: string
  readonly starts: readonly Position[]
  /** First offsets that are not wanted; without them it goes on for ever, or until `stopMs`. */
  readonly ends: readonly Position[] | null
  readonly stopMs: number | undefined
  readonly isolation: Isolation
  /** Whether partitions that come up later are read too, from their beginning. */
  readonly follow: boolean
  /** Told what the topic is like whenever it is looked at again. */
  readonly onTopic: (topic: TopicDescription) => void
}

/**
 * The records of several partitions by their times: of the oldest ones that each partition has, always the oldest, so that a backlog comes out in one order.
 * The order inside a partition is kept. A partition that has nothing new holds the others up for a moment only. Memory is bounded: one read
 * for each partition. Ends at the ends, or when the signal aborts.
 */
export async function* mergePartitions(options: MergeOptions, context: Context): AsyncGenerator<readonly BusMessage[]> {
  const bell = new Bell()
  const merge = new Merge(options, bell, context)
  context.signal.addEventListener('abort', bell.ring)
  try {
    while (!context.signal.aborted) {
      merge.pull()
      if (merge.over) return
      const waitMs = merge.waitMs()
      if (waitMs > 0) await bell.wait(waitMs)
      else yield merge.take()
    }
  } finally {
    context.signal.removeEventListener('abort', bell.ring)
    merge.close()
  }
}

class Merge {
  readonly #options: MergeOptions
  readonly #bell: Bell
  readonly #context: Context
  #feeds: Feed[]
  #lookAgainMs: number
  #closed = false
  #error: unknown

  constructor(options: MergeOptions, bell: Bell, context: Context) {
    this.#options = options
    this.#bell = bell
    this.#context = context
    this.#feeds = options.starts.map((start) => this.#feed(start))
    this.#lookAgainMs = context.clock.monotonicMs() + LOOK_AGAIN_MS
  }

  get over(): boolean {
    return this.#feeds.every((feed) => feed.over)
  }

  /** Has all partitions read that have nothing left. Throws what ended one of them. */
  pull(): void {
    if (this.#error !== undefined) throw this.#error
    const maxBytes = Math.min(MAX_FEED_BYTES, MEMORY_BYTES / this.#feeds.length)
    for (const feed of this.#feeds) feed.pull(maxBytes)
    if (!this.#options.follow || this.#context.clock.monotonicMs() < this.#lookAgainMs) return
    this.#lookAgainMs = Number.POSITIVE_INFINITY
    void this.#lookAgain()
  }

  close(): void {
    this.#closed = true
    for (const feed of this.#feeds) feed.close()
  }

  /** 0 where there is something to take now, else how long to wait for it. */
  waitMs(): number {
    if (this.#feeds.every(({head}) => head === undefined)) return IDLE_MS
    const nowMs = this.#context.clock.monotonicMs()
    return Math.max(0, ...this.#feeds.map(({holdsUpUntilMs}) => holdsUpUntilMs - nowMs))
  }

  take(): readonly BusMessage[] {
    const batch: BusMessage[] = []
    while (batch.length < BATCH_RECORDS) {
      const oldest = this.#oldest()
      if (oldest?.head === undefined) break
      batch.push(oldest.head)
      oldest.take()
      // What it has next may be older than what the others have.
      if (oldest.head === undefined && !oldest.over) break
    }
    return batch
  }

  #oldest(): Feed | undefined {
    let oldest: Feed | undefined
    for (const feed of this.#feeds) {
      const time = feed.head?.timestampMs
      if (time !== undefined && time < (oldest?.head?.timestampMs ?? Number.POSITIVE_INFINITY)) oldest = feed
    }
    return oldest
  }

  async #lookAgain(): Promise<void> {
    try {
      const topic = await this.#options.admin.describeTopic(this.#options.topic)
      this.#options.onTopic(topic)
      const known = new Set(this.#feeds.map(({partition}) => partition))
      const added = topic.offsets.filter(({partition}) => !known.has(partition))
      for (const {partition, earliest} of added) this.#feeds.push(this.#feed({topic: topic.name, partition, offset: earliest}))
    } catch (error) {
      // One that passes is seen, and told, by the reads too.
      if (!this.#closed && !isRetryable(error)) this.#error = error
    } finally {
      this.#lookAgainMs = this.#context.clock.monotonicMs() + LOOK_AGAIN_MS
      this.#bell.ring()
    }
  }

  #feed(start: Position): Feed {
    const {admin, isolation, ends, stopMs} = this.#options
    const end = ends?.find(({partition}) => partition === start.partition)?.offset ?? null
    return new Feed(start, {admin, isolation, end, stopMs, onRead: this.#bell.ring}, this.#context)
  }
}

/** Wakes one sleeper. */
class Bell {
  #rung = Promise.withResolvers<void>()

  readonly ring = () => this.#rung.resolve()

  /** Until somebody rings, but not longer than `ms`. A ring from before counts. */
  async wait(ms: number): Promise<void> {
    const timer = setTimeout(this.ring, ms)
    await this.#rung.promise
    clearTimeout(timer)
    this.#rung = Promise.withResolvers()
  }
}
