/** How many copies Kafka keeps, and how many of them must have a record: what the config says, and what it means where it says nothing. */

import type {FileConfig} from './schema.ts'

/** `durable`: any one of three brokers may die, and the other two go on taking records (DESIGN: Promises). */
const DURABLE = {replicas: 3, minInsync: 2}
const USUAL = {replicas: 2, minInsync: 1}

export function busReplicas({replicas, durable}: FileConfig['bus']): number {
  return replicas ?? (durable ? DURABLE : USUAL).replicas
}

export interface Replication {
  readonly replicas: number
  readonly minInsync: number
}

export function topicReplication({bus, topics}: Pick<FileConfig, 'bus' | 'topics'>, topic: string): Replication {
  const settings = topics[topic]
  return {
    replicas: settings?.replicas ?? busReplicas(bus),
    minInsync: settings?.minInsyncReplicas ?? (bus.durable ? DURABLE : USUAL).minInsync,
  }
}
