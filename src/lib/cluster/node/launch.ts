import {join} from 'node:path'
import {CASSANDRA_MODULE_FLAGS} from '../cassandra/module-flags.ts'
import type {JarSet} from '../jars/lock.ts'
import {quoted} from '../jvm/launch.ts'
import {formatProperties} from '../kafka/broker-settings.ts'
import {LOG4J, LOG4J2, LOGBACK} from '../logging.ts'
import {type CassandraSettings, renderCassandraYaml} from './cassandra.ts'
import {kafkaSettings} from './kafka.ts'
import {type NodeSpec, PORTS} from './spec.ts'
import {zookeeperSettings} from './zookeeper.ts'

/** What it takes to run one node of a server. */
export interface NodeLaunch {
  /** Text by name, below the node's folder; written anew before each start. */
  readonly files: Readonly<Record<string, string>>
  readonly jars: JarSet
  /** Arguments of java but for the class path: flags, then the main class and its own. */
  readonly flags: readonly string[]
  readonly main: readonly string[]
}

/** Where a node's records are, below its folder. */
export const DATA = 'data'

const CASSANDRA_SEEDS = 2

const LOG4J2_TEXT = `${LOG4J2}logger.server.name = kafka.server
logger.server.level = info
logger.settings.name = kafka.server.KafkaConfig
logger.settings.level = warn
`

const LOG4J_TEXT = `${LOG4J}log4j.logger.org.apache.zookeeper.server.quorum.QuorumPeer=INFO
`

/** For the long run: G1 with short pauses; out of memory ends the process, so that whoever runs it starts it anew. */
const FLAGS = [
  '-XX:+UseG1GC',
  '-XX:MaxGCPauseMillis=100',
  '-XX:+ExitOnOutOfMemoryError',
  '-XX:+PerfDisableSharedMem',
  '-Djava.awt.headless=true',
]

/** Files and command line of a node that keeps everything below `folder`. */
export function launchOf(spec: NodeSpec, folder: string): NodeLaunch {
  if (spec.kind === 'cassandra') return cassandra(spec, folder)
  return spec.kind === 'zookeeper' ? zookeeper(spec, folder) : kafka(spec, folder)
}

/** The text of a file that java reads its arguments from; a class path of 100 jars is too long to be seen in a list of processes. */
export function argumentFile({flags, main}: NodeLaunch, classPath: readonly string[]): string {
  return [...flags, '-cp', classPath.join(':'), ...main].map((text) => `${quoted(text)}\n`).join('')
}

function kafka(spec: NodeSpec, folder: string): NodeLaunch {
  const kraft = spec.mode === 'kraft'
  const logging = kraft
    ? {name: 'log4j2.properties', text: LOG4J2_TEXT, flag: 'log4j2.configurationFile'}
    : {name: 'log4j.properties', text: LOG4J_TEXT, flag: 'log4j.configuration'}
  return {
    files: {'server.properties': formatProperties(kafkaSettings(spec, join(folder, DATA))), [logging.name]: logging.text},
    jars: kraft ? 'kafka' : 'kafka-zk',
    flags: [...memoryFlags(spec), ...FLAGS, `-D${logging.flag}=file:${join(folder, logging.name)}`],
    main: ['kafka.Kafka', join(folder, 'server.properties')],
  }
}

function zookeeper(spec: NodeSpec, folder: string): NodeLaunch {
  const settings = zookeeperSettings(spec, join(folder, DATA))
  return {
    files: {'zoo.cfg': formatProperties(settings), [`${DATA}/myid`]: `${spec.id}\n`, 'log4j.properties': LOG4J_TEXT},
    jars: 'kafka-zk',
    flags: [...memoryFlags(spec), ...FLAGS, `-Dlog4j.configuration=file:${join(folder, 'log4j.properties')}`],
    main: ['org.apache.zookeeper.server.quorum.QuorumPeerMain', join(folder, 'zoo.cfg')],
  }
}

function cassandra(spec: NodeSpec, folder: string): NodeLaunch {
  return {
    files: {'cassandra.yaml': renderCassandraYaml(cassandraSettings(spec)), 'logback.xml': LOGBACK},
    jars: 'cassandra',
    flags: [
      ...memoryFlags(spec),
      ...FLAGS,
      '-Xss256k',
      ...CASSANDRA_MODULE_FLAGS,
      `-Dcassandra.config=file:${join(folder, 'cassandra.yaml')}`,
      `-Dcassandra.storagedir=${join(folder, DATA)}`,
      `-Dcassandra.jmx.local.port=${PORTS.cassandra.jmx}`,
      `-Dlogback.configurationFile=${join(folder, 'logback.xml')}`,
    ],
    main: ['org.apache.cassandra.service.CassandraDaemon'],
  }
}

/** Settings of a server's Cassandra. */
export function cassandraSettings({hosts, listen, memory}: NodeSpec): CassandraSettings {
  return {
    seeds: hosts.slice(0, CASSANDRA_SEEDS),
    listen,
    ports: PORTS.cassandra,
    heapMb: memory.own.heapMb,
    commitLogSync: 'group',
  }
}

/** The whole heap from the start: what is not free then would not be free later. */
function memoryFlags({memory}: NodeSpec): string[] {
  const {heapMb, directMb} = memory.own
  return [`-Xms${heapMb}m`, `-Xmx${heapMb}m`, `-XX:MaxDirectMemorySize=${directMb}m`]
}
