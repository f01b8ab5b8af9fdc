/**
 * Dead letters, sent once more to where they came from. What has been redriven is kept as the position of one consumer group for each topic and error
 * code, so that a run over one code does not pass over the letters of another, and none is sent twice.
 */

import type {Context} from '../core/context.ts'
import {AbortedError, DeadlineError, InvalidInputError, isRetryable, UnknownTopicError} from '../core/errors.ts'
import type {Bus, BusAdmin, BusMessage, OutgoingRecord, Position} from '../core/ports/bus.ts'
import type {Delivery} from '../core/ports/component.ts'
import {type DeadLetter, letterOf, readLetters} from './dead-letters.ts'
import {RedriveStoppedError} from './errors.ts'
import {counted} from './format.ts'

const BATCH_RECORDS = 500
/** The letters were there when they were counted: longer than this, nothing comes only where something is wrong. */
const STALL_MS = 60_000

export interface RedriveOptions {
  readonly topic: string
  /** Only letters of this error code. */
  readonly code?: string | undefined
  /** Where all of them go; default: to the topic that each came from. */
  readonly to?: string | undefined
  /** Also those that were redriven before. */
  readonly again: boolean
}

/** Letters of one error code that go to one topic. */
export interface RedriveRow {
  readonly code: string
  /** Null where the letters do not say where they came from. */
  readonly to: string | null
  /** Those that go. */
  readonly records: number
  /** Those that went before, and stay. */
  readonly before: number
  /** Those that cannot go: without a topic, or not kept in full. */
  readonly unusable: number
}

export interface RedrivePlan {
  readonly rows: readonly RedriveRow[]
  /** The last letter of each code and partition that goes. */
  readonly last: ReadonlyMap<string, readonly Position[]>
  /** How many partitions the topics have that letters go to. */
  readonly targets: ReadonlyMap<string, number>
}

/** What a redrive would do; changes nothing. Rejects with UnknownTopicError where a topic that letters should go to is not there. */
export async function planRedrive(bus: BusAdmin, options: RedriveOptions, signal: AbortSignal): Promise<RedrivePlan> {
  const positions = new Positions(bus, options)
  const rows = new Map<string, {-readonly [K in keyof RedriveRow]: RedriveRow[K]}>()
  const last = new Map<string, Map<number, Position>>()
  for await (const letter of readLetters(bus, options.topic, signal)) {
    const {code, topic, partition, offset} = letter
    if (options.code !== undefined && code !== options.code) continue
    const to = options.to ?? letter.source?.topic ?? null
    const id = JSON.stringify([code, to])
    const row = rows.get(id) ?? {code, to, records: 0, before: 0, unusable: 0}
    rows.set(id, row)
    if (offset < (await positions.of(code, partition))) row.before += 1
    else if (to === null || letter.cutFrom !== null) row.unusable += 1
    else {
      row.records += 1
      last.set(code, (last.get(code) ?? new Map<number, Position>()).set(partition, {topic, partition, offset}))
    }
  }
  const planned = [...rows.values()]
  const targets = await partitionsOf(
    bus,
    planned.filter(({records}) => records > 0).flatMap(({to}) => to ?? []),
  )
  return {rows: planned, last: new Map([...last].map(([code, places]) => [code, [...places.values()]])), targets}
}

/**
 * Sends what the plan says, each batch in one transaction with its position where the bus has transactions; elsewhere the letters of a batch that was
 * interrupted may be sent twice. Resolves with how many were sent. Rejects with RedriveStoppedError where it can go on later, and with InvalidInputError
 * where a redrive of the same letters is running.
 */
export async function redrive(bus: Bus & BusAdmin, plan: RedrivePlan, options: RedriveOptions, context: Context): Promise<number> {
  let sent = 0
  try {
    for (const [code, last] of plan.last) {
      await prepare(bus, code, options)
      sent = await new Run(bus, plan, options, context).redrive(code, last, sent)
    }
    return sent
  } catch (error) {
    if (!(error instanceof AbortedError) && !isRetryable(error)) throw error
    throw new RedriveStoppedError(`stopped before the end: ${error.message}`, {
      cause: error,
      remedy: [...error.remedy, 'what was sent stays sent; to go on, run it again without --again'],
    })
  }
}

/** The name of the group that keeps what has been redriven. */
export function redriveGroup(topic: string, code: string): string {
  return `${topic}.redrive.${code}`
}

async function prepare(bus: BusAdmin, code: string, {topic, again}: RedriveOptions): Promise<void> {
  const group = redriveGroup(topic, code)
  const {members} = await bus.describeGroup(group)
  if (members.length > 0) {
    throw new InvalidInputError(`a redrive of '${topic}' is running: group '${group}' has ${counted(members.length, 'member')}`, {
      remedy: ['wait until it is done; a killed one is gone within a minute'],
    })
  }
  if (!again) return
  const {offsets} = await bus.describeTopic(topic)
  await bus.resetGroup(
    group,
    offsets.map(({partition, earliest}) => ({topic, partition, offset: earliest})),
  )
}

