import type {Settings} from '../kafka/broker-settings.ts'

/** A service of a compose file, as far as it is used here. */
export interface ComposeService {
  readonly image: string
  readonly hostname: string
  readonly environment: Readonly<Record<string, string>>
  readonly ports: readonly string[]
  readonly volumes: readonly string[]
  readonly networks: Readonly<Record<string, {readonly ipv4_address: string}>>
  readonly extra_hosts?: readonly string[]
  readonly configs?: readonly {readonly source: string; readonly target: string}[]
  readonly depends_on?: Readonly<Record<string, {readonly condition: 'service_healthy' | 'service_started'}>>
  readonly healthcheck: Healthcheck
  readonly mem_limit: string
  readonly ulimits: Readonly<Record<string, number | {readonly soft: number; readonly hard: number}>>
  readonly restart: 'no' | 'unless-stopped'
  readonly stop_grace_period: string
  readonly logging: {readonly driver: string; readonly options: Readonly<Record<string, string>>}
}

interface Healthcheck {
  readonly test: readonly string[]
  readonly interval: string
  readonly timeout: string
  readonly retries: number
  readonly start_period: string
}

export interface ComposeFile {
  readonly name: string
  readonly services: Readonly<Record<string, ComposeService>>
  readonly networks: Readonly<Record<string, {readonly ipam: {readonly config: readonly {readonly subnet: string}[]}}>>
  readonly volumes: Readonly<Record<string, object>>
  readonly configs?: Readonly<Record<string, {readonly content: string}>>
}

/**
 * Pinned. Apache's own image runs KRaft only, so brokers in ZooKeeper mode are Confluent's packaging of Kafka 3.9, the last version that has it.
 * Nothing else of Confluent's is used.
 */
export const IMAGES = {
  kafka: 'apache/kafka:4.3.1',
  kafkaZk: 'confluentinc/cp-kafka:7.9.6',
  zookeeper: 'zookeeper:3.9',
  cassandra: 'cassandra:5.0.9',
} as const

/** What differs between a local cluster and a server. */
export interface Place {
  readonly name: string
  /** Of the container in its network; fixed, so that a restart does not move it. */
  readonly network: string
  readonly address: string
  readonly ports: readonly string[]
  readonly extraHosts?: readonly string[]
  readonly dependsOn?: ComposeService['depends_on']
  readonly restart: ComposeService['restart']
}

export interface ProcessMemory {
  readonly heapMb: number
  readonly directMb: number
  /** Of the container, its share of the page cache included. */
  readonly limitMb: number
}

interface Parts {
  readonly image: string
  readonly environment: Readonly<Record<string, string | number | boolean>>
  readonly volumes: readonly string[]
  readonly configs?: ComposeService['configs']
  /** Shell condition that holds once it serves. */
  readonly healthy: string
  readonly limitMb: number
}

export interface KafkaParts {
  readonly settings: Settings
  /** KRaft's; null in ZooKeeper mode. */
  readonly clusterId: string | null
  readonly port: number
  readonly memory: ProcessMemory
  readonly volumes?: readonly string[]
}

export const KAFKA_DATA = '/var/lib/kafka/data'

export function kafkaService(place: Place, {settings, clusterId, port, memory, volumes = []}: KafkaParts): ComposeService {
  const {heapMb, directMb, limitMb} = memory
  const environment = {
    ...(clusterId !== null && {CLUSTER_ID: clusterId}),
    KAFKA_HEAP_OPTS: `-Xms${heapMb}m -Xmx${heapMb}m -XX:MaxDirectMemorySize=${directMb}m`,
    ...Object.fromEntries(Object.entries(settings).map(([key, value]) => [kafkaVariable(key), value])),
  }
  return service(place, {
    image: clusterId === null ? IMAGES.kafkaZk : IMAGES.kafka,
    environment,
    volumes: [`${place.name}:${KAFKA_DATA}`, ...volumes],
    healthy: tcp(place.address, port),
    limitMb,
  })
}

/** Both images make settings from variables: dots are underscores, underscores double, dashes triple. */
export function kafkaVariable(setting: string): string {
  return `KAFKA_${setting.replaceAll('_', '__').replaceAll('-', '___').replaceAll('.', '_').toUpperCase()}`
}

