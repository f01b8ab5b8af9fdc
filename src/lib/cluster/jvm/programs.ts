import {join} from 'node:path'
import {brokerSettings, formatProperties} from '../kafka/broker-settings.ts'
import {zookeeperSettings} from '../kafka/zookeeper-settings.ts'
import {type ClusterPlan, clientPort, nodesOf, type PlannedNode} from '../plan.ts'
import {javaProgram} from './java.ts'
import {javaArguments, type Launch} from './launch.ts'

export interface NodePlace {
  /** The node's own folder. */
  readonly folder: string
  readonly keystore: string
  /** Empty for a program that is not Java. */
  readonly classPath: readonly string[]
  readonly toxiproxy: string
}

const ARGUMENTS = 'java.args'
const LOG4J = 'log4j.properties'
const LOG4J2 = 'log4j2.properties'

/** Kafka 4 logs by log4j 2. */
const LOG4J2_TEXT = `status = error
shutdownHook = disable
appender.out.type = Console
appender.out.name = out
appender.out.layout.type = PatternLayout
appender.out.layout.pattern = [%d] %p %m (%c)%n
rootLogger.level = warn
rootLogger.appenderRef.out.ref = out
logger.server.name = kafka.server.KafkaRaftServer
logger.server.level = info
`

const LOG4J_TEXT = `log4j.rootLogger=WARN, out
log4j.appender.out=org.apache.log4j.ConsoleAppender
log4j.appender.out.layout=org.apache.log4j.PatternLayout
log4j.appender.out.layout.ConversionPattern=[%d] %p %m (%c)%n
log4j.logger.kafka.server.KafkaServer=INFO
`

/** How a node is started on this machine. */
export function launchOf(plan: ClusterPlan, node: PlannedNode, place: NodePlace): Launch {
  if (node.program === 'toxiproxy') return toxiproxy(plan, node, place)
  return node.program === 'zookeeper' ? zookeeper(plan, node, place) : broker(plan, node, place)
}

function broker(plan: ClusterPlan, node: PlannedNode, place: NodePlace): Launch {
  const settings = brokerSettings(plan, node, {data: join(place.folder, 'data'), keystore: place.keystore})
  const logging =
    plan.kind === 'kafka'
      ? {name: LOG4J2, text: LOG4J2_TEXT, flag: 'log4j2.configurationFile'}
      : {name: LOG4J, text: LOG4J_TEXT, flag: 'log4j.configuration'}
  return java(node, place, {
    files: {'server.properties': formatProperties(settings), [logging.name]: logging.text},
    flags: [`-D${logging.flag}=file:${join(place.folder, logging.name)}`],
    main: ['kafka.Kafka', join(place.folder, 'server.properties')],
  })
}

function zookeeper(plan: ClusterPlan, node: PlannedNode, place: NodePlace): Launch {
  const data = join(place.folder, 'data')
  return java(node, place, {
    files: {'zoo.cfg': formatProperties(zookeeperSettings(plan, node, data)), 'data/myid': `${node.number}\n`, [LOG4J]: LOG4J_TEXT},
    flags: [`-Dlog4j.configuration=file:${join(place.folder, LOG4J)}`],
    main: ['org.apache.zookeeper.server.quorum.QuorumPeerMain', join(place.folder, 'zoo.cfg')],
  })
}

function toxiproxy(plan: ClusterPlan, node: PlannedNode, place: NodePlace): Launch {
  const proxies = nodesOf(plan, 'kafka').map(({id, host, ports}) => {
    return {name: id, listen: `${host}:${ports.proxied}`, upstream: `${host}:${ports.behindProxy}`, enabled: true}
  })
  const config = join(place.folder, 'toxiproxy.json')
  return {
    files: {'toxiproxy.json': `${JSON.stringify(proxies, null, 2)}\n`},
    command: place.toxiproxy,
    args: ['-host', node.host, '-port', String(clientPort(node)), '-config', config],
  }
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