class Run {
  readonly #bus: Bus
  readonly #plan: RedrivePlan
  readonly #options: RedriveOptions
  readonly #context: Context

  constructor(bus: Bus, plan: RedrivePlan, options: RedriveOptions, context: Context) {
    this.#bus = bus
    this.#plan = plan
    this.#options = options
    this.#context = context
  }

  /** Up to the last planned letter of each partition, and what came in together with it. Resolves with `sent` and what it sent itself. */
  async redrive(code: string, last: readonly Position[], sent: number): Promise<number> {
    const {topic} = this.#options
    const open = new Map(last.map(({partition, offset}) => [partition, offset]))
    const stall = new AbortController()
    const timer = setTimeout(() => stall.abort(), STALL_MS)
    const subscription = this.#bus.subscribe(
      {group: redriveGroup(topic, code), topics: [topic], from: 'earliest', maxBatchRecords: BATCH_RECORDS, maxInFlight: 1},
      AbortSignal.any([this.#context.signal, stall.signal]),
    )
    let total = sent
    try {
      for await (const delivery of subscription) {
        timer.refresh()
        total += await this.#send(code, delivery)
        for (const {partition, offset} of delivery.items)
          if (offset >= (open.get(partition) ?? Number.POSITIVE_INFINITY)) open.delete(partition)
        if (open.size === 0) return total
      }
    } finally {
      clearTimeout(timer)
      await subscription.close()
    }
    if (this.#context.signal.aborted) throw new AbortedError(`${counted(total, 'letter')} sent by then`)
    throw new DeadlineError(`letters of '${topic}' that were there did not come within ${STALL_MS / 1000} s`)
  }

  async #send(code: string, delivery: Delivery<BusMessage>): Promise<number> {
    const letters = delivery.items.map(letterOf).filter((letter) => letter.code === code && letter.cutFrom === null)
    const records = letters.flatMap((letter) => this.#recordOf(letter) ?? [])
    if (records.length === 0) await delivery.ack()
    else if (this.#bus.capabilities.transactions) {
      await this.#bus.transaction({id: redriveGroup(this.#options.topic, code)}, async (transaction) => {
        await transaction.publish(records)
        transaction.consume(delivery)
      })
    } else {
      await this.#bus.publish(records)
      await delivery.ack()
    }
    return records.length
  }

  /** To the partition that it came from, where it goes back: a pin may have put it there. One to a topic that the plan does not know came in meanwhile. */
  #recordOf({source, key, value, headers, attempts}: DeadLetter): OutgoingRecord | undefined {
    const topic = this.#options.to ?? source?.topic
    const partitions = topic === undefined ? undefined : this.#plan.targets.get(topic)
    if (topic === undefined || partitions === undefined) return undefined
    const at = source?.topic === topic ? source.partition : null
    const partition = at !== null && at < partitions ? {partition: at} : {}
    return {topic, ...partition, key, value, headers: {...headers, attempts: String((attempts ?? 0) + 1)}}
  }
}

/** How far each code has been redriven. */
class Positions {
  readonly #bus: BusAdmin
  readonly #options: RedriveOptions
  readonly #byCode = new Map<string, ReadonlyMap<number, number>>()
  #groups: readonly string[] | undefined

  constructor(bus: BusAdmin, options: RedriveOptions) {
    this.#bus = bus
    this.#options = options
  }

  /** The first offset that was not. */
  async of(code: string, partition: number): Promise<number> {
    if (this.#options.again) return 0
    const known = this.#byCode.get(code) ?? (await this.#load(code))
    return known.get(partition) ?? 0
  }

  async #load(code: string): Promise<ReadonlyMap<number, number>> {
    const group = redriveGroup(this.#options.topic, code)
    this.#groups ??= await this.#bus.listGroups()
    const lags = this.#groups.includes(group) ? await this.#bus.lag(group) : []
    const positions = new Map(lags.map(({partition, committed}) => [partition, committed ?? 0]))
    this.#byCode.set(code, positions)
    return positions
  }
}

async function partitionsOf(bus: BusAdmin, topics: readonly string[]): Promise<ReadonlyMap<string, number>> {
  const known = await bus.listTopics()
  const partitions = new Map<string, number>()
  for (const topic of new Set(topics)) {
    if (!known.includes(topic)) {
      throw new UnknownTopicError(`letters should go to '${topic}', and there is no such topic`, {
        remedy: [`create it: coinpipe topics create ${topic}`, 'or send them elsewhere: --to'],
      })
    }
    partitions.set(topic, (await bus.describeTopic(topic)).partitions)
  }
  return partitions
}
