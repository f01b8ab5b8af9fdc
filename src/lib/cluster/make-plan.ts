import {ClusterDiffersError, ClusterOptionsError} from './errors.ts'
import {JAR_LOCKS, parseCoordinate} from './jars/lock.ts'
import {kafkaUuid} from './kafka/uuid.ts'
import {
  CLUSTER_KINDS,
  type ClusterKind,
  type ClusterPlan,
  type ClusterSecurity,
  clientPort,
  type DriverName,
  nodesOf,
  type PlannedListener,
  type PlannedNode,
  type Program,
} from './plan.ts'

/** What may be asked of a cluster; all but the kind has a default. */
export interface PlanOptions {
  readonly kind: ClusterKind
  /** Default: the kind. */
  readonly name?: string | undefined
  /** Brokers, Cassandra nodes or registries. ZooKeepers come on top: one for fewer than three brokers, else three. */
  readonly nodes?: number | undefined
  /** One address for each node; in ZooKeeper mode the brokers' first, then the ZooKeepers'. */
  readonly hosts?: readonly string[] | undefined
  /** Port for clients; a broker's other listeners are on the ports after it. */
  readonly port?: number | undefined
  /** MiB of heap for each broker, Cassandra node or registry. */
  readonly heapMb?: number | undefined
  /** Whether clients may also reach the brokers, or reach the Cassandra nodes, through Toxiproxy. */
  readonly proxy?: boolean | undefined
  /** Whether Cassandra's nodes make do with Java's first compiler. */
  readonly fastStart?: boolean | undefined
  readonly security?: ClusterSecurity | undefined
  readonly driver?: DriverName | undefined
}

/** What a kind is when nothing is said. */
interface KindDefaults {
  readonly program: Program
  /** The first node's address is 127.0.0.<this + 1>. */
  readonly addresses: number
  readonly nodes: number
  readonly port: number
  readonly heapMb: number
  readonly version: string
}

/** Addresses of one kind end where the next one's begin. */
const MAX_NODES = 9
const MAX_PORT = 65_530
const CONTROLLERS = 3
const NAME = /^[a-z0-9][a-z0-9-]{0,31}$/
const TOXIPROXY_PORT = 8474
const ZOOKEEPER = {addresses: 30, heapMb: 64, ports: {client: 2181, peer: 2888, election: 3888}}

const DEFAULTS: Readonly<Record<ClusterKind, KindDefaults>> = {
  kafka: {program: 'kafka', addresses: 20, nodes: 3, port: 9092, heapMb: 256, version: versionOf(JAR_LOCKS.kafka)},
  'kafka-zk': {program: 'kafka', addresses: 20, nodes: 3, port: 9092, heapMb: 256, version: versionOf(JAR_LOCKS['kafka-zk'])},
  cassandra: {program: 'cassandra', addresses: 10, nodes: 3, port: 9042, heapMb: 384, version: versionOf(JAR_LOCKS.cassandra)},
  // Later versions want Java 21.
  registry: {program: 'registry', addresses: 40, nodes: 1, port: 8081, heapMb: 256, version: '3.0.9'},
}

/** Works out a new cluster. Throws ClusterOptionsError where it cannot be as asked. */
export function makePlan(options: PlanOptions): ClusterPlan {
  const {kind, name = kind, security = null, driver = 'jvm'} = options
  const defaults = DEFAULTS[kind]
  if (!Object.hasOwn(DEFAULTS, kind)) throw wrong(`there is no kind of cluster '${kind}'`, `choose one of: ${CLUSTER_KINDS.join(', ')}`)
  if (!NAME.test(name)) throw wrong(`cluster name '${name}' is not allowed`, 'use 1 to 32 small letters, digits and dashes')
  const {nodes: count = defaults.nodes, port = defaults.port, heapMb = defaults.heapMb, proxy = false, fastStart = false} = options
  checkNumbers(count, port, heapMb)
  const isKafka = kind === 'kafka' || kind === 'kafka-zk'
  if (proxy && !isKafka && kind !== 'cassandra') throw wrong(`a proxy is for Kafka and Cassandra clusters, not for ${kind}`)
  if (security && !isKafka) throw wrong(`users are for Kafka clusters, not for ${kind}`)
  if (fastStart && kind !== 'cassandra')
    throw wrong('a fast start is for Cassandra clusters; the others always have it', 'leave --fast-start away')
  const hosts = takeHosts(kind, count, options.hosts)
  const main = hosts.main.map((host, index) => mainNode({kind, host, number: index + 1, count, port, heapMb, proxy, security}))
  const nodes = [
    ...hosts.zookeepers.map(zookeeperNode),
    ...(proxy ? [toxiproxyNode(options.hosts?.[0] ?? `127.0.0.${defaults.addresses}`)] : []),
    ...main,
  ]
  return {kind, name, driver, version: defaults.version, clusterId: kafkaUuid(), nodes, security, fastStart}
}

