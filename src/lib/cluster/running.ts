import type {Context} from '../core/context.ts'
import {Cluster} from './cluster.ts'
import {type ClusterPlan, clientPort, nodesOf, type Program} from './plan.ts'
import {ClusterFolders} from './state.ts'
import {brokerAddresses, clientHosts} from './status.ts'

export interface RunningKafka {
  readonly name: string
  /** `host:port` of every broker, also of those that are down at the moment; behind Toxiproxy where the cluster has one. */
  readonly brokers: readonly string[]
}

export interface RunningCassandra {
  readonly name: string
  /** Address of every node, also of those that are down at the moment, without a port; behind Toxiproxy where the cluster has one. */
  readonly hosts: readonly string[]
  readonly port: number
  readonly localDatacenter: string
}

/** What SimpleSnitch calls the one data centre that it knows. */
const DATACENTER = 'datacenter1'

/** The local Kafka clusters of which at least one broker's process runs: what `--brokers` may default to. Asks no broker anything. */
export async function runningBrokers(dataDir: string, context: Context): Promise<RunningKafka[]> {
  return (await runningPlans(dataDir, 'kafka', context)).map((plan) => ({name: plan.name, brokers: brokerAddresses(plan)}))
}

/** The local Cassandra clusters of which at least one node's process runs: what `--hosts` may default to. Asks no node anything. */
export async function runningCassandra(dataDir: string, context: Context): Promise<readonly RunningCassandra[]> {
  return (await runningPlans(dataDir, 'cassandra', context)).flatMap((plan) => {
    const nodes = nodesOf(plan, 'cassandra')
    const [first] = nodes
    return first ? [{name: plan.name, hosts: clientHosts(plan), port: clientPort(first), localDatacenter: DATACENTER}] : []
  })
}

/** Plans of the clusters of which a process of `program` runs. */
async function runningPlans(dataDir: string, program: Program, context: Context): Promise<ClusterPlan[]> {
  const folders = new ClusterFolders(dataDir, context.clock)
  const found = await Promise.all(
    folders.names().map(async (name) => {
      const state = folders.read(name)
      if (state === null) return []
      const cluster = new Cluster(state, folders, context)
      const processes = await Promise.all(nodesOf(state.plan, program).map(async (node) => await cluster.inspect(node)))
      return processes.some((process) => process !== null) ? [state.plan] : []
    }),
  )
  return found.flat()
}
