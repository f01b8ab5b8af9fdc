import cassandra from './cassandra.json' with {type: 'json'}
import kafka from './kafka.json' with {type: 'json'}
import kafkaZk from './kafka-zk.json' with {type: 'json'}

/** What a server needs on its class path. */
export interface JarLock {
  /** What was asked for: `group:artifact:version`. */
  readonly roots: readonly string[]
  /** Every jar that these need, `group:artifact:version[:classifier]`, with its SHA-256 in hex. */
  readonly jars: Readonly<Record<string, string>>
}

/** Kafka in KRaft mode; Kafka in ZooKeeper mode with ZooKeeper itself; Cassandra. `node scripts/lock-jars.ts` writes the lists. */
export type JarSet = 'kafka' | 'kafka-zk' | 'cassandra'

export const JAR_LOCKS: Readonly<Record<JarSet, JarLock>> = {kafka, 'kafka-zk': kafkaZk, cassandra}

export interface Coordinate {
  readonly group: string
  readonly artifact: string
  readonly version: string
  readonly classifier: string | undefined
}

export function parseCoordinate(text: string): Coordinate {
  const [group = '', artifact = '', version = '', classifier] = text.split(':')
  return {group, artifact, version, classifier}
}

/** Where a Maven repository keeps a jar, below its base address; the cache keeps it at the same place. */
export function jarPath(coordinate: string): string {
  const {group, artifact, version, classifier} = parseCoordinate(coordinate)
  const name = [artifact, version, classifier].filter((part) => part !== undefined).join('-')
  return `${group.replaceAll('.', '/')}/${artifact}/${version}/${name}.jar`
}