/** Throws ClusterDiffersError where what was asked is not what the cluster is; what was not asked is as it is. */
export function checkSame(plan: ClusterPlan, options: PlanOptions): void {
  const main = nodesOf(plan, DEFAULTS[plan.kind].program)
  const [first] = main
  const seen: Readonly<Record<string, readonly [unknown, unknown]>> = {
    kind: [plan.kind, options.kind],
    driver: [plan.driver, options.driver],
    nodes: [main.length, options.nodes],
    hosts: [[...main, ...nodesOf(plan, 'zookeeper')].map(({host}) => host).join(','), options.hosts?.join(',')],
    port: [first && clientPort(first), options.port],
    heap: [`${first?.heapMb} MiB`, options.heapMb && `${options.heapMb} MiB`],
    proxy: [nodesOf(plan, 'toxiproxy').length > 0, options.proxy],
    'fast start': [plan.fastStart, options.fastStart],
    security: [JSON.stringify(plan.security), options.security && JSON.stringify(options.security)],
  }
  const differences = Object.entries(seen)
    .filter(([, [has, asked]]) => asked !== undefined && has !== asked)
    .map(([what, [has, asked]]) => (what === 'security' ? 'other users' : `${what} ${has}, not ${asked}`))
  if (differences.length > 0) throw new ClusterDiffersError(plan.kind, plan.name, differences)
}

function checkNumbers(count: number, port: number, heapMb: number): void {
  const isWhole = (value: number, min: number, max: number) => Number.isInteger(value) && value >= min && value <= max
  if (!isWhole(count, 1, MAX_NODES)) throw wrong(`a cluster of ${count} nodes`, `ask for 1 to ${MAX_NODES} with --nodes`)
  if (!isWhole(port, 1, MAX_PORT)) throw wrong(`port ${port} leaves no room for what a node listens on`, `choose 1 to ${MAX_PORT}`)
  if (!isWhole(heapMb, 32, 65_536)) throw wrong(`a heap of ${heapMb} MiB`, 'give whole MiB from 32MiB on with --heap')
}

function takeHosts(kind: ClusterKind, count: number, hosts?: readonly string[]): {main: readonly string[]; zookeepers: readonly string[]} {
  const zookeepers = kind === 'kafka-zk' ? (count < CONTROLLERS ? 1 : CONTROLLERS) : 0
  const from = (addresses: number, length: number) => Array.from({length}, (_, index) => `127.0.0.${addresses + index + 1}`)
  const all = hosts ?? [...from(DEFAULTS[kind].addresses, count), ...from(ZOOKEEPER.addresses, zookeepers)]
  if (all.length !== count + zookeepers) {
    const needed = zookeepers > 0 ? `${count} for brokers and then ${zookeepers} for ZooKeepers` : `${count}`
    throw wrong(`${all.length} addresses for ${count + zookeepers} nodes`, `give ${needed} with --hosts`)
  }
  if (new Set(all).size < all.length) throw wrong(`an address is given twice: ${all.join(', ')}`, 'give each node an address of its own')
  return {main: all.slice(0, count), zookeepers: all.slice(count)}
}

