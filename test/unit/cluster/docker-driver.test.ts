import {chmod, readFile, writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {describe, expect, it} from 'vitest'
import {ComposeDriver} from '../../../src/lib/cluster/docker-driver.ts'
import {makePlan} from '../../../src/lib/cluster/make-plan.ts'
import type {PlannedNode} from '../../../src/lib/cluster/plan.ts'
import {testContext} from '../../helpers/context.ts'
import {tempDir} from '../../helpers/temp-dir.ts'

const plan = makePlan({kind: 'kafka', nodes: 1, driver: 'compose'})
const [node] = plan.nodes as [PlannedNode]
const RUNNING = '[{"State": {"Running": true, "Paused": false, "Pid": 77, "StartedAt": "2026-01-02T03:04:05.6Z"}}]'

/** A program in the place of docker that writes down how it was called, and answers by `script`. */
async function driver(script: string) {
  const folder = await tempDir()
  const [docker, calls] = [join(folder, 'docker'), join(folder, 'calls')]
  await writeFile(docker, `#!/bin/sh\necho "$*" >> ${calls}\n${script}\n`)
  await chmod(docker, 0o755)
  return {
    driver: new ComposeDriver({plan, folder, docker}, testContext()),
    folder,
    calls: async () => (await readFile(calls, 'utf8')).replaceAll(folder, 'FOLDER').trimEnd().split('\n'),
  }
}

describe('ComposeDriver', () => {
  it('gets images and starts one node of the compose file that it wrote', async () => {
    const {driver: compose, folder, calls} = await driver('exit 0')
    await compose.fetch(() => undefined)
    expect(await readFile(join(folder, 'compose.yaml'), 'utf8')).toContain('kafka-1:')
    expect(await compose.start(node)).toMatchObject({process: null})
    await compose.remove()
    expect(await calls()).toEqual([
      'compose version',
      'info',
      'compose --file FOLDER/compose.yaml pull --quiet --policy missing',
      'compose --file FOLDER/compose.yaml up --detach --no-deps kafka-1',
      'compose --file FOLDER/compose.yaml down --volumes --remove-orphans',
    ])
  })

  it('says that Docker is not to be used where its engine does not answer', async () => {
    const {driver: compose} = await driver('if [ "$1" = info ]; then echo "no daemon" >&2; exit 1; fi')
    await expect(compose.fetch(() => undefined)).rejects.toMatchObject({
      code: 'COINPIPE_CLUSTER_TOOL_MISSING',
      exitCode: 4,
      message: expect.stringContaining('no daemon'),
      remedy: [expect.stringContaining('--driver jvm')],
    })
  })

  it('sees a container that runs', async () => {
    const {driver: compose, calls} = await driver(`case "$2" in ls) echo abc;; inspect) echo '${RUNNING}';; esac`)
    expect(await compose.inspect(node)).toMatchObject({startedAtMs: Date.parse('2026-01-02T03:04:05.600Z'), paused: false})
    expect(await calls()).toEqual(['container ls --all --quiet --filter name=^/coinpipe-kafka-kafka-1-1$', 'container inspect abc'])
  })

  it('sees no node where there is no container, or one that ended', async () => {
    const {driver: none} = await driver('exit 0')
    expect(await none.inspect(node)).toBeNull()
    const {driver: ended} = await driver(`case "$2" in ls) echo abc;; inspect) echo '${RUNNING.replace('true', 'false')}';; esac`)
    expect(await ended.inspect(node)).toBeNull()
    await expect(ended.signal(node, null, 'KILL')).rejects.toMatchObject({code: 'COINPIPE_CLUSTER_NODE_SIGNAL'})
  })

  it('kills and freezes', async () => {
    const {driver: compose, calls} = await driver(`case "$2" in ls) echo abc;; inspect) echo '${RUNNING}';; esac`)
    for (const signal of ['KILL', 'TERM', 'STOP', 'CONT'] as const) await compose.signal(node, null, signal)
    expect((await calls()).filter((call) => !call.startsWith('container'))).toEqual([
      'kill --signal KILL coinpipe-kafka-kafka-1-1',
      'kill --signal TERM coinpipe-kafka-kafka-1-1',
      'pause coinpipe-kafka-kafka-1-1',
      'unpause coinpipe-kafka-kafka-1-1',
    ])
  })
})
