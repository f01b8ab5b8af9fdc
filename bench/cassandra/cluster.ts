import {readFileSync} from 'node:fs'
import {mkdtemp, rm} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {setTimeout as sleep} from 'node:timers/promises'
import {ClusterService} from '../../src/lib/cluster/service.ts'
import type {Context} from '../../src/lib/core/context.ts'
import {CASSANDRA_DEFAULTS, type CassandraOptions, TABLE_DEFAULTS, type TableOptions} from '../../src/lib/store/cassandra/options.ts'
import {CassandraTables} from '../../src/lib/store/cassandra/schema/cassandra-tables.ts'
import {CassandraSession} from '../../src/lib/store/cassandra/session.ts'
import {jarCache} from '../../test/helpers/jar-cache.ts'
import {benchContext} from '../kafka/bus.ts'

/** Cassandra nodes with our tables for as long as `use` runs, on addresses that neither a user's cluster nor the tests take. */
export interface BenchNodes {
  readonly hosts: readonly string[]
  readonly options: CassandraOptions
  readonly tables: TableOptions
  readonly session: CassandraSession
  readonly context: Context
  /** Where each node has the folders of its keyspaces. */
  readonly dataFolders: readonly string[]
  /** User and system time of all nodes since they started. */
  cpuSeconds(): number
  /** Until all nodes together do next to nothing, or for ten seconds. */
  untilQuiet(): Promise<void>
}

const HOSTS = ['127.0.0.107', '127.0.0.108', '127.0.0.109']
const READY_MS = 240_000
/** Linux counts a process's CPU time in hundredths of a second. */
const TICKS_PER_SECOND = 100
const QUIET_SHARE = 0.05
const QUIET_MS = 10_000
const LOOK_MS = 500

export async function withNodes<T>(nodes: 1 | 3, use: (nodes: BenchNodes) => Promise<T>): Promise<T> {
  const context = benchContext()
  const dataDir = await mkdtemp(join(tmpdir(), 'coinpipe-bench-'))
  const service = new ClusterService({dataDir}, context)
  const hosts = HOSTS.slice(0, nodes)
  const options = {...CASSANDRA_DEFAULTS, hosts}
  const session = new CassandraSession(options, context)
  try {
    const {status} = await service.up({kind: 'cassandra', nodes, hosts, cacheDir: jarCache(), timeoutMs: READY_MS})
    const pids = status.nodes.flatMap(({pid}) => (pid === null ? [] : [pid]))
    const cpuSeconds = () => pids.reduce((sum, pid) => sum + cpuOf(pid), 0)
    await session.connect()
    const tables = {...TABLE_DEFAULTS, replicas: Math.min(nodes, TABLE_DEFAULTS.replicas)}
    await new CassandraTables(session, tables, context).create()
    // Removing all rows would else keep their files.
    await session.change(`ALTER TABLE ${options.keyspace}.trade_by_symbol WITH allow_auto_snapshot = false`)
    const dataFolders = status.nodes.map(({id}) => join(dataDir, 'clusters', 'cassandra', id, 'data/data'))
    return await use({dataFolders, hosts, options, tables, session, context, cpuSeconds, untilQuiet: () => untilQuiet(cpuSeconds)})
  } finally {
    await session.close()
    // One that could not be made at all is not there to be stopped.
    if ((await service.status()).length > 0) await service.down({cluster: 'cassandra', wipe: true})
    await rm(dataDir, {recursive: true, force: true})
  }
}

/** User and system time of a process. */
export function cpuOf(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND
}

async function untilQuiet(cpuSeconds: () => number): Promise<void> {
  const startedMs = performance.now()
  for (let before = cpuSeconds(); performance.now() - startedMs < QUIET_MS; ) {
    await sleep(LOOK_MS)
    const now = cpuSeconds()
    if (now - before < (QUIET_SHARE * LOOK_MS) / 1000) return
    before = now
  }
}
