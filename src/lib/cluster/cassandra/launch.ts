import {join} from 'node:path'
import {LOGBACK} from '../logging.ts'
import {type CassandraSettings, renderCassandraYaml} from '../node/cassandra.ts'
import {CASSANDRA_MODULE_FLAGS} from './module-flags.ts'

export const cassandraMain: readonly string[] = ['org.apache.cassandra.service.CassandraDaemon']

/** A local cluster is new, or all of it was stopped: there is no ring to wait for, and no client yet to be spared. */
const AT_ONCE = [
  '-Dcassandra.ring_delay_ms=500',
  // Else twice the ring delay: on a busy machine, a seed that is silent for a moment before it joins is then forgotten for good ("Seeds list is now empty").
  '-Dcassandra.gossip_quarantine_delay_ms=60000',
  '-Dcassandra.skip_wait_for_gossip_to_settle=0',
  '-Dcassandra.superuser_setup_delay_ms=0',
  '-Dcassandra.consistent.rangemovement=false',
  // A node that leaves tells the others and waits, so that they hear it: 2 s by default.
  '-Dcassandra.shutdown_announce_in_ms=100',
  // What Cassandra 5 finds out at each start by filling a table for seconds, as it found it out here (64-bit Java, memtables on the heap).
  '-Dcassandra.memtable.row_overhead_size=181',
  '-Dcassandra.test.ignore_sigar=true',
]

/** The files of a local node, by name. */
export function cassandraFiles(settings: CassandraSettings): Readonly<Record<string, string>> {
  return {'cassandra.yaml': renderCassandraYaml(settings), 'logback.xml': LOGBACK}
}

/** Flags of a local node that keeps everything below `folder`. */
export function cassandraFlags(folder: string, heapMb: number): string[] {
  return [
    // Cassandra locks the heap that it begins with in memory; by default that is a share of the machine's.
    `-Xms${Math.ceil(heapMb / 3)}m`,
    '-Xss256k',
    ...CASSANDRA_MODULE_FLAGS,
    ...AT_ONCE,
    `-Dcassandra.config=file:${join(folder, 'cassandra.yaml')}`,
    `-Dcassandra.storagedir=${join(folder, 'data')}`,
    `-Dlogback.configurationFile=${join(folder, 'logback.xml')}`,
  ]
}
