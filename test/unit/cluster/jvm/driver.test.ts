import {spawn} from 'node:child_process'
import {once} from 'node:events'
import {chmod, mkdir, writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {describe, expect, it, onTestFinished} from 'vitest'
import type {NodeHandle} from '../../../../src/lib/cluster/driver.ts'
import {JvmDriver} from '../../../../src/lib/cluster/jvm/driver.ts'
import {checkJava, javaProgram} from '../../../../src/lib/cluster/jvm/java.ts'
import {javaArguments} from '../../../../src/lib/cluster/jvm/launch.ts'
import {makePlan} from '../../../../src/lib/cluster/make-plan.ts'
import type {PlannedNode} from '../../../../src/lib/cluster/plan.ts'
import {identifyProcess} from '../../../../src/lib/core/process-identity.ts'
import {testContext} from '../../../helpers/context.ts'
import {tempDir} from '../../../helpers/temp-dir.ts'
import {until} from '../../../helpers/until.ts'

const plan = makePlan({kind: 'kafka', nodes: 1})
const [node] = plan.nodes as [PlannedNode]

async function driver(): Promise<{driver: JvmDriver; folder: string}> {
  const folder = await tempDir()
  return {driver: new JvmDriver({plan, folder, cacheDir: folder}, testContext()), folder}
}

/** A process that stands for a node. */
async function handle(): Promise<NodeHandle & {readonly process: NonNullable<NodeHandle['process']>}> {
  const child = spawn('sleep', ['60'], {stdio: 'ignore'})
  onTestFinished(() => void child.kill('SIGKILL'))
  await once(child, 'spawn')
  return {process: await until('it runs', () => identifyProcess(child.pid ?? 0)), startedAtMs: 1}
}

describe('JvmDriver', () => {
  it('sees a node that runs, is paused, goes on, and is gone', async () => {
    const [{driver: jvm}, started] = [await driver(), await handle()]
    const seen = async () => await jvm.inspect(node, started)
    expect(await seen()).toMatchObject({pid: started.process.pid, startedAtMs: 1, paused: false, rssBytes: expect.any(Number)})
    await jvm.signal(node, started, 'STOP')
    await until('it is paused', async () => (await seen())?.paused === true)
    await jvm.signal(node, started, 'CONT')
    await until('it goes on', async () => (await seen())?.paused === false)
    await jvm.signal(node, started, 'KILL')
    await until('it is gone', async () => (await seen()) === null)
  })

  it('takes a reused pid for a dead node, and never signals it', async () => {
    const [{driver: jvm}, started] = [await driver(), await handle()]
    const stale = {...started, process: {...started.process, startTime: 'earlier'}}
    expect(await jvm.inspect(node, stale)).toBeNull()
    await expect(jvm.signal(node, stale, 'KILL')).rejects.toMatchObject({code: 'COINPIPE_CLUSTER_NODE_SIGNAL'})
    expect(await jvm.inspect(node, started)).toMatchObject({pid: started.process.pid})
  })

  it('takes a node that was about to be started for dead', async () => {
    const {driver: jvm} = await driver()
    expect(await jvm.inspect(node, {process: null, startedAtMs: 1})).toBeNull()
    expect(await jvm.inspect(node, null)).toBeNull()
  })

  it('shows the end of the log', async () => {
    const {driver: jvm, folder} = await driver()
    expect(await jvm.tail(node, 2)).toEqual([])
    await mkdir(join(folder, node.id))
    await writeFile(join(folder, node.id, 'node.log'), 'a\nb\nc\n')
    expect(await jvm.tail(node, 2)).toEqual(['b', 'c'])
  })
})

describe('Java', () => {
  it('is that of JAVA_HOME, or of the PATH', () => {
    expect(javaProgram('java', {JAVA_HOME: '/opt/jdk'})).toBe('/opt/jdk/bin/java')
    expect(javaProgram('keytool', {})).toBe('keytool')
  })

  it.each([
    ['too old', 'echo \'openjdk version "11.0.2" 2019-01-15\' >&2', 'COINPIPE_CLUSTER_TOOL_MISSING', /is version 11, too old/],
    ['a stub that only says so', 'echo "no Java runtime present" >&2; exit 1', 'COINPIPE_CLUSTER_TOOL_FAILED', /no Java runtime present/],
  ])('is refused where it is %s', async (_, script, code, message) => {
    const home = await tempDir()
    await mkdir(join(home, 'bin'))
    await writeFile(join(home, 'bin', 'java'), `#!/bin/sh\n${script}\n`)
    await chmod(join(home, 'bin', 'java'), 0o755)
    await expect(checkJava(testContext().signal, {JAVA_HOME: home})).rejects.toMatchObject({
      code,
      exitCode: 4,
      message: expect.stringMatching(message),
    })
  })

  it('is missed with what to install', async () => {
    await expect(checkJava(testContext().signal, {JAVA_HOME: '/nowhere'})).rejects.toMatchObject({
      code: 'COINPIPE_CLUSTER_TOOL_MISSING',
      remedy: [expect.stringContaining('install Java 17')],
    })
  })

  it('has its second compiler only where it is asked to run fast for long', () => {
    const text = (fullCompiler?: boolean) => javaArguments({classPath: [], heapMb: 64, main: ['Main'], ...(fullCompiler && {fullCompiler})})
    expect(text()).toContain('-XX:TieredStopAtLevel=1')
    expect(text(true)).not.toContain('Tiered')
  })

  it('gets its arguments by a file, quoted', () => {
    const text = javaArguments({classPath: ['/a b/x.jar', '/y.jar'], heapMb: 64, flags: ['-Dx="y"'], main: ['Main', 'arg']})
    expect(text.split('\n')).toEqual(
      expect.arrayContaining(['"-Xmx64m"', '"-Dx=\\"y\\""', '"-cp"', '"/a b/x.jar:/y.jar"', '"Main"', '"arg"']),
    )
  })
})
