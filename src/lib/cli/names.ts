import type {Config} from '../config/load.ts'
import {didYouMean} from '../config/problem.ts'
import {UnknownGroupError, UnknownTopicError} from '../core/errors.ts'
import type {BusAdmin} from '../core/ports/bus.ts'

type BusKind = Config['bus']['kind']

/** What lists names, and what it lists. */
const LISTS = {topics: 'all topics', groups: 'all groups', dlq: 'all that hold dead letters'} as const

/** Rejects with UnknownTopicError where the bus has no such topic, with the name that looks most like it, and with `list` for the others. */
export async function checkTopics(
  admin: BusAdmin,
  topics: readonly string[],
  bus: BusKind,
  list: 'topics' | 'dlq' = 'topics',
): Promise<void> {
  const known = await admin.listTopics()
  const unknown = topics.find((topic) => !known.includes(topic))
  if (unknown === undefined) return
  throw new UnknownTopicError(`there is no topic '${unknown}' ${place(bus)}`, {remedy: remedy(unknown, known, list, bus)})
}

/** Rejects with UnknownGroupError where the bus has no such group, with the name that looks most like it. */
export async function checkGroup(admin: BusAdmin, group: string, bus: BusKind): Promise<void> {
  const known = await admin.listGroups()
  if (known.includes(group)) return
  throw new UnknownGroupError(`there is no group '${group}' ${place(bus)}`, {remedy: remedy(group, known, 'groups', bus)})
}

function place(bus: BusKind): string {
  return bus === 'kafka' ? 'on Kafka' : 'in the embedded log'
}

/** Says the bus too: who forgot the flag looks in the wrong place otherwise, and without a hint. */
function remedy(name: string, known: readonly string[], list: keyof typeof LISTS, bus: BusKind): string[] {
  const nearest = didYouMean(name, known)
  return [
    ...(nearest === undefined ? [] : [`did you mean: ${nearest}`]),
    ...(bus === 'kafka'
      ? [`${LISTS[list]}: coinpipe ${list} list --bus kafka`]
      : [`${LISTS[list]}: coinpipe ${list} list`, 'to look on Kafka: add --bus kafka']),
  ]
}
