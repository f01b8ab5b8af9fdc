import {mkdtemp, rm} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {afterAll, beforeAll} from 'vitest'
import {ClusterService, type UpOptions} from '../../src/lib/cluster/service.ts'
import {testContext} from './context.ts'
import {jarCache} from './jar-cache.ts'

/** A cluster that all tests of a file share; valid while they run. */
export interface FileCluster {
  readonly service: ClusterService
  /** Where `coinpipe` finds it. */
  readonly dataDir: string
  readonly brokers: readonly string[]
}

/** Starts a cluster before the tests of this file and removes it after them. */
export function clusterForFile(options: Omit<UpOptions, 'cacheDir'>): () => FileCluster {
  let cluster: FileCluster | undefined
  let folder = ''
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'coinpipe-cluster-'))
    const service = new ClusterService({dataDir: folder}, testContext())
    const {status} = await service.up({...options, cacheDir: jarCache()})
    cluster = {service, dataDir: folder, brokers: status.brokers}
  })
  afterAll(async () => {
    const service = new ClusterService({dataDir: folder}, testContext())
    for (const {name} of await service.status()) await service.down({cluster: name, wipe: true, timeoutMs: 2000})
    await rm(folder, {recursive: true, force: true})
  })
  return () => {
    if (cluster === undefined) throw new Error('the cluster of this file is not there')
    return cluster
  }
}
