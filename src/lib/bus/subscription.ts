import {setImmediate as turnOfEventLoop} from 'node:timers/promises'
import type {Context} from '../core/context.ts'
import {FencedError, InvalidInputError, isRetryable, NotConnectedError} from '../core/errors.ts'
import type {BusMessage, SubscribeOptions, Subscription, TopicPartition} from '../core/ports/bus.ts'
import type {Delivery} from '../core/ports/component.ts'
import {partitionKey} from './assign.ts'
import {orLate} from './deadline.ts'
import {type Cursor, type ReadRequest, type ReadResult, readFairly} from './fair-read.ts'
import type {CommitPosition, Consumption, Grant, GroupBackend, Membership} from './group-backend.ts'
import {HEARTBEAT_MS} from './group-state.ts'
import {type Entry, InFlight, type Span, type Turn} from './in-flight.ts'

interface Held extends Cursor {
  readonly epoch: number
  revoking: boolean
  /** Up to where deliveries reach. Behind the position where reading passed something that nobody gets to see: marks of transactions, aborted records. */
  delivered: number
}

/** How long `close` waits for acks, and for the group to be told. */
const CLOSE_MS = 5_000
/** Acked deliveries whose commit is under way. Nothing is kept of them but their offsets. */
const MAX_COMMITTING = 100
const DEFAULTS = {maxBatchRecords: 1000, maxBatchBytes: 4 * 1024 * 1024, maxInFlight: 4}

/** A member of a group: joins, reads fairly, hands out deliveries, commits their acks in order, and gives partitions up when told to. */
export class GroupSubscription implements Subscription {
  readonly #backend: GroupBackend
  readonly #options: SubscribeOptions
  readonly #context: Context
  readonly #signal: AbortSignal
  readonly #limits: typeof DEFAULTS
  readonly #held = new Map<string, Held>()
  readonly #inFlight = new InFlight()
  readonly #entries = new WeakMap<object, Entry>()
  readonly #settlements = new WeakMap<Entry, Promise<void>>()
  readonly #pending = new Set<Promise<void>>()
  readonly #stop = new AbortController()
  readonly #unlisten: () => void
  readonly #heart: Promise<void>
  #membership: Membership | null = null
  #waiters: (() => void)[] = []
  #failure: unknown
  #queue: Promise<unknown> = Promise.resolve()
  #syncing: Promise<void> | null = null
  #syncAgain = false
  #rotation = 0
  #closing: Promise<void> | null = null

  constructor(backend: GroupBackend, options: SubscribeOptions, context: Context, signal: AbortSignal) {
    this.#backend = backend
    this.#options = options
    this.#context = context
    this.#signal = signal
    this.#limits = {
      maxBatchRecords: options.maxBatchRecords ?? DEFAULTS.maxBatchRecords,
      maxBatchBytes: options.maxBatchBytes ?? DEFAULTS.maxBatchBytes,
      maxInFlight: options.maxInFlight ?? DEFAULTS.maxInFlight,
    }
    signal.addEventListener('abort', this.#notify, {once: true})
    this.#unlisten = backend.onChange(this.#onChange)
    this.#heart = this.#beat()
  }

