import type {NodeProcess} from './driver.ts'
import type {ClusterHealth, NodeHealth} from './health.ts'
import {keystoreOf} from './kafka/keystore.ts'
import {type ClusterKind, type ClusterPlan, clientAddress, clientPort, type DriverName, nodesOf, type PlannedNode} from './plan.ts'

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
  /**
   * whole: every node is up and nothing is missing, no partition out of sync, a controller there. stopped: nothing of it was started since it was taken down.
   * broken: anything else.
   */
  readonly state: 'whole' | 'broken' | 'stopped'
  /** What is missing, a line each. */
  readonly problems: readonly string[]
  /** Addresses to give to clients, those behind Toxiproxy where the cluster has one. Empty where the kind has no brokers. */
  readonly brokers: readonly string[]
  /** `host:port` of every Cassandra node, for clients to begin with: behind Toxiproxy where the cluster has one. Empty for the other kinds. */
  readonly contactPoints: readonly string[]
  /** Where the brokers listen, by the listener's name: PLAINTEXT, and PROXIED, SASL_PLAINTEXT and SSL where there are such. */
  readonly listeners: Readonly<Record<string, readonly string[]>>
  /** The file with the certificate that the SSL listener's clients have to trust; null where there is no such listener. */
  readonly certificate: string | null
  /** Toxiproxy's own address, for its API; null where there is none. */
  readonly toxiproxy: string | null
  readonly folder: string
  readonly nodes: readonly NodeStatus[]
}

export interface Seen {
  readonly plan: ClusterPlan
  readonly folder: string
  /** Nothing was started since the cluster was taken down. */
  readonly stopped: boolean
  /** By node id; null where the node does not run. */
  readonly processes: ReadonlyMap<string, NodeProcess | null>
  readonly health: ClusterHealth
  readonly nowMs: number
}

export function describeCluster({plan, folder, stopped, processes, health, nowMs}: Seen): ClusterStatus {
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
    state: problems.length === 0 ? 'whole' : stopped ? 'stopped' : 'broken',
    problems: stopped ? [] : problems,
    brokers: brokerAddresses(plan),
    contactPoints: nodesOf(plan, 'cassandra').map((node) => `${clientHost(node)}:${clientPort(node)}`),
    listeners: advertised(plan),
    certificate: plan.security?.tls ? keystoreOf(folder).certificate : null,
    toxiproxy: toxiproxy ? clientAddress(toxiproxy) : null,
    folder,
    nodes,
  }
}

/** Where clients are to connect: through Toxiproxy where there is one, else they would never notice what it does to the links. */
export function brokerAddresses(plan: ClusterPlan): readonly string[] {
  const {PLAINTEXT = [], PROXIED = PLAINTEXT} = advertised(plan)
  return PROXIED
}

/** Addresses of the Cassandra nodes, without their port: those that the nodes tell their clients. */
export function clientHosts(plan: ClusterPlan): readonly string[] {
  return nodesOf(plan, 'cassandra').map(clientHost)
}

function clientHost({host, proxiedHost}: PlannedNode): string {
  return proxiedHost ?? host
}

function advertised(plan: ClusterPlan): Record<string, string[]> {
  const addresses: Record<string, string[]> = {}
  for (const {name, advertised} of nodesOf(plan, 'kafka').flatMap(({listeners}) => listeners)) {
    if (advertised) addresses[name] = [...(addresses[name] ?? []), `${advertised.host}:${advertised.port}`]
  }
  return addresses
}

function describeNode(node: PlannedNode, process: NodeProcess | null, health: NodeHealth | undefined, nowMs: number): NodeStatus {
  return {
    id: node.id,
    roles: node.roles,
    address: clientAddress(node),
    state: stateOf(process, health),
    pid: process?.pid ?? null,
    uptimeMs: process && Math.max(0, Math.round(nowMs - process.startedAtMs)),
    rssBytes: process?.rssBytes ?? null,
    active: health?.active ?? false,
  }
}

function stateOf(process: NodeProcess | null, health: NodeHealth | undefined): NodeState {
  if (process === null) return 'down'
  if (process.paused) return 'paused'
  return health?.serving ? 'up' : 'starting'
}
