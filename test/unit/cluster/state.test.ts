import {mkdir, readFile, stat, writeFile} from 'node:fs/promises'
import {dirname, join} from 'node:path'
import {describe, expect, it} from 'vitest'
import {makePlan} from '../../../src/lib/cluster/make-plan.ts'
import {ClusterFolders, type ClusterState} from '../../../src/lib/cluster/state.ts'
import {systemClock} from '../../../src/lib/core/clock.ts'
import {currentProcess} from '../../../src/lib/core/process-identity.ts'
import {tempDir} from '../../helpers/temp-dir.ts'

const STATE: ClusterState = {
  plan: makePlan({kind: 'kafka', nodes: 1, security: {user: 'joe', password: 'secret', tls: false}}),
  cacheDir: '/cache',
  started: {'kafka-1': {process: currentProcess(), startedAtMs: 5}},
}

async function folders(): Promise<ClusterFolders> {
  return new ClusterFolders(await tempDir(), systemClock)
}

describe('ClusterFolders', () => {
  it('reads back what was written, for its owner only', async () => {
    const all = await folders()
    all.write(STATE)
    expect(all.names()).toEqual(['kafka'])
    expect(all.read('kafka')).toEqual(STATE)
    expect((await stat(join(all.folder('kafka'), 'cluster.json'))).mode & 0o077).toBe(0)
  })

  it('knows nothing where there is nothing, and after removal', async () => {
    const all = await folders()
    expect([all.names(), all.read('kafka')]).toEqual([[], null])
    all.write(STATE)
    all.remove('kafka')
    expect([all.names(), all.read('kafka')]).toEqual([[], null])
  })

  it.each([
    ['half a file', (text: string) => text.slice(0, 100)],
    ['an unknown key', (text: string) => text.replace('"cacheDir"', '"cacheFolder"')],
    ['a node without a port', (text: string) => text.replace('"client"', '"other"')],
    ['a later version', (text: string) => text.replace('"version": 1', '"version": 2')],
  ])('refuses %s with what to do', async (_, damage) => {
    const all = await folders()
    all.write(STATE)
    const path = join(all.folder('kafka'), 'cluster.json')
    await writeFile(path, damage(await readFile(path, 'utf8')))
    expect(() => all.read('kafka')).toThrow(
      expect.objectContaining({
        code: 'COINPIPE_CLUSTER_STATE',
        message: expect.stringContaining(path),
        remedy: [expect.stringContaining('pgrep'), expect.stringContaining(`rm -r ${dirname(path)}`)],
      }),
    )
  })

  it('passes over folders that are no clusters', async () => {
    const all = await folders()
    await mkdir(all.folder('something'), {recursive: true})
    expect(all.names()).toEqual([])
  })

  it('lets one at a time change a cluster, the next one waits', async () => {
    const all = await folders()
    const order: string[] = []
    const {promise: held, resolve: letGo} = Promise.withResolvers<void>()
    const signal = new AbortController().signal
    const first = all.locked('kafka', signal, async () => {
      order.push('first begins')
      await held
      order.push('first ends')
    })
    const second = all.locked('kafka', signal, async () => void order.push('second'))
    letGo()
    await Promise.all([first, second])
    expect(order).toEqual(['first begins', 'first ends', 'second'])
  })
})
