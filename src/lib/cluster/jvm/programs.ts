import {join} from 'node:path'
import {cassandraFiles, cassandraFlags, cassandraMain} from '../cassandra/launch.ts'
import {tokensOf} from '../cassandra/tokens.ts'
import {brokerSettings, formatProperties} from '../kafka/broker-settings.ts'
import {zookeeperSettings} from '../kafka/zookeeper-settings.ts'
import {LOG4J, LOG4J2} from '../logging.ts'
import {type ClusterPlan, clientPort, nodesOf, type PlannedNode, type Program, proxiesOf} from '../plan.ts'
import {javaProgram} from './java.ts'
import {javaArguments, type Launch} from './launch.ts'

export interface NodePlace {
  /** The node's own folder. */
  readonly folder: string
  readonly keystore: string
  /** Empty for a program that is not of jars. */
  readonly classPath: readonly string[]
  readonly toxiproxy: string
  readonly registry: string
  /** Classes of Cassandra, as Java shares them between processes; null where there is no such file. */
  readonly classArchive: string | null
}

const ARGUMENTS = 'java.args'
const LOG4J_FILE = 'log4j.properties'
const LOG4J2_FILE = 'log4j2.properties'

const LOG4J2_TEXT = `${LOG4J2}logger.server.name = kafka.server.KafkaRaftServer
logger.server.level = info
`

type LaunchOf = (plan: ClusterPlan, node: PlannedNode, place: NodePlace) => Launch

const LAUNCHES: Readonly<Record<Program, LaunchOf>> = {kafka: broker, zookeeper, toxiproxy, cassandra, registry}

/** How a node is started on this machine. */
export function launchOf(plan: ClusterPlan, node: PlannedNode, place: NodePlace): Launch {
  return LAUNCHES[node.program](plan, node, place)
}

function broker(plan: ClusterPlan, node: PlannedNode, place: NodePlace): Launch {
  const settings = brokerSettings(plan, node, {data: join(place.folder, 'data'), keystore: place.keystore})
  const logging =
    plan.kind === 'kafka'
      ? {name: LOG4J2_FILE, text: LOG4J2_TEXT, flag: 'log4j2.configurationFile'}
      : {name: LOG4J_FILE, text: LOG4J, flag: 'log4j.configuration'}
  return java(node, place, {
    files: {'server.properties': formatProperties(settings), [logging.name]: logging.text},
    flags: [`-D${logging.flag}=file:${join(place.folder, logging.name)}`],
    main: ['kafka.Kafka', join(place.folder, 'server.properties')],
  })
}

function zookeeper(plan: ClusterPlan, node: PlannedNode, place: NodePlace): Launch {
  const data = join(place.folder, 'data')
  return java(node, place, {
    files: {'zoo.cfg': formatProperties(zookeeperSettings(plan, node, data)), 'data/myid': `${node.number}\n`, [LOG4J_FILE]: LOG4J},
    flags: [`-Dlog4j.configuration=file:${join(place.folder, LOG4J_FILE)}`],
    main: ['org.apache.zookeeper.server.quorum.QuorumPeerMain', join(place.folder, 'zoo.cfg')],
  })
}

function toxiproxy(plan: ClusterPlan, node: PlannedNode, place: NodePlace): Launch {
  const proxies = proxiesOf(plan).map(({name, listen, upstream}) => {
    return {name, listen: `${listen.host}:${listen.port}`, upstream: `${upstream.host}:${upstream.port}`, enabled: true}
  })
  const config = join(place.folder, 'toxiproxy.json')
  return {
    files: {'toxiproxy.json': `${JSON.stringify(proxies, null, 2)}\n`},
    command: place.toxiproxy,
    args: ['-host', node.host, '-port', String(clientPort(node)), '-config', config],
  }
}

/** All are seeds: none waits for another, and all may start at once. */
function cassandra(plan: ClusterPlan, node: PlannedNode, {folder, classPath, classArchive}: NodePlace): Launch {
  const all = nodesOf(plan, 'cassandra')
  const heapMb = node.heapMb ?? 0
  const files = cassandraFiles({
    seeds: all.map(({host}) => host),
    listen: node.host,
    broadcastRpc: node.proxiedHost ?? undefined,
    ports: {client: clientPort(node), storage: node.ports.storage ?? 0},
    tokens: tokensOf(node.number, all.length),
    heapMb,
    commitLogSync: 'batch',
  })
  const text = javaArguments({
    classPath,
    heapMb,
    fullCompiler: !plan.fastStart,
    flags: [...cassandraFlags(folder, heapMb), ...(classArchive === null ? [] : ['-Xshare:auto', `-XX:SharedArchiveFile=${classArchive}`])],
    main: cassandraMain,
  })
  return {files: {...files, [ARGUMENTS]: text}, command: javaProgram('java'), args: [`@${join(folder, ARGUMENTS)}`]}
}

/** Its database is a file, written at each commit: a subject outlives kill -9. */
function registry(_plan: ClusterPlan, node: PlannedNode, place: NodePlace): Launch {
  const properties = {
    'quarkus.http.host': node.host,
    'quarkus.http.port': clientPort(node),
    'apicurio.storage.kind': 'sql',
    'apicurio.storage.sql.kind': 'h2',
    'apicurio.datasource.url': `jdbc:h2:file:${join(place.folder, 'data', 'registry')};WRITE_DELAY=0`,
  }
  return java(node, place, {
    files: {},
    flags: Object.entries(properties).map(([name, value]) => `-D${name}=${value}`),
    main: ['-jar', place.registry],
  })
}

interface JavaNode {
  readonly files: Readonly<Record<string, string>>
  readonly flags: readonly string[]
  readonly main: readonly string[]
}

function java({heapMb}: PlannedNode, {folder, classPath}: NodePlace, {files, flags, main}: JavaNode): Launch {
  const text = javaArguments({classPath, heapMb: heapMb ?? 0, flags, main})
  return {files: {...files, [ARGUMENTS]: text}, command: javaProgram('java'), args: [`@${join(folder, ARGUMENTS)}`]}
}
