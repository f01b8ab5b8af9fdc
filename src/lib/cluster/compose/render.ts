import {createHash} from 'node:crypto'
import {basename} from 'node:path'
import {stringify} from 'yaml'
import {UnsupportedError} from '../../core/errors.ts'
import {type BrokerPaths, brokerSettings, type Settings} from '../kafka/broker-settings.ts'
import {renderCassandraYaml} from '../node/cassandra.ts'
import {type ClusterPlan, clientPort, nodesOf, type PlannedNode, type Program} from '../plan.ts'
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

const NETWORK = 'coinpipe'
/** Between containers; every other listener is for clients outside, and known by the address of the plan. */
const INTERNAL_PORT = 19_092
const SECRETS = '/etc/kafka/secrets'
/** Besides the heap. Seen: Kafka 40 to 50 MiB at little load, ZooKeeper 30, Cassandra 500. */
const BESIDE_HEAP_MB: Readonly<Record<Program, number>> = {kafka: 256, zookeeper: 96, cassandra: 640, registry: 0, toxiproxy: 0}
const SEEDS = 2

export interface ComposeOptions {
  /** Keystore of the brokers, where the plan has TLS. */
  readonly keystore?: string
}

/**
 * The compose file of a local cluster: its nodes in containers with fixed addresses, reached at the plan's own loopback addresses and ports. Throws
 * UnsupportedError where the plan has a program without an official image.
 */
export function renderCompose(plan: ClusterPlan, options: ComposeOptions = {}): string {
  const services = Object.fromEntries(plan.nodes.map((node) => [node.id, serviceOf(plan, node, options)]))
  const cassandras = nodesOf(plan, 'cassandra')
  const file: ComposeFile = {
    name: projectOf(plan),
    services,
    networks: {[NETWORK]: {ipam: {config: [{subnet: `${subnet(plan)}.0/24`}]}}},
    volumes: Object.fromEntries(
      Object.values(services)
        .flatMap(volumesOf)
        .map((name) => [name, {}]),
    ),
    ...(cassandras.length > 0 && {
      configs: Object.fromEntries(cassandras.map((node) => [configOf(node), {content: cassandraYaml(plan, node)}])),
    }),
  }
  return stringify(file, {lineWidth: 0})
}

/** Compose keeps projects apart by name. */
export function projectOf({name}: ClusterPlan): string {
  return `coinpipe-${name}`
}

function serviceOf(plan: ClusterPlan, node: PlannedNode, options: ComposeOptions): ComposeService {
  if (node.program === 'kafka') return kafka(plan, node, options)
  if (node.program === 'zookeeper') return zookeeper(plan, node)
  if (node.program === 'cassandra') return cassandra(plan, node)
  throw new UnsupportedError(`${node.program} does not run in containers here`, {remedy: ['start the cluster with --driver jvm']})
}

function kafka(plan: ClusterPlan, node: PlannedNode, {keystore}: ComposeOptions): ComposeService {
  const zookeepers = nodesOf(plan, 'zookeeper').map(({id}) => [id, {condition: 'service_healthy' as const}])
  const inside = `${SECRETS}/${basename(keystore ?? 'none')}`
  return kafkaService(placeOf(plan, node, zookeepers.length > 0 ? Object.fromEntries(zookeepers) : undefined), {
    settings: containerSettings(plan, node, {data: KAFKA_DATA, keystore: inside}),
    clusterId: plan.kind === 'kafka' ? plan.clusterId : null,
    port: clientPort(node),
    memory: memoryOf(node),
    ...(keystore !== undefined && {volumes: [`${keystore}:${inside}:ro`]}),
  })
}

/** The plan's settings, with a listener between containers, whose names are the nodes' ids. */
function containerSettings(plan: ClusterPlan, node: PlannedNode, paths: BrokerPaths): Settings {
  const inContainers = {...plan, nodes: plan.nodes.map((node) => ({...node, host: node.id}))}
  const settings = brokerSettings(inContainers, node, paths)
  return {
    ...settings,
    listeners: [`INTERNAL://:${INTERNAL_PORT}`, ...node.listeners.map(({name, port}) => `${name}://:${port}`)].join(','),
    'advertised.listeners': `INTERNAL://${node.id}:${INTERNAL_PORT},${settings['advertised.listeners']}`,
    'listener.security.protocol.map': `INTERNAL:PLAINTEXT,${settings['listener.security.protocol.map']}`,
    'inter.broker.listener.name': 'INTERNAL',
  }
}

function zookeeper(plan: ClusterPlan, node: PlannedNode): ComposeService {
  const {client = 0, peer = 0, election = 0} = node.ports
  return zookeeperService(placeOf(plan, node), {
    number: node.number,
    quorum: nodesOf(plan, 'zookeeper').map(({id}) => id),
    ports: {client, peer, election},
    memory: memoryOf(node),
  })
}

/** One after the other: each takes its tokens by what the ones before have. */
function cassandra(plan: ClusterPlan, node: PlannedNode): ComposeService {
  const before = nodesOf(plan, 'cassandra').find(({number}) => number === node.number - 1)
  const dependsOn = before && {[before.id]: {condition: 'service_healthy' as const}}
  return cassandraService(placeOf(plan, node, dependsOn), {config: configOf(node), port: clientPort(node), memory: memoryOf(node)})
}

function cassandraYaml(plan: ClusterPlan, node: PlannedNode): string {
  return renderCassandraYaml({
    seeds: nodesOf(plan, 'cassandra')
      .slice(0, SEEDS)
      .map((seed) => addressOf(plan, seed)),
    listen: addressOf(plan, node),
    broadcastRpc: node.host,
    ports: {client: clientPort(node), storage: node.ports.storage ?? 0},
    heapMb: node.heapMb ?? 0,
    commitLogSync: 'batch',
  })
}

function configOf({id}: PlannedNode): string {
  return `${id}-yaml`
}

function placeOf(plan: ClusterPlan, node: PlannedNode, dependsOn?: ComposeService['depends_on']): Place {
  // Ports between nodes need not leave the containers' network.
  const clients = node.program === 'kafka' ? node.listeners.flatMap(({advertised, port}) => (advertised ? [port] : [])) : [clientPort(node)]
  return {
    name: node.id,
    network: NETWORK,
    address: addressOf(plan, node),
    ports: clients.map((port) => `${node.host}:${port}:${port}`),
    ...(dependsOn !== undefined && {dependsOn}),
    restart: 'no',
  }
}

function addressOf(plan: ClusterPlan, node: PlannedNode): string {
  const first = 11
  return `${subnet(plan)}.${first + plan.nodes.findIndex(({id}) => id === node.id)}`
}

/** Another one for each cluster, the same each time. */
function subnet({name}: ClusterPlan): string {
  return `172.30.${createHash('sha256').update(name).digest().readUInt8(0)}`
}

function memoryOf({program, heapMb}: PlannedNode): ProcessMemory {
  const heap = heapMb ?? 0
  const directMb = Math.max(32, Math.floor(heap / 4))
  return {heapMb: heap, directMb, limitMb: heap + directMb + BESIDE_HEAP_MB[program]}
}
