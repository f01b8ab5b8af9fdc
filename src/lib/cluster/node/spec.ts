import {createHash} from 'node:crypto'
import {isIPv6} from 'node:net'
import {NodeOptionsError} from './errors.ts'
import {type MemoryPlan, memoryPlan, type Part} from './memory.ts'

export const NODE_KINDS = ['kafka', 'zookeeper', 'cassandra'] as const
export type NodeKind = (typeof NODE_KINDS)[number]

/** What keeps Kafka's metadata: its own controllers, or ZooKeeper. */
export const KAFKA_MODES = ['kraft', 'zookeeper'] as const
export type KafkaMode = (typeof KAFKA_MODES)[number]

/** The same on every server. EXTERNAL is for clients, INTERNAL and CONTROLLER are between servers. */
export const PORTS = {
  kafka: {external: 9092, controller: 9093, internal: 9094},
  zookeeper: {client: 2181, peer: 2888, election: 3888},
  cassandra: {client: 9042, storage: 7000, jmx: 7199},
} as const

/** What the command line says. */
export interface NodeRequest {
  readonly kind: NodeKind
  /** Place of this server in `hosts`, from 1. */
  readonly id: number
  /** Every server of the cluster, the same list on each. */
  readonly hosts: readonly string[]
  readonly mode: KafkaMode
  /** `host:port` that clients of this broker are told; default: this server, port 9092. */
  readonly external?: string | undefined
  /** Address that is listened on; default: the server's own name. */
  readonly listen?: string | undefined
  /** Name or id of the cluster; default: the list of hosts. */
  readonly clusterId?: string | undefined
  /** Memory of the machine. */
  readonly totalMb: number
  readonly heapMb?: number | undefined
  /** What else runs on this machine. Default: the other two kinds, as on three servers that do everything; ZooKeeper in its mode only. */
  readonly beside?: readonly NodeKind[] | undefined
}

/** One node of one server, worked out. Every server works out the same of the others, without talking to them. */
export interface NodeSpec {
  /** `kafka-1`. */
  readonly name: string
  readonly kind: NodeKind
  readonly id: number
  readonly hosts: readonly string[]
  readonly mode: KafkaMode
  readonly host: string
  readonly listen: string
  readonly external: {readonly host: string; readonly port: number}
  /** 16 bytes as 22 characters of base64url; KRaft's storage is formatted with it. */
  readonly clusterId: string
  readonly memory: MemoryPlan
}

const KAFKA_ID = /^[A-Za-z0-9_][A-Za-z0-9_-]{21}$/
const QUORUM = 3

/** Servers that vote: one of fewer than three, else the first three. */
export function quorumOf(hosts: readonly string[]): readonly string[] {
  return hosts.slice(0, hosts.length < QUORUM ? 1 : QUORUM)
}

/** Works a node out. Throws NodeOptionsError. */
export function planNode(request: NodeRequest): NodeSpec {
  const {kind, id, hosts, mode} = request
  const host = checkHosts(hosts, id)
  if (kind === 'zookeeper' && id > quorumOf(hosts).length) {
    throw new NodeOptionsError(`ZooKeeper runs on the first ${quorumOf(hosts).length} of ${hosts.length} servers, not on number ${id}`, {
      remedy: ['start a broker or a Cassandra node there, and no ZooKeeper'],
    })
  }
  const part = partOf(kind, request)
  const beside = besideOf(request).map((other) => partOf(other, request))
  return {
    name: `${kind}-${id}`,
    kind,
    id,
    hosts,
    mode,
    host,
    listen: request.listen ?? host,
    external: parseExternal(request.external ?? `${bracketed(host)}:${PORTS.kafka.external}`),
    clusterId: clusterId(request.clusterId ?? hosts.join(',')),
    memory: memoryPlan({totalMb: request.totalMb, part, beside, heapMb: request.heapMb}),
  }
}

/** The address as it stands in front of a port. */
export function bracketed(host: string): string {
  return isIPv6(host) ? `[${host}]` : host
}

/**
 * An id as Kafka writes them, the same from the same text, so that servers agree without talking. The first bit is cleared: an id that begins with a
 * dash would be read as an option by Kafka's tools.
 */
export function clusterId(text: string): string {
  if (KAFKA_ID.test(text)) return text
  const bytes = createHash('sha256').update(`coinpipe cluster ${text}`).digest().subarray(0, 16)
  bytes.writeUInt8(bytes.readUInt8(0) & 0x7f, 0)
  return bytes.toString('base64url')
}

function checkHosts(hosts: readonly string[], id: number): string {
  const bad = hosts.find((host) => !/^[A-Za-z0-9._:-]+$/.test(host) || (host.includes(':') && !isIPv6(host)))
  if (bad !== undefined || hosts.length === 0) {
    throw new NodeOptionsError(`'${bad ?? ''}' is not the name or address of a server`, {
      remedy: ['name every server, without ports: --hosts mac1,mac2,mac3'],
    })
  }
  if (new Set(hosts).size < hosts.length) {
    throw new NodeOptionsError(`a server is named twice: ${hosts.join(', ')}`, {remedy: ['name each server once in --hosts']})
  }
  const host = hosts[id - 1]
  if (host !== undefined) return host
  throw new NodeOptionsError(`there is no server number ${id} among ${hosts.length}: ${hosts.join(', ')}`, {
    remedy: [`give this server's place in --hosts with --id, 1 to ${hosts.length}`],
  })
}

function partOf(kind: NodeKind, {mode, id, hosts}: NodeRequest): Part {
  if (kind !== 'kafka') return kind
  return mode === 'kraft' && id <= quorumOf(hosts).length ? 'broker+controller' : 'broker'
}

function besideOf({kind, mode, id, hosts, beside}: NodeRequest): readonly NodeKind[] {
  const withZookeeper = mode === 'zookeeper' && id <= quorumOf(hosts).length
  const usual: readonly NodeKind[] = withZookeeper ? NODE_KINDS : ['kafka', 'cassandra']
  return (beside ?? usual).filter((other) => other !== kind)
}

function parseExternal(text: string): {host: string; port: number} {
  const [, bracketedHost, plainHost, digits] = /^(?:\[(.+)\]|([A-Za-z0-9._-]+)):(\d{1,5})$/.exec(text) ?? []
  const [host, port] = [bracketedHost ?? plainHost ?? '', Number(digits)]
  const taken: readonly number[] = [PORTS.kafka.controller, PORTS.kafka.internal]
  if (host !== '' && port >= 1 && port <= 65_535 && !taken.includes(port)) return {host, port}
  throw new NodeOptionsError(`'${text}' is not an address for clients`, {
    remedy: [
      `give host:port with --external, for example mac1.example:9092; ports ${taken.join(' and ')} are taken by listeners between servers`,
    ],
  })
}
