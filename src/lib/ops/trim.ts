import type {BusAdmin, TopicPartition} from '../core/ports/bus.ts'
import {checkPartition, resolveTarget, type Target} from './target.ts'

/** One partition to trim: what goes, and where it will start. */
export interface TrimRow extends TopicPartition {
  readonly earliest: number
  /** The first offset that stays. */
  readonly before: number
  readonly records: number
}

export interface TrimOptions {
  readonly topic: string
  /** Default: all of them. */
  readonly partition?: number | undefined
  readonly before: Target
}

/** What trimming would remove; partitions that lose nothing are left out. */
export async function planTrim(admin: BusAdmin, {topic, partition, before}: TrimOptions): Promise<readonly TrimRow[]> {
  const description = await admin.describeTopic(topic)
  checkPartition(description, partition)
  const places = await resolveTarget(admin, description, before)
  return description.offsets.flatMap(({partition: id, earliest}) => {
    const place = places.find((position) => position.partition === id)?.offset ?? earliest
    const asked = partition === undefined || partition === id
    return asked && place > earliest ? [{topic, partition: id, earliest, before: place, records: place - earliest}] : []
  })
}

export async function trim(admin: BusAdmin, rows: readonly TrimRow[]): Promise<void> {
  await admin.trim(rows.map(({topic, partition, before}) => ({topic, partition, offset: before})))
}