export interface ZookeeperParts {
  readonly number: number
  /** Hosts of all, in order. */
  readonly quorum: readonly string[]
  readonly ports: {readonly client: number; readonly peer: number; readonly election: number}
  readonly memory: ProcessMemory
}

export function zookeeperService(place: Place, {number, quorum, ports, memory}: ZookeeperParts): ComposeService {
  const {client, peer, election} = ports
  return service(place, {
    image: IMAGES.zookeeper,
    environment: {
      ZOO_MY_ID: number,
      ZOO_SERVERS: quorum.map((host, index) => `server.${index + 1}=${host}:${peer}:${election};${client}`).join(' '),
      ZOO_STANDALONE_ENABLED: quorum.length === 1,
      ZOO_ADMINSERVER_ENABLED: false,
      ZOO_4LW_COMMANDS_WHITELIST: 'srvr,ruok',
      ZOO_AUTOPURGE_PURGEINTERVAL: 24,
      // Its own name leads to the server, whose address a container does not have.
      ZOO_CFG_EXTRA: 'quorumListenOnAllIPs=true',
      ZK_SERVER_HEAP: memory.heapMb,
    },
    volumes: [`${place.name}:/data`, `${place.name}-log:/datalog`],
    healthy: `exec 3<>/dev/tcp/${place.address}/${client} && echo srvr >&3 && grep -q Mode <&3`,
    limitMb: memory.limitMb,
  })
}

export interface CassandraParts {
  /** Name of the config that holds its cassandra.yaml. */
  readonly config: string
  readonly port: number
  readonly memory: ProcessMemory
}

/** The image changes its own cassandra.yaml at each start, so ours lies beside it. */
const CASSANDRA_YAML = '/etc/coinpipe/cassandra.yaml'

export function cassandraService(place: Place, {config, port, memory}: CassandraParts): ComposeService {
  const {heapMb, directMb, limitMb} = memory
  return service(place, {
    image: IMAGES.cassandra,
    environment: {
      MAX_HEAP_SIZE: `${heapMb}M`,
      JVM_EXTRA_OPTS: `-Dcassandra.config=file://${CASSANDRA_YAML} -XX:MaxDirectMemorySize=${directMb}m`,
    },
    volumes: [`${place.name}:/var/lib/cassandra`],
    configs: [{source: config, target: CASSANDRA_YAML}],
    healthy: tcp(place.address, port),
    limitMb,
  })
}

/** Names of the volumes that a service keeps its data in. */
export function volumesOf({volumes}: ComposeService): string[] {
  return volumes.map((volume) => volume.split(':', 1)[0] ?? '').filter((name) => /^[a-z]/.test(name))
}

function service({name, network, address, ports, extraHosts, dependsOn, restart}: Place, parts: Parts): ComposeService {
  return {
    image: parts.image,
    hostname: name,
    restart,
    ...(dependsOn !== undefined && {depends_on: dependsOn}),
    environment: Object.fromEntries(Object.entries(parts.environment).map(([key, value]) => [key, literal(value)])),
    ports,
    volumes: parts.volumes,
    ...(parts.configs !== undefined && {configs: parts.configs}),
    networks: {[network]: {ipv4_address: address}},
    ...(extraHosts !== undefined && {extra_hosts: extraHosts}),
    healthcheck: {test: ['CMD', 'bash', '-c', parts.healthy], interval: '5s', timeout: '5s', retries: 24, start_period: '60s'},
    mem_limit: `${parts.limitMb}m`,
    ulimits: {nofile: {soft: 100_000, hard: 100_000}, memlock: -1},
    stop_grace_period: '45s',
    logging: {driver: 'json-file', options: {'max-size': '10m', 'max-file': '3'}},
  }
}

/** Text as compose takes it: it reads a dollar as the beginning of a variable. */
function literal(value: string | number | boolean): string {
  return String(value).replaceAll('$', '$$$$')
}

function tcp(address: string, port: number): string {
  return `exec 3<>/dev/tcp/${address}/${port}`
}
