import {InvalidInputError} from '../core/errors.ts'
import type {BusAdmin, Position, TopicDescription} from '../core/ports/bus.ts'
import {parseTime} from '../core/time.ts'

/** A place in a topic, in the words of flags. */
export type Target =
  | {readonly kind: 'earliest'}
  | {readonly kind: 'latest'}
  | {readonly kind: 'offset'; readonly offset: number}
  /** The first record that the log took at or after this time. */
  | {readonly kind: 'time'; readonly atMs: number}

/** `earliest`, `latest`, an offset, or a time as core/time.ts takes it. Throws InvalidInputError for anything else. */
export function parseTarget(text: string, nowMs: number): Target {
  if (text === 'earliest' || text === 'latest') return {kind: text}
  if (!/^\d+$/.test(text)) return {kind: 'time', atMs: Math.floor(parseTime(text, nowMs) / 1000)}
  const offset = Number(text)
  if (Number.isSafeInteger(offset)) return {kind: 'offset', offset}
  throw new InvalidInputError(`${text} is not an offset`, {remedy: [`the largest is ${Number.MAX_SAFE_INTEGER}`]})
}

/** Where the target is in each partition, never outside of what the log has. */
export async function resolveTarget(admin: BusAdmin, topic: TopicDescription, target: Target): Promise<readonly Position[]> {
  const atTime = target.kind === 'time' ? await admin.offsetsAt(topic.name, target.atMs) : []
  return topic.offsets.map(({topic: name, partition, earliest, latest}) => {
    const offset = {
      earliest,
      latest,
      offset: target.kind === 'offset' ? target.offset : 0,
      time: atTime.find((position) => position.partition === partition)?.offset ?? latest,
    }[target.kind]
    return {topic: name, partition, offset: Math.min(Math.max(offset, earliest), latest)}
  })
}

/** Throws InvalidInputError where the topic has no such partition. */
export function checkPartition(topic: TopicDescription, partition: number | undefined): void {
  if (partition === undefined || topic.offsets.some((offsets) => offsets.partition === partition)) return
  throw new InvalidInputError(`topic '${topic.name}' has no partition ${partition}`, {
    remedy: [`it has ${topic.partitions}, counted from 0: coinpipe topics describe ${topic.name}`],
  })
}
