import type {Clock} from '../core/context.ts'
import type {BusAdmin, PartitionOffsets, Position} from '../core/ports/bus.ts'
import type {Sink} from '../core/ports/sink.ts'
import {isAt} from './start-positions.ts'

const POLL_MS = 20

/** Waits until a group has committed all that its topics hold; false where `deadline` aborts first. */
export function groupCaughtUp(admin: BusAdmin, group: string, deadline: AbortSignal, clock: Clock): Promise<boolean> {
  return until(async () => (await admin.lag(group)).every(({lag}) => lag === 0), deadline, clock)
}

/** The same, and the positions that a sink keeps beside its rows too: they are behind the group's while a new store is being filled. */
export function sinkCaughtUp(
  {admin, sink, group, topics}: {admin: BusAdmin; sink: Sink; group: string; topics: readonly string[]},
  deadline: AbortSignal,
  clock: Clock,
): Promise<boolean> {
  return until(
    async () => {
      if (!(await admin.lag(group)).every(({lag}) => lag === 0)) return false
      if (!sink.keepsPositions) return true
      const described = await Promise.all(topics.map((topic) => admin.describeTopic(topic)))
      const ends = described.flatMap(({offsets}) => offsets)
      const positions = await sink.positions(group, ends)
      const behind = ends.filter(
        (end) => end.latest > end.earliest && (positions.find((position) => isAt(position, end))?.offset ?? 0) < end.latest,
      )
      return (await Promise.all(behind.map((end) => isEmptyFrom(admin, end, positions)))).every((empty) => empty)
    },
    deadline,
    clock,
  )
}

/** On Kafka the last offsets may be marks of transactions, which no sink ever sees. */
async function isEmptyFrom(admin: BusAdmin, end: PartitionOffsets, positions: readonly Position[]): Promise<boolean> {
  const offset = positions.find((position) => isAt(position, end))?.offset ?? end.earliest
  return (await admin.read({topic: end.topic, partition: end.partition, offset}, 1)).length === 0
}

async function until(reached: () => Promise<boolean>, deadline: AbortSignal, clock: Clock): Promise<boolean> {
  while (!(await reached())) {
    if (deadline.aborted) return false
    await clock.sleep(POLL_MS, deadline).catch(() => undefined)
  }
  return true
}
