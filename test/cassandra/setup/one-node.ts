import {mkdtemp, rm} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import type {TestProject} from 'vitest/node'
import {ClusterService} from '../../../src/lib/cluster/service.ts'
import {testContext} from '../../helpers/context.ts'
import {jarCache} from '../../helpers/jar-cache.ts'

/** An address that a user's own cluster does not take. */
const HOST = '127.0.0.91'
/** Jars may have to be fetched first. */
const TIMEOUT_MS = 240_000

/** Starts the node that all files of the part share; COINPIPE_TEST_CASSANDRA names one that runs already. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const running = process.env.COINPIPE_TEST_CASSANDRA
  if (running !== undefined) {
    project.provide('cassandra', {hosts: running.split(','), own: null})
    return async () => undefined
  }
  const dataDir = await mkdtemp(join(tmpdir(), 'coinpipe-cassandra-'))
  const service = new ClusterService({dataDir}, testContext())
  const stop = async () => {
    // One that could not be made at all is not there to be stopped.
    for (const {name} of await service.status()) await service.down({cluster: name, wipe: true})
    await rm(dataDir, {recursive: true, force: true})
  }
  try {
    const {status} = await service.up({
      kind: 'cassandra',
      nodes: 1,
      hosts: [HOST],
      fastStart: true,
      cacheDir: jarCache(),
      timeoutMs: TIMEOUT_MS,
    })
    project.provide('cassandra', {hosts: [HOST], own: {name: status.name, dataDir}})
  } catch (error) {
    await stop()
    throw error
  }
  return stop
}
