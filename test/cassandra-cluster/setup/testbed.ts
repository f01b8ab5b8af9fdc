import {mkdtemp, rm} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import type {TestProject} from 'vitest/node'
import {ClusterService} from '../../../src/lib/cluster/service.ts'
import {testContext} from '../../helpers/context.ts'
import {jarCache} from '../../helpers/jar-cache.ts'

/** Addresses that a user's own clusters do not take. */
const CASSANDRA = ['127.0.0.92', '127.0.0.93', '127.0.0.94']
const KAFKA = ['127.0.0.95', '127.0.0.96', '127.0.0.97']
/** Jars may have to be fetched first. */
const TIMEOUT_MS = 240_000

/** Starts the clusters that all files of the part share. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const dataDir = await mkdtemp(join(tmpdir(), 'coinpipe-testbed-'))
  const service = new ClusterService({dataDir}, testContext())
  const stop = async () => {
    for (const {name} of await service.status()) await service.down({cluster: name, wipe: true})
    await rm(dataDir, {recursive: true, force: true})
  }
  const common = {cacheDir: jarCache(), timeoutMs: TIMEOUT_MS}
  try {
    const cassandra = await service.up({kind: 'cassandra', hosts: CASSANDRA, fastStart: true, proxy: true, ...common})
    const kafka = await service.up({kind: 'kafka', hosts: KAFKA, ...common})
    const {name, contactPoints, toxiproxy} = cassandra.status
    const hosts = contactPoints.map((point) => point.split(':')[0] ?? '')
    project.provide('cassandra', {hosts, own: {name, dataDir}})
    project.provide('testbed', {dataDir, hosts, brokers: kafka.status.brokers, toxiproxy})
  } catch (error) {
    await stop()
    throw error
  }
  return stop
}
