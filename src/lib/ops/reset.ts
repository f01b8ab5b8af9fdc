import {InvalidInputError} from '../core/errors.ts'
import type {BusAdmin, GroupLag, PartitionOffsets, TopicDescription, TopicPartition} from '../core/ports/bus.ts'
import {checkPartition, resolveTarget, type Target} from './target.ts'

/** One partition of a reset: where the group is, and where it will go on. */
export interface ResetRow extends TopicPartition {
  /** Null where the group never committed. */
  readonly current: number | null
  readonly next: number
  /** Records that the group reads another time, and those that it never will. */
  readonly again: number
  readonly skipped: number
}

/** What `groups reset` answers. */
export interface ResetPlan {
  readonly group: string
  /** False where it was only shown. */
  readonly executed: boolean
  readonly partitions: readonly ResetRow[]
}

export interface ResetOptions {
  readonly group: string
  /** A place, or so many records on from where the group is (back where negative). */
  readonly to: Target | {readonly kind: 'shift'; readonly by: number}
  /** Default: the topics that the group has committed or reads now. */
  readonly topic?: string | undefined
  /** Default: all of them. */
  readonly partition?: number | undefined
}

/** What a reset would do; it changes nothing. A shift leaves out partitions where the group never committed. */
export async function planReset(admin: BusAdmin, {group, to, topic, partition}: ResetOptions): Promise<readonly ResetRow[]> {
  const lags = await admin.lag(group)
  const topics = topic === undefined ? [...new Set(lags.map((lag) => lag.topic))] : [topic]
  const rows: ResetRow[] = []
  for (const name of topics) {
    const description = await admin.describeTopic(name)
    if (topic !== undefined) checkPartition(description, partition)
    const own = lags.filter((lag) => lag.topic === name)
    const planned = to.kind === 'shift' ? shifted(description, own, to.by) : await moved(admin, description, own, to)
    // Of a topic that is not named only the group's own partitions are meant.
    const meant = planned.filter((row) => topic !== undefined || own.some((lag) => lag.partition === row.partition))
    rows.push(...meant.filter((row) => partition === undefined || row.partition === partition))
  }
  if (rows.length > 0) return rows
  throw new InvalidInputError(`there is no partition to reset in group '${group}'`, {
    remedy: ['name a topic that it should read: --topic', `see what it reads: coinpipe groups describe ${group}`],
  })
}

export async function reset(admin: BusAdmin, group: string, rows: readonly ResetRow[]): Promise<void> {
  await admin.resetGroup(
    group,
    rows.map(({topic, partition, next}) => ({topic, partition, offset: next})),
  )
}

async function moved(admin: BusAdmin, topic: TopicDescription, lags: readonly GroupLag[], target: Target): Promise<ResetRow[]> {
  const places = await resolveTarget(admin, topic, target)
  return topic.offsets.map((offsets) => {
    const next = places.find(({partition}) => partition === offsets.partition)?.offset ?? offsets.latest
    return row(offsets, committedOf(lags, offsets), next)
  })
}

function shifted(topic: TopicDescription, lags: readonly GroupLag[], by: number): ResetRow[] {
  return topic.offsets.flatMap((offsets) => {
    const committed = committedOf(lags, offsets)
    return committed === null ? [] : [row(offsets, committed, Math.min(Math.max(committed + by, offsets.earliest), offsets.latest))]
  })
}

function committedOf(lags: readonly GroupLag[], {partition}: TopicPartition): number | null {
  return lags.find((lag) => lag.partition === partition)?.committed ?? null
}

/** What lies before the first record that is still there is neither read again nor skipped. */
function row({topic, partition, earliest}: PartitionOffsets, current: number | null, next: number): ResetRow {
  const from = Math.max(current ?? earliest, earliest)
  return {topic, partition, current, next, again: Math.max(0, from - next), skipped: Math.max(0, next - from)}
}
