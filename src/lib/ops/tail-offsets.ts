/** Where `tail` starts and stops, in the words of kcat's `-o`. */

import {InvalidInputError} from '../core/errors.ts'
import type {BusAdmin, PartitionOffsets, Position, TopicDescription} from '../core/ports/bus.ts'
import {parseTime} from '../core/time.ts'

export type TailStart =
  | {readonly kind: 'beginning'}
  | {readonly kind: 'end'}
  /** Where a group is; what it never committed is read from its beginning. */
  | {readonly kind: 'stored'}
  | {readonly kind: 'offset'; readonly offset: number}
  /** So many offsets before the end of each partition. */
  | {readonly kind: 'before-end'; readonly count: number}
  /** The first record that the log took at or after this time. */
  | {readonly kind: 'time'; readonly atMs: number}

export interface TailRange {
  /** Undefined where it is not said. */
  readonly start: TailStart | undefined
  /** A record of this time (milliseconds) or later is the first that is not shown. */
  readonly stopMs: number | undefined
}

const FORMS = 'beginning, end, stored, an offset, -<n> from the end, s@<time> to start and e@<time> to stop'

/** Reads the values of `-o`: one place to start and one to stop, each at most once. Throws InvalidInputError. */
export function parseOffsets(texts: readonly string[], nowMs: number): TailRange {
  let start: TailStart | undefined
  let stopMs: number | undefined
  for (const text of texts) {
    const isStop = text.startsWith('e@')
    if (isStop ? stopMs !== undefined : start !== undefined) {
      throw new InvalidInputError(`'${text}' is a second place to ${isStop ? 'stop' : 'start'}`, {remedy: ['leave one of them away']})
    }
    if (isStop) stopMs = parseMs(text.slice(2), nowMs)
    else start = parseStart(text, nowMs)
  }
  return {start, stopMs}
}

function parseStart(text: string, nowMs: number): TailStart {
  if (text === 'beginning' || text === 'end' || text === 'stored') return {kind: text}
  if (text.startsWith('s@')) return {kind: 'time', atMs: parseMs(text.slice(2), nowMs)}
  const number = /^-?\d+$/.test(text) ? Number(text) : Number.NaN
  if (!Number.isSafeInteger(number)) throw new InvalidInputError(`'${text}' is not a place in a topic`, {remedy: [`write ${FORMS}`]})
  return text.startsWith('-') ? {kind: 'before-end', count: -number} : {kind: 'offset', offset: number}
}

/** kcat takes milliseconds only; here a time as all commands read it will do too. */
function parseMs(text: string, nowMs: number): number {
  const ms = /^\d+$/.test(text) ? Number(text) : parseTime(text, nowMs) / 1000
  if (Number.isSafeInteger(Math.floor(ms))) return Math.floor(ms)
  throw new InvalidInputError(`'${text}' is not a time`, {
    remedy: ['write milliseconds since the epoch, or a time such as 2026-01-31T09:00:00Z'],
  })
}

/** The start in each partition, never outside of what the log has. `group` is the one of `stored`. */
export async function resolveStart(
  admin: BusAdmin,
  topic: TopicDescription,
  start: TailStart,
  group?: string,
): Promise<readonly Position[]> {
  const offsetIn = await placer(admin, topic.name, start, group)
  return topic.offsets.map((offsets) => {
    const {topic: name, partition, earliest, latest} = offsets
    return {topic: name, partition, offset: Math.min(Math.max(offsetIn(offsets), earliest), latest)}
  })
}

async function placer(admin: BusAdmin, topic: string, start: TailStart, group?: string): Promise<(offsets: PartitionOffsets) => number> {
  switch (start.kind) {
    case 'beginning':
      return ({earliest}) => earliest
    case 'end':
      return ({latest}) => latest
    case 'offset':
      return () => start.offset
    case 'before-end':
      return ({latest}) => latest - start.count
    case 'time': {
      const places = byPartition(await admin.offsetsAt(topic, start.atMs), ({offset}) => offset)
      return ({partition, latest}) => places.get(partition) ?? latest
    }
    case 'stored': {
      if (group === undefined)
        throw new InvalidInputError("'stored' is where a group is, and none is named", {remedy: ['name it: --group']})
      const lags = (await admin.lag(group)).filter((lag) => lag.topic === topic)
      const places = byPartition(lags, ({committed}) => committed)
      return ({partition, earliest}) => places.get(partition) ?? earliest
    }
  }
}

function byPartition<T extends {readonly partition: number}, V>(items: readonly T[], value: (item: T) => V): Map<number, V> {
  return new Map(items.map((item) => [item.partition, value(item)]))
}
