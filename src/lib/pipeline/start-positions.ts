import type {Context} from '../core/context.ts'
import type {BusAdmin, Position, TopicPartition} from '../core/ports/bus.ts'
import type {Sink} from '../core/ports/sink.ts'

/** How far a group is in a partition. */
export interface GroupProgress extends TopicPartition {
  /** Null where the group never committed. */
  readonly committed: number | null
  /** First offset still there. */
  readonly earliest: number
}

/** How far a group is in each of the partitions. */
export async function groupProgress(
  admin: BusAdmin,
  group: string,
  partitions: readonly TopicPartition[],
): Promise<readonly GroupProgress[]> {
  const topics = [...new Set(partitions.map(({topic}) => topic))]
  const [lags, ...described] = await Promise.all([admin.lag(group), ...topics.map((topic) => admin.describeTopic(topic))])
  const offsets = described.flatMap((description) => description.offsets)
  return partitions.map(({topic, partition}) => ({
    topic,
    partition,
    committed: lags.find((entry) => isAt(entry, {topic, partition}))?.committed ?? null,
    earliest: offsets.find((entry) => isAt(entry, {topic, partition}))?.earliest ?? 0,
  }))
}

export interface SinkStartOptions {
  readonly admin: BusAdmin
  readonly sink: Sink
  readonly group: string
}

/**
 * Where a sink that keeps positions beside its rows reads on: at the earlier of its own position and what the group has committed, which a crash sets
 * apart by a few batches. Where they differ by more, one of the two files is another than it was: a new store is filled from the beginning of the log, and
 * a new log is read from its beginning although the store has positions from the log before. What is read twice is known by its ids.
 */
export async function sinkStart(options: SinkStartOptions, partitions: readonly TopicPartition[], context: Context): Promise<Position[]> {
  const {admin, sink, group} = options
  if (!sink.keepsPositions) return []
  const kept = await sink.positions(group, partitions)
  const progress = await groupProgress(admin, group, partitions)
  return Promise.all(
    progress.map(async ({topic, partition, committed, earliest}) => {
      const position = kept.find((entry) => isAt(entry, {topic, partition}))?.offset ?? null
      const offset = position === null ? earliest : Math.min(position, committed ?? earliest)
      if (position !== committed) {
        const level = (await lacksRecords(admin, {topic, partition, offset: Math.max(position ?? 0, earliest)}, committed))
          ? 'warn'
          : 'debug'
        const fields = {group, topic, partition, position, committed, offset}
        context.logger[level](fields, 'the sink and the log differ in how far the group is: reading from the earlier place')
      }
      return {topic, partition, offset}
    }),
  )
}

/**
 * Whether there are records from the sink's position up to the committed one. On Kafka the end of a transaction takes an offset without a record: the
 * group then commits one more than the sink, which has all there is.
 */
async function lacksRecords(admin: BusAdmin, from: Position, committed: number | null): Promise<boolean> {
  if (committed === null || from.offset >= committed) return false
  const [next] = await admin.read(from, 1)
  return next !== undefined && next.offset < committed
}

export function isAt(entry: TopicPartition, {topic, partition}: TopicPartition): boolean {
  return entry.topic === topic && entry.partition === partition
}
