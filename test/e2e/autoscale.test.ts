import {describe, expect, it} from 'vitest'
import {EmbeddedBus} from '../../src/lib/bus/embedded/embedded-bus.ts'
import {identifyProcess} from '../../src/lib/core/process-identity.ts'
import {tradesInStore} from '../../src/lib/pipeline/census.ts'
import {dataPaths} from '../../src/lib/pipeline/paths.ts'
import {openMarketReader} from '../../src/lib/store/embedded/reader.ts'
import {testContext} from '../helpers/context.ts'
import {COINPIPE, coinpipe, type Started, start} from '../helpers/run-cli.ts'
import {tempDir} from '../helpers/temp-dir.ts'
import {publishTrades} from '../helpers/trade-backlog.ts'
import {until} from '../helpers/until.ts'

const BACKLOG = 400_000
const MORE = 20_000
const GROUP = 'sink.store'
const WITHIN_MS = 60_000
/** Decides within tenths of a second, where people would wait for seconds. */
const QUICK = ['--interval', '200ms', '--stabilize', '400ms', '--target-lag', '200ms', '--cool-down', '1500ms']

interface Line {
  readonly msg: string
  readonly worker?: number
  readonly workerPid?: number
  readonly from?: number
  readonly to?: number
  readonly reason?: string
}

function autoscale(dataDir: string, ...args: readonly string[]): Started {
  return start(COINPIPE, ['sink', 'autoscale', 'store', '--data-dir', dataDir, '--log-format', 'json', ...QUICK, ...args])
}

function lines({output}: Started): Line[] {
  const written = output().stderr.split('\n').slice(0, -1)
  return written.flatMap((line) => (line.startsWith('{') ? [JSON.parse(line) as Line] : []))
}

function linesSaying(started: Started, msg: string): Line[] {
  return lines(started).filter((line) => line.msg === msg)
}

function pids(started: Started): number[] {
  return linesSaying(started, 'worker started').map(({workerPid}) => workerPid ?? 0)
}

async function members(dataDir: string): Promise<number> {
  const bus = new EmbeddedBus({path: dataPaths(dataDir).log}, testContext())
  await bus.connect()
  const {members} = await bus.describeGroup(GROUP)
  await bus.close()
  return members.length
}

async function storedIds(dataDir: string): Promise<string[]> {
  const reader = openMarketReader({path: dataPaths(dataDir).store}, testContext())
  await reader.connect()
  const ids = (await Array.fromAsync(tradesInStore(reader))).map(({id}) => id)
  await reader.close()
  return ids
}

const allGone = (pids: readonly number[]) => pids.every((pid) => identifyProcess(pid) === null)

describe('sink autoscale', () => {
  it('goes from one worker to several and back with the lag, through kill -9 of one of them, and stores each trade once', async () => {
    const dataDir = await tempDir()
    await publishTrades(dataDir, BACKLOG)
    const started = autoscale(dataDir, '--max', '3', '--json')
    await until('a second worker', () => pids(started).length >= 2, WITHIN_MS)
    process.kill(pids(started)[0] ?? 0, 'SIGKILL')
    await publishTrades(dataDir, MORE, BACKLOG)
    await until(
      'the killed one to be replaced',
      () => linesSaying(started, 'worker ended by itself, starting it again').length > 0,
      WITHIN_MS,
    )
    await until('one worker to be left', () => linesSaying(started, 'stopping workers').some(({to}) => to === 1), WITHIN_MS)
    started.child.kill('SIGTERM')
    const {code, stdout} = await started.ended

    expect(code).toBe(0)
    const summary = JSON.parse(stdout)
    expect(summary).toMatchObject({kind: 'store', group: GROUP, lag: 0})
    expect(summary.workers.peak).toBeGreaterThanOrEqual(2)
    expect(summary.workers.peak).toBeLessThanOrEqual(3)
    expect(summary.workers.restarts).toBeGreaterThanOrEqual(1)
    expect(linesSaying(started, 'starting workers')[0]).toMatchObject({from: 1, to: 2, reason: 'lag above the target'})
    expect(allGone(pids(started))).toBe(true)

    const ids = await storedIds(dataDir)
    expect(new Set(ids).size).toBe(ids.length)
    expect(ids.length).toBe(BACKLOG + MORE)
  })

  it('leaves no worker behind when it is killed itself: they finish, and leave the group', async () => {
    const dataDir = await tempDir()
    await publishTrades(dataDir, 1000)
    const started = autoscale(dataDir, '--min', '2', '--max', '2')
    await until('both workers to have joined', async () => pids(started).length === 2 && (await members(dataDir)) === 2, WITHIN_MS)
    started.child.kill('SIGKILL')
    await until('the workers to be gone', () => allGone(pids(started)), WITHIN_MS)
    // Those that were cut off would still stand there.
    expect(await members(dataDir)).toBe(0)
  })

  it('leaves at once on the second signal, and takes its workers along', async () => {
    const dataDir = await tempDir()
    await publishTrades(dataDir, 1000)
    const started = autoscale(dataDir, '--min', '2', '--max', '2')
    await until('both workers to have joined', async () => pids(started).length === 2 && (await members(dataDir)) === 2, WITHIN_MS)
    started.child.kill('SIGTERM')
    await started.saw(/finishing what has begun/)
    started.child.kill('SIGTERM')
    const {code} = await started.ended
    // The workers had little to finish, so all may have been over before.
    expect([0, 130]).toContain(code)
    await until('the workers to be gone', () => allGone(pids(started)), 5000)
  })

  it('ends with what a worker says where none can work', async () => {
    const dataDir = await tempDir()
    const {code, stdout} = await coinpipe('sink', 'autoscale', 'store', '--data-dir', dataDir, '--topics', 'market.nonsense', '--json')
    expect(code).toBe(2)
    expect(JSON.parse(stdout).error).toMatchObject({
      code: 'COINPIPE_WORKERS_FAILED',
      message: expect.stringContaining("'market.nonsense' is not a topic that the store takes"),
      remedy: [expect.stringContaining('--topics takes market.trade')],
    })
  })

  it.each([
    [['--min', '5', '--max', '2'], /--min 5 is more than --max 2/],
    [['--', '--count', '5'], /--count is not for workers/],
    [['--keyspace', 'k', '--hosts', '127.0.0.1'], /--keyspace, --hosts: not for the sink store/],
    [['--', '--metrics-port', '9464'], /workers cannot share a port/],
    [['--', '--group', 'x'], /--group is for all workers.*\n.*write it before the --/],
    [['--render', 'keda'], /the embedded store is a file of one machine/],
  ])('refuses %j before anything is started', async (args, message) => {
    const {code, stderr} = await coinpipe('sink', 'autoscale', 'store', '--data-dir', await tempDir(), ...args)
    expect(stderr).toMatch(message)
    expect(code).toBe(2)
  })
})
