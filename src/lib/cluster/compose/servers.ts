import {stringify} from 'yaml'
import {renderCassandraYaml} from '../node/cassandra.ts'
import {kafkaSettings} from '../node/kafka.ts'
import {cassandraSettings} from '../node/launch.ts'
import {bracketed, type KafkaMode, type NodeKind, type NodeSpec, PORTS, planNode, quorumOf} from '../node/spec.ts'
import {
  type ComposeFile,
  type ComposeService,
  cassandraService,
  KAFKA_DATA,
  kafkaService,
  type Place,
  type ProcessMemory,
  volumesOf,
  zookeeperService,
} from './service.ts'

export interface ServerCompose {
  /** Place of this server in `hosts`, from 1. */
  readonly id: number
  readonly hosts: readonly string[]
  /** Address of each server in the local network, in the order of `hosts`; a variable such as `${MAC1}` may stand for one. */
  readonly addresses: readonly string[]
  readonly mode: KafkaMode
  /** Name or id of the cluster, the same on every server. */
  readonly clusterId: string
  /** Memory of the server. */
  readonly totalMb: number
}

const NETWORK = 'coinpipe'
const SUBNET = '172.28.5'
const ADDRESSES: Readonly<Record<NodeKind, number>> = {kafka: 11, zookeeper: 12, cassandra: 13}

/**
 * The compose file of one of the servers: a broker with its controller, or with a ZooKeeper, and a Cassandra node. Servers reach one another by the ports
 * of the machines; the names of `hosts` are known in every container.
 */
export function renderServerCompose(server: ServerCompose): string {
  const withZookeeper = server.mode === 'zookeeper' && server.id <= quorumOf(server.hosts).length
  const services: Record<string, ComposeService> = {
    ...(withZookeeper && {zookeeper: zookeeper(server)}),
    kafka: kafka(server, withZookeeper),
    cassandra: cassandra(server),
  }
  const file: ComposeFile = {
    name: NETWORK,
    services,
    networks: {[NETWORK]: {ipam: {config: [{subnet: `${SUBNET}.0/24`}]}}},
    volumes: Object.fromEntries(
      Object.values(services)
        .flatMap(volumesOf)
        .map((name) => [name, {}]),
    ),
    configs: {'cassandra-yaml': {content: renderCassandraYaml(cassandraOf(server))}},
  }
  return stringify(file, {lineWidth: 0})
}

function kafka(server: ServerCompose, withZookeeper: boolean): ComposeService {
  const spec = specOf('kafka', server)
  const {external, controller, internal} = PORTS.kafka
  const ports = spec.memory.own.part === 'broker' ? [external, internal] : [external, controller, internal]
  // Started only: it is healthy once a majority of the servers is there, which may be hours later.
  const dependsOn = withZookeeper ? {zookeeper: {condition: 'service_started' as const}} : undefined
  return kafkaService(placeOf('kafka', ports, server, dependsOn), {
    settings: kafkaSettings(spec, KAFKA_DATA),
    clusterId: server.mode === 'kraft' ? spec.clusterId : null,
    port: external,
    memory: memory(spec),
  })
}

function zookeeper(server: ServerCompose): ComposeService {
  const {client, peer, election} = PORTS.zookeeper
  return zookeeperService(placeOf('zookeeper', [client, peer, election], server), {
    number: server.id,
    quorum: quorumOf(server.hosts),
    ports: PORTS.zookeeper,
    memory: memory(specOf('zookeeper', server)),
  })
}

function cassandra(server: ServerCompose): ComposeService {
  const {client, storage} = PORTS.cassandra
  return cassandraService(placeOf('cassandra', [client, storage], server), {
    config: 'cassandra-yaml',
    port: client,
    memory: memory(specOf('cassandra', server)),
  })
}

/** Listens on the container's address, and is known by the server's. */
function cassandraOf(server: ServerCompose) {
  const spec = specOf('cassandra', server)
  return {...cassandraSettings(spec), listen: addressOf('cassandra'), broadcast: spec.host, broadcastRpc: spec.host}
}

function specOf(kind: NodeKind, {id, hosts, mode, clusterId, totalMb}: ServerCompose): NodeSpec {
  return planNode({kind, id, hosts, mode, clusterId, totalMb, listen: '0.0.0.0'})
}

function placeOf(name: NodeKind, ports: readonly number[], server: ServerCompose, dependsOn?: ComposeService['depends_on']): Place {
  const extraHosts = server.hosts.map((host, index) => `${host}=${bracketed(server.addresses[index] ?? '')}`)
  return {
    name,
    network: NETWORK,
    address: addressOf(name),
    ports: ports.map((port) => `${port}:${port}`),
    extraHosts,
    ...(dependsOn !== undefined && {dependsOn}),
    restart: 'unless-stopped',
  }
}

function addressOf(kind: NodeKind): string {
  return `${SUBNET}.${ADDRESSES[kind]}`
}

/** The page cache counts as the container's memory. The broker and Cassandra get half of it each. */
function memory({memory: plan}: NodeSpec): ProcessMemory {
  const {part, heapMb, directMb, totalMb} = plan.own
  const pageCacheMb = part === 'zookeeper' ? 0 : Math.floor(plan.pageCacheMb / 2)
  return {heapMb, directMb, limitMb: totalMb + pageCacheMb}
}
