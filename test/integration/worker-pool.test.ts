import {kill} from 'node:process'
import {describe, expect, it, onTestFinished} from 'vitest'
import {supervisedEnv} from '../../src/lib/cli/supervised.ts'
import {identifyProcess} from '../../src/lib/core/process-identity.ts'
import {WorkerPool} from '../../src/lib/pipeline/autoscale/pool.ts'
import {testContext} from '../helpers/context.ts'
import {logBook} from '../helpers/log-book.ts'
import {until} from '../helpers/until.ts'

const WITHIN_MS = 20_000

/** A pool of small commands that end as `how` says. */
function poolOf(how: string, {args = [] as readonly string[], drainMs = 10_000, provenMs = 60_000} = {}) {
  const {logger, entries} = logBook()
  const command = {
    program: process.execPath,
    args: ['test/fixtures/cli/stops.ts', how, ...args],
    env: {...process.env, ...supervisedEnv},
  }
  const pool = new WorkerPool({command, component: 'store', drainMs, provenMs}, {...testContext(), logger})
  onTestFinished(() => pool.close())
  const started = () => entries.filter(({message, fields}) => message === 'a worker wrote' && String(fields.text).startsWith('started'))
  const pids = () => entries.flatMap(({message, fields}) => (message === 'worker started' ? [Number(fields.workerPid)] : []))
  const said = (message: string) => entries.filter((entry) => entry.message === message)
  return {
    pool,
    started,
    pids,
    said,
    running: (count: number) => until(`${count} workers to be up`, () => started().length >= count, WITHIN_MS),
  }
}

describe('a pool of workers', () => {
  it('starts as many as asked for, and lets those go that are too many, the last ones first', async () => {
    const {pool, running, said} = poolOf('drained')
    pool.scale(2)
    await running(2)
    pool.scale(1)
    const [stopped] = await until('one to stop', () => (said('worker stopped').length > 0 ? said('worker stopped') : null), WITHIN_MS)
    expect(stopped?.fields).toMatchObject({worker: 2, exitCode: 0})
    expect(pool.running).toBe(1)
    await pool.close()
    expect(pool.running).toBe(0)
  })

  it('starts one again that was killed, and says so', async () => {
    const {pool, pids, running, said} = poolOf('drained')
    pool.scale(1)
    await running(1)
    kill(pids()[0] ?? 0, 'SIGKILL')
    await running(2)
    expect(pool.restarts).toBe(1)
    expect(said('worker ended by itself, starting it again')[0]).toMatchObject({
      level: 'error',
      fields: {worker: 1, signal: 'SIGKILL', failures: 1},
    })
  })

  it('kills one that does not stop in time', async () => {
    const {pool, pids, running, said} = poolOf('stuck', {drainMs: 300})
    pool.scale(1)
    await running(1)
    await pool.close()
    expect(said('worker did not end in time and is killed')).toHaveLength(1)
    expect(identifyProcess(pids()[0] ?? 0)).toBeNull()
  })

  it('gives up with the exit code, the error and the remedy of the worker where none can work', async () => {
    const {pool, pids} = poolOf('drained', {args: ['--json', '--no-such-flag']})
    pool.scale(1)
    await expect(pool.failed).rejects.toMatchObject({
      code: 'COINPIPE_WORKERS_FAILED',
      exitCode: 2,
      message: expect.stringMatching(/^no worker can work: 3 in a row ended by themselves, the last with exit code 2: .*--no-such-flag/),
      remedy: ['see the flags and examples: add --help'],
    })
    expect(pids()).toHaveLength(3)
  })

  it('goes on trying, ever later, where one has worked before', async () => {
    const {pool, said} = poolOf('drained', {args: ['--for', '300ms'], provenMs: 200})
    const failed = pool.failed.catch((error: unknown) => error)
    pool.scale(1)
    await until('several ends', () => said('worker ended by itself, starting it again').length >= 4, 40_000)
    expect(await Promise.race([failed, Promise.resolve('goes on')])).toBe('goes on')
  })

  it('says at once what cannot be started at all', async () => {
    const command = {program: '/no/such/program', args: [], env: {}}
    const pool = new WorkerPool({command, component: 'store', drainMs: 1000}, testContext())
    onTestFinished(() => pool.close())
    pool.scale(1)
    await expect(pool.failed).rejects.toMatchObject({exitCode: 4, message: expect.stringContaining('ENOENT')})
  })
})
