import {spawn} from 'node:child_process'
import {once} from 'node:events'
import type {Readable} from 'node:stream'
import {describe, expect, it, onTestFinished} from 'vitest'
import {jarCache} from '../helpers/jar-cache.ts'
import {localClusters} from '../helpers/local-cluster.ts'
import {COINPIPE, coinpipe, start} from '../helpers/run-cli.ts'

const HOST = '127.0.0.61'
const INHERITED_FD = 40
const CLOSED_MS = 60_000

/** `coinpipe cluster …` in a folder of its own. */
async function cluster() {
  const {dataDir} = await localClusters()
  const common = ['--data-dir', dataDir]
  const up = ['cluster', 'up', 'kafka', '--nodes', '1', '--hosts', HOST, '--cache-dir', jarCache(), ...common]
  return {up, run: async (...args: string[]) => await coinpipe('cluster', ...args, ...common)}
}

describe('coinpipe cluster', () => {
  it('starts, shows, kills, starts again and removes a cluster', async () => {
    const {up, run} = await cluster()
    expect(await run('status')).toMatchObject({code: 0, stdout: '', stderr: expect.stringContaining('coinpipe cluster up kafka')})
    expect(await coinpipe(...up)).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^cluster 'kafka' is up after .* s: brokers 127.0.0.61:9092\n$/),
    })
    expect(await coinpipe(...up)).toMatchObject({code: 0, stdout: expect.stringContaining('was running already')})
    const shown = await run('status')
    expect(shown).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/kafka-1 +broker,controller +127.0.0.61:9092 +\d+ +up +.*MiB +controller/),
    })

    expect(await run('kill', 'kafka-1')).toMatchObject({code: 0, stdout: expect.stringContaining('SIGKILL took hold')})
    const broken = await run('status', '--json')
    expect(broken.code).toBe(1)
    expect(JSON.parse(broken.stdout)).toMatchObject([{name: 'kafka', state: 'broken', nodes: [{id: 'kafka-1', state: 'down', pid: null}]}])
    expect(await run('start', 'kafka-1')).toMatchObject({code: 0, stdout: expect.stringContaining('is in sync after')})

    expect(await run('down', '--wipe')).toMatchObject({code: 2, stderr: expect.stringContaining('--yes')})
    expect(await run('down', '--wipe', '--yes')).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('1 node stopped; its data is removed'),
    })
  })

  it('holds nothing of the shell that started it', async () => {
    const {up, run} = await cluster()
    const stdio: ('ignore' | 'pipe')[] = Array.from({length: INHERITED_FD + 1}, () => 'ignore')
    stdio[INHERITED_FD] = 'pipe'
    const child = spawn(COINPIPE, up, {stdio})
    onTestFinished(() => void child.kill('SIGKILL'))
    const inherited = (child.stdio as unknown as Readable[])[INHERITED_FD]
    const closed = once(inherited?.resume() ?? child, 'close', {signal: AbortSignal.timeout(CLOSED_MS)})
    expect((await once(child, 'exit'))[0]).toBe(0)
    // A broker that held the other end would keep it open.
    await closed
    expect((await run('status')).code).toBe(0)
  })

  it('stops what it started on Ctrl-C', async () => {
    const {up, run} = await cluster()
    const {child, saw, ended} = start(COINPIPE, up)
    await saw(/starting kafka-1/)
    child.kill('SIGINT')
    expect((await ended).code).toBe(130)
    expect(JSON.parse((await run('status', '--json')).stdout)).toMatchObject([{state: 'stopped', nodes: [{state: 'down'}]}])
  })

  it('refuses nonsense with 2, before anything is started', async () => {
    const {run} = await cluster()
    expect((await run('up', 'redis')).code).toBe(2)
    expect(await run('up', 'kafka', '--nodes', '0')).toMatchObject({code: 2, stderr: expect.stringContaining('1 to 9')})
    expect(await run('kill', 'kafka-1')).toMatchObject({code: 2, stderr: expect.stringContaining('there is no cluster')})
    expect((await run('status')).stdout).toBe('')
  })
})
