import type {Bus, BusAdmin} from '../../src/lib/core/ports/bus.ts'
import {until} from './until.ts'

const MEMBERS_OUT_MS = 20_000
const TOPICS_GONE_MS = 15_000

/** Deletes every group and topic of a bus: tests that share brokers use the same names. */
export async function emptyBus(bus: Bus & BusAdmin): Promise<void> {
  const isEmpty = async (group: string) => (await bus.describeGroup(group)).members.length === 0
  for (const group of await bus.listGroups()) {
    await until(`the members of ${group} that were killed to be out`, () => isEmpty(group), MEMBERS_OUT_MS)
    await bus.deleteGroup(group)
  }
  for (const topic of await bus.listTopics()) await bus.deleteTopic(topic)
  await until('the topics to be gone', async () => (await bus.listTopics()).length === 0, TOPICS_GONE_MS)
}