interface MainNode {
  readonly kind: ClusterKind
  readonly host: string
  readonly number: number
  readonly count: number
  readonly port: number
  readonly heapMb: number
  readonly proxy: boolean
  readonly security: ClusterSecurity | null
}

function mainNode(options: MainNode): PlannedNode {
  const {kind, host, number, port, heapMb} = options
  const {program} = DEFAULTS[kind]
  const common = {id: `${program}-${number}`, program, number, host, heapMb, proxiedHost: null}
  if (program === 'cassandra') {
    const proxiedHost = options.proxy ? proxiedHostOf(host) : null
    return {...common, roles: ['cassandra'], ports: {client: port, storage: 7000}, listeners: [], proxiedHost}
  }
  if (program === 'registry') return {...common, roles: ['registry'], ports: {client: port}, listeners: []}
  const isController = kind === 'kafka' && number <= (options.count < CONTROLLERS ? 1 : CONTROLLERS)
  const listeners = brokerListeners(options, isController)
  const proxied = options.proxy ? {proxied: port + 5} : {}
  const ports = Object.fromEntries(listeners.map((listener) => [PORT_NAMES[listener.name], listener.port]))
  return {...common, roles: isController ? ['broker', 'controller'] : ['broker'], ports: {...ports, ...proxied}, listeners}
}

const PORT_NAMES: Readonly<Record<PlannedListener['name'], string>> = {
  PLAINTEXT: 'client',
  CONTROLLER: 'controller',
  SASL_PLAINTEXT: 'sasl',
  SSL: 'ssl',
  PROXIED: 'behindProxy',
}

function brokerListeners({host, port, proxy, security}: MainNode, isController: boolean): PlannedListener[] {
  const own = (name: PlannedListener['name'], protocol: PlannedListener['protocol'], port: number): PlannedListener => {
    return {name, protocol, port, advertised: {host, port}}
  }
  const all: (PlannedListener | false)[] = [
    own('PLAINTEXT', 'PLAINTEXT', port),
    isController && {name: 'CONTROLLER', protocol: 'PLAINTEXT', port: port + 1, advertised: null},
    security !== null && own('SASL_PLAINTEXT', 'SASL_PLAINTEXT', port + 2),
    security?.tls === true && own('SSL', 'SSL', port + 3),
    // Clients come through Toxiproxy's port and are told to come back by it.
    proxy && {name: 'PROXIED', protocol: 'PLAINTEXT', port: port + 4, advertised: {host, port: port + 5}},
  ]
  return all.filter((listener) => listener !== false)
}

function zookeeperNode(host: string, index: number): PlannedNode {
  const {ports, heapMb} = ZOOKEEPER
  const id = `zookeeper-${index + 1}`
  return {id, program: 'zookeeper', number: index + 1, roles: ['zookeeper'], host, ports, listeners: [], proxiedHost: null, heapMb}
}

/**
 * 127.0.1.11 for 127.0.0.11. An address of its own, for Cassandra tells clients the addresses of its nodes without ports: behind the proxy, too, all have the
 * same one.
 */
function proxiedHostOf(host: string): string {
  const [, first = '', second = '', last = ''] = /^(127\.\d+)\.(\d+)\.(\d+)$/.exec(host) ?? []
  if (first === '')
    throw wrong(`${host} has no address beside it for a proxy`, 'give addresses that begin with 127. with --hosts, or leave --proxy away')
  return `${first}.${(Number(second) + 1) % 256}.${last}`
}

function toxiproxyNode(host: string): PlannedNode {
  const ports = {client: TOXIPROXY_PORT}
  return {id: 'toxiproxy', program: 'toxiproxy', number: 1, roles: ['proxy'], host, ports, listeners: [], proxiedHost: null, heapMb: null}
}

function versionOf({roots}: {readonly roots: readonly string[]}): string {
  return parseCoordinate(roots[0] ?? '').version
}

function wrong(message: string, ...remedy: string[]): ClusterOptionsError {
  return new ClusterOptionsError(message, {remedy})
}
