import {expect, it} from 'vitest'
import {makePlan} from '../../../src/lib/cluster/make-plan.ts'
import {ClusterService} from '../../../src/lib/cluster/service.ts'
import {ClusterFolders} from '../../../src/lib/cluster/state.ts'
import {systemClock} from '../../../src/lib/core/clock.ts'
import {currentProcess} from '../../../src/lib/core/process-identity.ts'
import {testContext} from '../../helpers/context.ts'
import {tempDir} from '../../helpers/temp-dir.ts'

it('knows which of several clusters in use is meant by the name of a node', async () => {
  const dataDir = await tempDir()
  const folders = new ClusterFolders(dataDir, systemClock)
  for (const kind of ['kafka', 'cassandra'] as const) {
    const plan = makePlan({kind, nodes: 1})
    const started = {[`${kind}-1`]: {process: currentProcess(), startedAtMs: 1}}
    folders.write({plan, cacheDir: '/cache', started})
  }
  const service = new ClusterService({dataDir}, testContext())
  expect([service.nameOf(undefined, 'cassandra-1'), service.nameOf(undefined, 'kafka-1')]).toEqual(['cassandra', 'kafka'])
  expect(service.nameOf('kafka', 'cassandra-1')).toBe('kafka')
  for (const node of [undefined, 'nobody-1']) expect(() => service.nameOf(undefined, node)).toThrow('there is more than one cluster')
})
