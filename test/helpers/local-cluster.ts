import {onTestFinished} from 'vitest'
import {ClusterService} from '../../src/lib/cluster/service.ts'
import {type TestContext, testContext} from './context.ts'
import {tempDir} from './temp-dir.ts'

export interface LocalClusters {
  readonly service: ClusterService
  readonly dataDir: string
  readonly context: TestContext
}

/** A folder of clusters of its own; whatever stands in it when the test is over is taken down. */
export async function localClusters(): Promise<LocalClusters> {
  const dataDir = await tempDir()
  const context = testContext()
  const service = new ClusterService({dataDir}, context)
  onTestFinished(async () => {
    const cleaner = new ClusterService({dataDir}, testContext())
    for (const {name} of await cleaner.status()) await cleaner.down({cluster: name, wipe: true, timeoutMs: 2000})
  })
  return {service, dataDir, context}
}