  assignment(): readonly TopicPartition[] {
    return [...this.#held.values()].map(({topic, partition}) => ({topic, partition}))
  }

  [Symbol.asyncIterator](): AsyncIterator<Delivery<BusMessage>> {
    return {
      next: () => {
        const result = this.#queue.then(() => this.#next())
        this.#queue = result.catch(() => undefined)
        return result
      },
    }
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  /** For a transaction: settles one of this subscription's deliveries together with others; undefined where the delivery is from elsewhere. */
  consume(delivery: Delivery<BusMessage>, together: object): Consumption | undefined {
    const entry = this.#entries.get(delivery)
    if (entry === undefined) return undefined
    if (this.#settlements.has(entry))
      throw new InvalidInputError('a delivery was given to a transaction after it had been acked or consumed')
    const settlement = Promise.withResolvers<void>()
    this.#track(entry, settlement.promise)
    const settle = (how: () => void) => {
      how()
      settlement.resolve()
    }
    return {
      group: this.#options.group,
      memberId: entry.memberId,
      // When it is asked for: a log may be begun anew before.
      get positions() {
        return toPositions(entry)
      },
      turn: () => this.#transactionTurn(entry, together),
      done: () => settle(() => this.#finish(entry)),
      failed: (error) => settle(() => this.#failed(entry, error)),
    }
  }

  // Reading

  async #next(): Promise<IteratorResult<Delivery<BusMessage>>> {
    // A consumer that never waits for anything would otherwise read all there is before a socket or a timer had its turn.
    await turnOfEventLoop()
    for (;;) {
      if (this.#signal.aborted || this.#closing !== null) return {done: true, value: undefined}
      if (this.#failure !== undefined) throw this.#failure
      const delivery = this.#mayRead() ? this.#read() : undefined
      if (delivery !== undefined) return {done: false, value: delivery}
      await new Promise<void>((resolve) => this.#waiters.push(resolve))
    }
  }

  /** Its ack sets a delivery free for another, before the commit is through: on a network that takes as long as reading thousands of records. */
  #mayRead(): boolean {
    return this.#inFlight.open < this.#limits.maxInFlight && this.#inFlight.size < this.#limits.maxInFlight + MAX_COMMITTING
  }

  #read(): Delivery<BusMessage> | undefined {
    const memberId = this.#membership?.memberId
    const readable = [...this.#held.values()].filter((held) => !held.revoking)
    if (memberId === undefined || readable.length === 0) return undefined
    const shift = this.#rotation++ % readable.length
    const cursors = [...readable.slice(shift), ...readable.slice(0, shift)]
    const items = readFairly(cursors, this.#limits, this.#readPartition, this.#onMissed)
    const passed = cursors.filter(({delivered, position}) => delivered !== position)
    // Without items it waits for the next delivery, or until none is out: a commit of its own in between would part what a transaction settles together.
    if (passed.length === 0 || (items.length === 0 && this.#inFlight.size > 0)) return undefined
    const entry = {memberId, spans: passed.map(takeSpan)}
    if (items.length > 0) return this.#deliver(items, entry)
    this.#settleUnseen(entry)
    return undefined
  }

  /** What nobody gets to see nobody acks, and the group's lag would never be 0. */
  #settleUnseen(entry: Entry): void {
    this.#inFlight.add(entry)
    this.#ack(entry, undefined).catch((error: unknown) => {
      if (!(error instanceof FencedError || isRetryable(error))) this.#fail(error)
    })
  }

  #deliver(items: readonly BusMessage[], entry: Entry): Delivery<BusMessage> {
    this.#inFlight.add(entry)
    const delivery: Delivery<BusMessage> = {items, ack: (error) => this.#ack(entry, error)}
    this.#entries.set(delivery, entry)
    this.#context.metrics.counter('coinpipe_component_received_total').add(items.length, {component: this.#backend.component})
    return delivery
  }

  readonly #readPartition = (request: ReadRequest): ReadResult | null => {
    const result = this.#backend.read(request)
    if (result !== null && result.next < request.offset) this.#onBegunAnew(request, result)
    return result
  }

  #onBegunAnew({topic, partition, offset}: ReadRequest, {messages, next}: ReadResult): void {
    this.#context.logger.warn(
      {group: this.#options.group, topic, partition, offset},
      'position is beyond the end of the log; reading from its beginning',
    )
    this.#inFlight.drop({topic, partition})
    const held = this.#held.get(partitionKey({topic, partition}))
    if (held !== undefined) held.delivered = messages[0]?.offset ?? next
  }

  readonly #onMissed = ({topic, partition}: Cursor, missed: number) => {
    this.#context.metrics.counter('coinpipe_retention_missed_total').add(missed, {component: this.#backend.component})
    this.#context.logger.warn({group: this.#options.group, topic, partition, missed}, 'retention removed records before they were read')
  }

  // Settling

  #ack(entry: Entry, error: Error | undefined): Promise<void> {
    const earlier = this.#settlements.get(entry)
    if (earlier !== undefined) return earlier
    const settlement = error === undefined ? this.#commit(entry) : this.#nack(entry, error)
    this.#track(entry, settlement)
    return settlement
  }

  #track(entry: Entry, settlement: Promise<void>): void {
    this.#settlements.set(entry, settlement)
    this.#pending.add(settlement)
    const untrack = () => this.#pending.delete(settlement)
    settlement.then(untrack, untrack)
  }

  #commit(entry: Entry): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#inFlight.turn(entry, (turn) => this.#commitInTurn(entry, turn).then(resolve, reject))
      this.#notify()
    })
  }

  /** Nothing may be awaited before the commit is sent: the order of the calls is the order of the commits. */
  async #commitInTurn(entry: Entry, turn: Turn): Promise<void> {
    // An earlier delivery failed, and this one is read again with it: nothing to commit, and nothing that the caller could do about it.
    if (turn === 'again') return
    if (turn === 'closed') throw new NotConnectedError('the subscription was closed before this delivery could be committed')
    try {
      await this.#backend.commit(entry.memberId, toPositions(entry))
    } catch (error) {
      this.#failed(entry, error)
      throw error
    }
    this.#finish(entry)
  }

  async #nack(entry: Entry, error: Error): Promise<void> {
    this.#context.logger.debug({group: this.#options.group, err: error}, 'delivery was refused and is read again')
    this.#rewind(entry)
  }

  async #transactionTurn(entry: Entry, together: object): Promise<void> {
    const turn = await new Promise<Turn>((resolve) => this.#inFlight.turn(entry, resolve, together))
    if (turn === 'commit') return
    throw new FencedError('a delivery of this transaction is read again or its subscription has ended; nothing was written')
  }

  #finish(entry: Entry): void {
    this.#inFlight.remove(entry)
    this.#afterSettling()
  }

  /** Of what was taken away, or may have been, nothing more is read until the group has told us what we hold. */
  #failed(entry: Entry, error: unknown): void {
    if (error instanceof FencedError) {
      for (const span of entry.spans) this.#held.delete(partitionKey(span))
      void this.#sync()
    }
    this.#rewind(entry)
  }

  /** Goes back to where this delivery and the later ones began, in every partition that is still the same holding. */
  #rewind(entry: Entry): void {
    for (const {spans} of this.#inFlight.supersede(entry)) {
      for (const span of spans) {
        const held = this.#held.get(partitionKey(span))
        if (held?.epoch === span.epoch) held.position = held.delivered = Math.min(held.delivered, span.first)
      }
    }
    this.#afterSettling()
  }

  #afterSettling(): void {
    if (this.#drained().length > 0) void this.#sync()
    this.#notify()
  }

  // Membership

  async #beat(): Promise<void> {
    try {
      await this.#apply(await this.#backend.join())
      while (!this.#stop.signal.aborted) {
        await this.#context.clock.sleep(HEARTBEAT_MS, this.#stop.signal)
        await this.#sync()
      }
    } catch (error) {
      this.#fail(error)
    }
  }

  readonly #onChange = () => {
    const generation = this.#backend.generation()
    if (this.#membership !== null && generation !== null && generation !== this.#membership.generation) void this.#sync()
    this.#notify()
  }

  /** Tells the group that we live and what we drained, and takes over what it answers. One at a time; a call meanwhile has it done once more. */
  #sync(): Promise<void> {
    if (this.#closing !== null) return Promise.resolve()
    this.#syncAgain = this.#syncing !== null
    this.#syncing ??= this.#syncOnce().finally(() => {
      this.#syncing = null
      if (this.#syncAgain) void this.#sync()
    })
    return this.#syncing
  }

  async #syncOnce(): Promise<void> {
    if (this.#membership === null) return
    try {
      const membership = await this.#backend.sync(this.#membership.memberId, this.#drained())
      await this.#apply(membership ?? (await this.#backend.join()))
    } catch (error) {
      if (!isRetryable(error)) return this.#fail(error)
      // The next heartbeat tries again; until then this member goes on with what it holds, and the group's epochs keep that safe.
      this.#context.logger.warn({group: this.#options.group, err: error}, 'heartbeat failed')
    }
  }

  async #apply(membership: Membership): Promise<void> {
    const grants = new Map(membership.grants.map((grant) => [partitionKey(grant), grant]))
    const lost = [...this.#held].filter(([key, held]) => grants.get(key)?.epoch !== held.epoch)
    for (const [key] of lost) this.#held.delete(key)
    const fresh = [...grants].filter(([key]) => !this.#held.has(key))
    const wins = await this.#startPositions(fresh.map(([, grant]) => grant))
    for (const [key, grant] of fresh) {
      const {topic, partition, epoch} = grant
      const position = wins.get(key) ?? grant.committed ?? grant.earliest
      this.#held.set(key, {topic, partition, epoch, revoking: false, position, delivered: position})
    }
    for (const [key, held] of this.#held) held.revoking = grants.get(key)?.revoking ?? true
    this.#membership = membership
    if (lost.length + fresh.length > 0) this.#report(membership)
    this.#afterSettling()
  }

  async #startPositions(fresh: readonly Grant[]): Promise<Map<string, number>> {
    if (fresh.length === 0 || this.#options.startAt === undefined) return new Map()
    const positions = await this.#options.startAt(fresh.map(({topic, partition}) => ({topic, partition})))
    return new Map(positions.map((position) => [partitionKey(position), position.offset]))
  }

  #report({generation}: Membership): void {
    this.#context.metrics.counter('coinpipe_rebalances_total').add(1, {component: this.#backend.component})
    this.#context.logger.debug({group: this.#options.group, generation, partitions: [...this.#held.keys()]}, 'partitions assigned')
  }

  #drained(): readonly TopicPartition[] {
    return [...this.#held.values()]
      .filter((held) => held.revoking && !this.#inFlight.touches(held))
      .map(({topic, partition}) => ({topic, partition}))
  }

  #fail(error: unknown): void {
    if (this.#closing !== null) return
    this.#failure = error
    this.#notify()
  }

  readonly #notify = () => {
    const waiters = this.#waiters
    this.#waiters = []
    for (const resolve of waiters) resolve()
  }

  // Ending

  async #close(): Promise<void> {
    // `#closing` is set when this has returned its promise; only then may the reader look at it again.
    await Promise.resolve()
    this.#notify()
    await within(CLOSE_MS, Promise.allSettled([...this.#pending]))
    this.#inFlight.close()
    this.#stop.abort()
    this.#unlisten()
    this.#signal.removeEventListener('abort', this.#notify)
    await within(CLOSE_MS, Promise.allSettled([this.#heart, this.#syncing]))
    await within(CLOSE_MS, this.#leave())
    this.#held.clear()
    this.#backend.ended()
  }

  async #leave(): Promise<void> {
    if (this.#membership === null) return
    try {
      await this.#backend.leave(this.#membership.memberId)
    } catch (error) {
      this.#context.logger.warn({group: this.#options.group, err: error}, 'could not leave the group; its lease will run out')
    }
  }
}

/** What was read since the last delivery; the next one begins behind it. */
function takeSpan(held: Held): Span {
  const {topic, partition, epoch, delivered: first, position: next} = held
  held.delivered = next
  return {topic, partition, epoch, first, next}
}

function toPositions(entry: Entry): readonly CommitPosition[] {
  return entry.spans.map(({topic, partition, epoch, next}) => ({topic, partition, epoch, offset: next}))
}

/** A close is bounded: what is not done by then is given up. */
function within(ms: number, work: Promise<unknown>): Promise<unknown> {
  return orLate(work, ms, 'closing a subscription').catch(() => undefined)
}
