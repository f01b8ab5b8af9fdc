import {onTestFinished} from 'vitest'
import type {Bus, BusAdmin, BusMessage, OutgoingRecord, SubscribeOptions, Subscription} from '../../src/lib/core/ports/bus.ts'
import type {Delivery} from '../../src/lib/core/ports/component.ts'

export interface BusHandle {
  readonly bus: Bus
  readonly admin: BusAdmin
}

/** One log that several handles open, as several processes would. */
export interface BusWorld {
  /** A new handle, not yet connected. */
  handle(): BusHandle
  /** Removes the log. */
  destroy(): Promise<void>
}

export interface BusContractOptions {
  readonly name: string
  readonly open: () => Promise<BusWorld>
  /** The log keeps bytes and not what they were, as Kafka does: a value that happens to be UTF-8 comes back as text. */
  readonly bytesOnly?: boolean
}

/** How long nothing has to come before we believe that nothing comes. */
export const QUIET_MS = 150
/** How long a group may take to settle: on Kafka a rebalance takes seconds. */
export const PATIENCE_MS = 15_000

let counter = 0

/** A name that no other test uses: Kafka keeps topics and groups between tests. */
export function unique(what: string): string {
  counter += 1
  return `${what}-${process.pid}-${counter}`
}

/** Opens handles and subscriptions, and closes all of them when the test is over. */
export class Scene {
  readonly #world: BusWorld
  readonly #closers: (() => Promise<unknown>)[] = []

  static async open(options: BusContractOptions): Promise<Scene> {
    const world = await options.open()
    const scene = new Scene(world)
    onTestFinished(() => scene.#close())
    return scene
  }

  constructor(world: BusWorld) {
    this.#world = world
  }

  handle(): BusHandle {
    return this.#world.handle()
  }

  async connect(): Promise<BusHandle> {
    const handle = this.#world.handle()
    await handle.bus.connect()
    if ((handle.admin as unknown) !== handle.bus) await handle.admin.connect()
    this.#closers.push(
      () => handle.bus.close(),
      () => handle.admin.close(),
    )
    return handle
  }

  /** A connected handle and a topic of `partitions`. */
  async withTopic(partitions: number): Promise<BusHandle & {readonly topic: string}> {
    const handle = await this.connect()
    const topic = unique('topic')
    await handle.admin.ensureTopic(topic, {partitions, retentionMs: null, retentionBytes: null})
    return {...handle, topic}
  }

  subscribe(bus: Bus, options: SubscribeOptions): Reader {
    const controller = new AbortController()
    const reader = new Reader(bus.subscribe(options, controller.signal), controller)
    this.#closers.unshift(() => reader.subscription.close())
    return reader
  }

  async #close(): Promise<void> {
    for (const close of this.#closers) await close()
    await this.#world.destroy()
  }
}

/** A subscription that is read step by step. */
export class Reader {
  readonly subscription: Subscription
  readonly #controller: AbortController
  readonly #iterator: AsyncIterator<Delivery<BusMessage>>
  #next: Promise<IteratorResult<Delivery<BusMessage>>> | null = null

  constructor(subscription: Subscription, controller: AbortController) {
    this.subscription = subscription
    this.#controller = controller
    this.#iterator = subscription[Symbol.asyncIterator]()
  }

  abort(): void {
    this.#controller.abort()
  }

  /** The next delivery; fails after `ms`. */
  async next(ms = 10_000): Promise<Delivery<BusMessage>> {
    const result = await this.result(ms)
    if (result === 'nothing') throw new Error(`no delivery within ${ms} ms`)
    if (result.done) throw new Error('the subscription has ended')
    return result.value
  }

  /** The next delivery, the end, or `nothing` after `ms`: then the same delivery is still awaited. */
  async result(ms: number): Promise<IteratorResult<Delivery<BusMessage>> | 'nothing'> {
    this.#next ??= this.#iterator.next()
    const result = await orNothing(this.#next, ms)
    if (result !== 'nothing') this.#next = null
    return result
  }

  /** Reads and acks deliveries until `count` messages are there. */
  async take(count: number, ms = 10_000): Promise<BusMessage[]> {
    const messages: BusMessage[] = []
    while (messages.length < count) {
      const delivery = await this.next(ms)
      messages.push(...delivery.items)
      await delivery.ack()
    }
    return messages
  }
}

export async function orNothing<T>(work: Promise<T>, ms: number): Promise<T | 'nothing'> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<'nothing'>((resolve) => {
    timer = setTimeout(() => resolve('nothing'), ms)
  })
  try {
    return await Promise.race([work, late])
  } finally {
    clearTimeout(timer)
  }
}

/** Records with the values `<prefix>0`, `<prefix>1`…, all for one partition. */
export function numbered(
  topic: string,
  count: number,
  options: {partition?: number; prefix?: string; first?: number} = {},
): OutgoingRecord[] {
  const {partition = 0, prefix = '', first = 0} = options
  return Array.from({length: count}, (_, index) => ({topic, partition, key: null, value: `${prefix}${first + index}`}))
}

export function values(messages: readonly BusMessage[]): (string | Uint8Array | null)[] {
  return messages.map((message) => message.value)
}
