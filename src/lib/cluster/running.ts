import type {Context} from '../core/context.ts'
import {Cluster} from './cluster.ts'
import {nodesOf} from './plan.ts'
import {ClusterFolders} from './state.ts'
import {brokerAddresses} from './status.ts'

export interface RunningKafka {
  readonly name: string
  /** `host:port` of every broker, also of those that are down at the moment; behind Toxiproxy where the cluster has one. */
  readonly brokers: readonly string[]
}

/** The local Kafka clusters of which at least one broker's process runs: what `--brokers` may default to. Asks no broker anything. */
export async function runningBrokers(dataDir: string, context: Context): Promise<RunningKafka[]> {
  const folders = new ClusterFolders(dataDir, context.clock)
  const found = await Promise.all(
    folders.names().map(async (name) => {
      const state = folders.read(name)
      if (state === null) return []
      const cluster = new Cluster(state, folders, context)
      const processes = await Promise.all(nodesOf(state.plan, 'kafka').map(async (node) => await cluster.inspect(node)))
      return processes.some((process) => process !== null) ? [{name, brokers: brokerAddresses(state.plan)}] : []
    }),
  )
  return found.flat()
}
