import type {NodeProcess} from './driver.ts'
import type {ClusterHealth, NodeHealth} from './health.ts'
import {type ClusterKind, type ClusterPlan, clientAddress, type DriverName, nodesOf, type PlannedNode} from './plan.ts'

/** up: it answers its clients. starting: it runs and does not answer yet. paused: stopped by SIGSTOP. down: it does not run. */
export type NodeState = 'up' | 'starting' | 'paused' | 'down'

export interface NodeStatus {
  readonly id: string
  readonly roles: readonly string[]
  /** `host:port` that its clients use. */
  readonly address: string
  readonly state: NodeState
  readonly pid: number | null
  readonly uptimeMs: number | null
  readonly rssBytes: number | null
  /** It is the active controller of Kafka, or the leader of the ZooKeepers. */
  readonly active: boolean
}

export interface ClusterStatus {
  readonly name: string
  readonly kind: ClusterKind
  readonly driver: DriverName
  readonly version: string
  /** Every node is up and nothing is missing: no partition out of sync, a controller there. */
  readonly whole: boolean
  /** What is missing, a line each. */
  readonly problems: readonly string[]
  /** Addresses to give to clients, those behind Toxiproxy where the cluster has one. Empty where the kind has no brokers. */
  readonly brokers: readonly string[]
  /** Toxiproxy's own address, for its API; null where there is none. */
  readonly toxiproxy: string | null
  readonly folder: string
  readonly nodes: readonly NodeStatus[]
}

export interface Seen {
  readonly plan: ClusterPlan
  readonly folder: string
  /** By node id; null where the node does not run. */
  readonly processes: ReadonlyMap<string, NodeProcess | null>
  readonly health: ClusterHealth
  readonly nowMs: number
}

export function describeCluster({plan, folder, processes, health, nowMs}: Seen): ClusterStatus {
  const {name, kind, driver, version} = plan
  const nodes = plan.nodes.map((node) => describeNode(node, processes.get(node.id) ?? null, health.get(node.id), nowMs))
  const down = nodes.filter(({state}) => state === 'down' || state === 'paused').map(({id, state}) => `${id} is ${state}`)
  const problems = [...down, ...new Set([...health.values()].flatMap(({problem}) => problem ?? []))]
  const [toxiproxy] = nodesOf(plan, 'toxiproxy')
  return {
    name,
    kind,
    driver,
    version,
    whole: problems.length === 0,
    problems,
    brokers: brokerAddresses(plan),
    toxiproxy: toxiproxy ? clientAddress(toxiproxy) : null,
    folder,
    nodes,
  }
}

/** Where clients are to connect: through Toxiproxy where there is one, else they would never notice what it does to the links. */
export function brokerAddresses(plan: ClusterPlan): string[] {
  return nodesOf(plan, 'kafka').map((node) =>
    node.ports.proxied === undefined ? clientAddress(node) : `${node.host}:${node.ports.proxied}`,
  )
}

function describeNode(node: PlannedNode, process: NodeProcess | null, health: NodeHealth | undefined, nowMs: number): NodeStatus {
  return {
    id: node.id,
    roles: node.roles,
    address: clientAddress(node),
    state: stateOf(process, health),
    pid: process?.pid ?? null,
    uptimeMs: process && Math.max(0, nowMs - process.startedAtMs),
    rssBytes: process?.rssBytes ?? null,
    active: health?.active ?? false,
  }
}

function stateOf(process: NodeProcess | null, health: NodeHealth | undefined): NodeState {
  if (process === null) return 'down'
  if (process.paused) return 'paused'
  return health?.serving ? 'up' : 'starting'
}
