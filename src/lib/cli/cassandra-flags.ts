import {Flags} from '@oclif/core'
import type {RunningCassandra} from '../cluster/running.ts'
import {cassandraSink, withImplicitCassandra} from '../config/cassandra-sink.ts'
import type {CassandraFlags} from '../config/layers.ts'
import type {Config} from '../config/load.ts'
import type {Context} from '../core/context.ts'
import {localCassandra} from './local-cassandra.ts'

/** Flags of commands about Cassandra. A password comes from the config: a file or a variable. */
export const cassandraFlags = {
  sink: Flags.string({
    summary: 'Sink of kind cassandra whose settings count; default: the only one of the config, or one called cassandra.',
    helpValue: '<name>',
    env: 'COINPIPE_SINK',
  }),
  hosts: Flags.string({
    summary: 'Cassandra nodes to ask first, comma-separated; default: the one running local cluster. Short for --set sinks.<sink>.hosts=…',
    helpValue: '<address,…>',
    env: 'COINPIPE_HOSTS',
  }),
  'cassandra-port': Flags.integer({
    summary: 'Port of nodes that are named without one; short for --set sinks.<sink>.port=…',
    helpValue: '<port>',
    env: 'COINPIPE_CASSANDRA_PORT',
  }),
  keyspace: Flags.string({
    summary: 'Keyspace of the tables; short for --set sinks.<sink>.keyspace=…',
    helpValue: '<name>',
    env: 'COINPIPE_KEYSPACE',
  }),
  'local-datacenter': Flags.string({
    summary: 'Data centre whose nodes are asked; short for --set sinks.<sink>.localDatacenter=…',
    helpValue: '<name>',
    env: 'COINPIPE_LOCAL_DATACENTER',
  }),
  username: Flags.string({
    summary: 'User name; the password is in the config or in COINPIPE_SINKS_<SINK>_PASSWORD.',
    helpValue: '<name>',
    env: 'COINPIPE_USERNAME',
  }),
}

const SETTINGS = {
  hosts: 'hosts',
  'cassandra-port': 'port',
  keyspace: 'keyspace',
  'local-datacenter': 'localDatacenter',
  username: 'username',
  consistency: 'consistency',
  linger: 'linger',
  'batch-rows': 'batchRows',
} as const

type ParsedFlags = {readonly [flag in keyof typeof SETTINGS]?: string | number | undefined} & {readonly sink?: string | undefined}

/** The parsed flags as the config's layers take them. */
export function cassandraFlagValues(flags: ParsedFlags): CassandraFlags {
  const settings = Object.entries(SETTINGS).flatMap(([flag, key]) => {
    const value = flags[flag as keyof typeof SETTINGS]
    return value === undefined ? [] : [{flag, key, text: String(value)}]
  })
  return {sink: flags.sink, settings}
}

/**
 * The config with a sink of kind `cassandra`, and with the nodes of the one local cluster that runs for every such sink that names none. Throws
 * InvalidInputError where several run; with none it stays as it is, and whoever connects says what to do.
 */
export async function withLocalCassandra(config: Config, defaultDataDir: string, context: Context): Promise<Config> {
  const whole = withImplicitCassandra(config)
  const isOpen = (sink: Config['sinks'][string]) => sink.kind === 'cassandra' && sink.hosts.length === 0
  if (!Object.values(whole.sinks).some(isOpen)) return whole
  const running = await localCassandra([config.dataDir, defaultDataDir], context)
  if (running === undefined) return whole
  const sinks = Object.entries(whole.sinks).map(([name, sink]) => [name, isOpen(sink) ? atLocal(sink, running) : sink])
  return {...whole, sinks: Object.fromEntries(sinks)}
}

/** The sink with the nodes of the local cluster. A port or data centre that somebody asked for stays: a wrong one is to be seen, not passed over. */
export function atLocal<S extends object>(sink: S, {hosts, port, localDatacenter}: RunningCassandra): S {
  const defaults = cassandraSink.parse({kind: 'cassandra'})
  const asked = sink as Partial<typeof defaults>
  return {
    ...sink,
    hosts: [...hosts],
    port: asked.port === defaults.port ? port : asked.port,
    localDatacenter: asked.localDatacenter === defaults.localDatacenter ? localDatacenter : asked.localDatacenter,
  }
}
