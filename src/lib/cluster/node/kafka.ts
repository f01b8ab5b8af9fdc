import type {Settings} from '../kafka/broker-settings.ts'
import {bracketed, type NodeSpec, PORTS, quorumOf} from './spec.ts'

const DAY_MS = 86_400_000
const HOUR_MS = 3_600_000

/**
 * What pipelines count on, on servers that share their disk and memory with Cassandra. Times of failover stay at Kafka's defaults: a real network, and
 * a collector that pauses the JVM, would trip shorter ones.
 */
const COMMON: Settings = {
  'num.partitions': 6,
  'auto.create.topics.enable': false,
  'unclean.leader.election.enable': false,
  'log.retention.ms': DAY_MS,
  // A partition that is written to now and then otherwise keeps its first segment, and so its records, for days.
  'log.roll.ms': HOUR_MS,
  'log.cleaner.dedupe.buffer.size': 33_554_432,
  'num.network.threads': 3,
  'num.io.threads': 4,
  'num.recovery.threads.per.data.dir': 2,
  'offsets.topic.num.partitions': 12,
  'transaction.state.log.num.partitions': 12,
}

/** Settings of a broker, as in its server.properties. `data` is a folder. */
export function kafkaSettings(spec: NodeSpec, data: string): Settings {
  return {
    ...(spec.mode === 'kraft' ? kraft(spec) : withZookeeper(spec)),
    ...listeners(spec),
    ...replication(spec),
    ...COMMON,
    'log.dirs': data,
  }
}

/** Whether this server is one of KRaft's voters. */
export function isController({mode, id, hosts}: NodeSpec): boolean {
  return mode === 'kraft' && id <= quorumOf(hosts).length
}

function kraft(spec: NodeSpec): Settings {
  const voters = quorumOf(spec.hosts).map((host, index) => `${index + 1}@${bracketed(host)}:${PORTS.kafka.controller}`)
  return {
    'process.roles': isController(spec) ? 'broker,controller' : 'broker',
    'node.id': spec.id,
    'controller.quorum.voters': voters.join(','),
    'controller.listener.names': 'CONTROLLER',
    'share.coordinator.state.topic.num.partitions': 12,
    'share.coordinator.state.topic.replication.factor': Math.min(3, spec.hosts.length),
    'share.coordinator.state.topic.min.isr': minIsr(spec),
  }
}

function withZookeeper({id, hosts}: NodeSpec): Settings {
  return {
    'broker.id': id,
    'zookeeper.connect': quorumOf(hosts)
      .map((host) => `${bracketed(host)}:${PORTS.zookeeper.client}`)
      .join(','),
    // After a power cut all three servers start at once, and ZooKeeper first has to find a majority.
    'zookeeper.connection.timeout.ms': 60_000,
  }
}

function listeners(spec: NodeSpec): Settings {
  const {host, listen, external} = spec
  const {internal, controller} = PORTS.kafka
  const at = (name: string, port: number) => `${name}://${bracketed(listen)}:${port}`
  return {
    listeners: [
      at('INTERNAL', internal),
      at('EXTERNAL', external.port),
      ...(isController(spec) ? [at('CONTROLLER', controller)] : []),
    ].join(','),
    'advertised.listeners': `INTERNAL://${bracketed(host)}:${internal},EXTERNAL://${bracketed(external.host)}:${external.port}`,
    'listener.security.protocol.map': `INTERNAL:PLAINTEXT,EXTERNAL:PLAINTEXT${spec.mode === 'kraft' ? ',CONTROLLER:PLAINTEXT' : ''}`,
    'inter.broker.listener.name': 'INTERNAL',
  }
}

/** Two copies of records and three of what is worth more; writes to topics with two copies go on while one server is down. */
function replication(spec: NodeSpec): Settings {
  const internal = Math.min(3, spec.hosts.length)
  return {
    'default.replication.factor': Math.min(2, spec.hosts.length),
    'min.insync.replicas': 1,
    'offsets.topic.replication.factor': internal,
    'transaction.state.log.replication.factor': internal,
    'transaction.state.log.min.isr': minIsr(spec),
  }
}

function minIsr({hosts}: NodeSpec): number {
  return hosts.length >= 3 ? 2 : 1
}
