import {didYouMean} from '../config/problem.ts'
import {UnknownGroupError, UnknownTopicError} from '../core/errors.ts'
import type {BusAdmin} from '../core/ports/bus.ts'

/** Rejects with UnknownTopicError where the bus has no such topic, with the name that looks most like it. */
export async function checkTopics(admin: BusAdmin, topics: readonly string[]): Promise<void> {
  const known = await admin.listTopics()
  const unknown = topics.find((topic) => !known.includes(topic))
  if (unknown === undefined) return
  throw new UnknownTopicError(`there is no topic '${unknown}'`, {
    remedy: [...suggestion(unknown, known), 'all topics: coinpipe topics list'],
  })
}

/** Rejects with UnknownGroupError where the bus has no such group, with the name that looks most like it. */
export async function checkGroup(admin: BusAdmin, group: string): Promise<void> {
  const known = await admin.listGroups()
  if (known.includes(group)) return
  throw new UnknownGroupError(`there is no group '${group}'`, {remedy: [...suggestion(group, known), 'all groups: coinpipe groups list']})
}

function suggestion(name: string, known: readonly string[]): string[] {
  const nearest = didYouMean(name, known)
  return nearest === undefined ? [] : [`did you mean: ${nearest}`]
}
