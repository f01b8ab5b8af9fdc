import {mkdtemp, rm} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {ensureJars} from '../../src/lib/cluster/jars.ts'
import {ClusterService} from '../../src/lib/cluster/service.ts'
import {jarCache} from '../../test/helpers/jar-cache.ts'
import {benchContext} from './bus.ts'

/** Three brokers for as long as `use` runs, on addresses that neither a user's cluster nor the tests take. */
export interface BenchCluster {
  /** As `--brokers` takes them. */
  readonly brokers: string
  /** Of Kafka's own tools. */
  readonly classpath: string
  /** From the call to a cluster that is whole, jars being there. */
  readonly upMs: number
}

const HOSTS = ['127.0.0.91', '127.0.0.92', '127.0.0.93']

export async function withCluster<T>(use: (cluster: BenchCluster) => Promise<T>): Promise<T> {
  const context = benchContext()
  const dataDir = await mkdtemp(join(tmpdir(), 'coinpipe-bench-'))
  const service = new ClusterService({dataDir}, context)
  const classpath = (await ensureJars('kafka', {cacheDir: jarCache()}, context)).join(':')
  try {
    const {status, elapsedMs} = await service.up({kind: 'kafka', nodes: 3, hosts: HOSTS, cacheDir: jarCache()})
    return await use({brokers: status.brokers.join(','), classpath, upMs: elapsedMs})
  } finally {
    // One that could not be made at all is not there to be stopped.
    if ((await service.status()).length > 0) await service.down({cluster: 'kafka', wipe: true})
    await rm(dataDir, {recursive: true, force: true})
  }
}
