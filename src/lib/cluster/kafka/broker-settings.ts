import {type ClusterPlan, clientAddress, nodesOf, type PlannedNode} from '../plan.ts'

/** Where a broker finds its files; they differ where it runs in a container. */
export interface BrokerPaths {
  readonly data: string
  readonly keystore: string
}

export type Settings = Readonly<Record<string, string | number | boolean>>

/** Password of the generated keystore, which lies beside it in the broker's own settings anyway. */
export const KEYSTORE_PASSWORD = 'coinpipe'

/** What every broker gets: little memory, and what the pipelines count on (docs/clusters.md). */
const COMMON: Settings = {
  'num.network.threads': 2,
  'num.io.threads': 4,
  'num.replica.fetchers': 1,
  'background.threads': 2,
  'num.recovery.threads.per.data.dir': 1,
  'log.cleaner.threads': 1,
  'log.cleaner.dedupe.buffer.size': 2_097_152,
  'log.segment.bytes': 67_108_864,
  'log.index.size.max.bytes': 1_048_576,
  'log.retention.bytes': 1_073_741_824,
  'num.partitions': 1,
  'min.insync.replicas': 1,
  'offsets.topic.num.partitions': 3,
  'transaction.state.log.num.partitions': 3,
  'auto.create.topics.enable': false,
  'unclean.leader.election.enable': false,
  'group.initial.rebalance.delay.ms': 0,
  'replica.lag.time.max.ms': 10_000,
}

/** Fast failover; Kafka's defaults are 1000, 2000, 1000, 2000, 9000 and 30000 ms, the last for requests that brokers pass on to a controller that hangs. */
const KRAFT: Settings = {
  'controller.quorum.election.timeout.ms': 500,
  'controller.quorum.fetch.timeout.ms': 1000,
  'controller.quorum.election.backoff.max.ms': 500,
  'broker.heartbeat.interval.ms': 500,
  'broker.session.timeout.ms': 3000,
  'controller.socket.timeout.ms': 3000,
  'share.coordinator.state.topic.num.partitions': 3,
}

/** The same for ZooKeeper mode (default 18000 ms). Brokers start beside their ZooKeepers, so they wait for them. */
const WITH_ZOOKEEPER: Settings = {'zookeeper.session.timeout.ms': 3000, 'zookeeper.connection.timeout.ms': 30_000}

/** The settings of one broker, as in its server.properties. */
export function brokerSettings(plan: ClusterPlan, node: PlannedNode, paths: BrokerPaths): Settings {
  return {
    ...(plan.kind === 'kafka' ? kraftSettings(plan, node) : zookeeperSettings(plan, node)),
    ...listenerSettings(plan, node),
    ...securitySettings(plan, paths),
    ...COMMON,
    ...replicationSettings(plan),
    'log.dirs': paths.data,
  }
}

/** Settings as the lines of a properties file. */
export function formatProperties(settings: Settings): string {
  return Object.entries(settings)
    .map(([key, value]) => `${key}=${String(value).replaceAll('\\', '\\\\')}\n`)
    .join('')
}

function kraftSettings(plan: ClusterPlan, node: PlannedNode): Settings {
  const voters = nodesOf(plan, 'kafka').filter(({roles}) => roles.includes('controller'))
  return {
    'process.roles': node.roles.join(','),
    'node.id': node.number,
    'controller.quorum.voters': voters.map(({number, host, ports}) => `${number}@${host}:${ports.controller}`).join(','),
    'controller.listener.names': 'CONTROLLER',
    ...KRAFT,
  }
}

function zookeeperSettings(plan: ClusterPlan, node: PlannedNode): Settings {
  return {
    'broker.id': node.number,
    'zookeeper.connect': nodesOf(plan, 'zookeeper').map(clientAddress).join(','),
    ...WITH_ZOOKEEPER,
  }
}

function listenerSettings({kind}: ClusterPlan, {host, roles, listeners}: PlannedNode): Settings {
  // A broker without a controller of its own still has to know how to talk to the others'.
  const controller = kind === 'kafka' && !roles.includes('controller') ? ['CONTROLLER:PLAINTEXT'] : []
  return {
    listeners: listeners.map(({name, port}) => `${name}://${host}:${port}`).join(','),
    'advertised.listeners': listeners
      .flatMap(({name, advertised}) => (advertised ? [`${name}://${advertised.host}:${advertised.port}`] : []))
      .join(','),
    'listener.security.protocol.map': [...listeners.map(({name, protocol}) => `${name}:${protocol}`), ...controller].join(','),
    'inter.broker.listener.name': 'PLAINTEXT',
  }
}

function replicationSettings(plan: ClusterPlan): Settings {
  const brokers = nodesOf(plan, 'kafka').length
  const internal = Math.min(3, brokers)
  const inSync = Math.min(2, brokers === 2 ? 1 : brokers)
  const share = plan.kind === 'kafka' && {
    'share.coordinator.state.topic.replication.factor': internal,
    'share.coordinator.state.topic.min.isr': inSync,
  }
  return {
    'default.replication.factor': Math.min(2, brokers),
    'offsets.topic.replication.factor': internal,
    'transaction.state.log.replication.factor': internal,
    'transaction.state.log.min.isr': inSync,
    ...share,
  }
}

function securitySettings({security}: ClusterPlan, {keystore}: BrokerPaths): Settings {
  if (security === null) return {}
  const {user, password, tls} = security
  const login = 'listener.name.sasl_plaintext'
  const module = 'org.apache.kafka.common.security'
  return {
    'sasl.enabled.mechanisms': 'PLAIN,SCRAM-SHA-256,SCRAM-SHA-512',
    [`${login}.plain.sasl.jaas.config`]: `${module}.plain.PlainLoginModule required user_${user}=${quote(password)};`,
    [`${login}.scram-sha-256.sasl.jaas.config`]: `${module}.scram.ScramLoginModule required;`,
    [`${login}.scram-sha-512.sasl.jaas.config`]: `${module}.scram.ScramLoginModule required;`,
    ...(tls && {'ssl.keystore.type': 'PKCS12', 'ssl.keystore.location': keystore, 'ssl.keystore.password': KEYSTORE_PASSWORD}),
  }
}

/** Kafka reads a login line with Java's StreamTokenizer: quotes and backslashes are escaped. */
function quote(text: string): string {
  return `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`
}
