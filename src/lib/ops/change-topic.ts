import type {BusAdmin, TopicChanges, TopicConfig} from '../core/ports/bus.ts'
import {checkTopicName} from '../core/topics.ts'
import {describeTopic, type TopicView} from './topics.ts'

/** What `topics create` answers. */
export interface CreatedTopic extends TopicView {
  /** False where it was there already, and stayed as it was. */
  readonly created: boolean
}

/** Rejects with InvalidInputError for a name that no bus takes, with TopicMismatchError where the topic is there with another number of partitions. */
export async function createTopic(admin: BusAdmin, topic: string, config: TopicConfig): Promise<CreatedTopic> {
  checkTopicName(topic)
  const created = !(await admin.listTopics()).includes(topic)
  await admin.ensureTopic(topic, config)
  return {...(await describeTopic(admin, topic)), created}
}

/** Whether the topic would keep less than now, so that records may go at once. */
export function keepsLess({retentionMs, retentionBytes}: TopicView, changes: TopicChanges): boolean {
  return isLess(changes.retentionMs, retentionMs) || isLess(changes.retentionBytes, retentionBytes)
}

/** Null is no limit, undefined no change. */
function isLess(next: number | null | undefined, now: number | null): boolean {
  return next !== undefined && next !== null && (now === null || next < now)
}
