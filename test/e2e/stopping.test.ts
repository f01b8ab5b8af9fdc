import {describe, expect, it} from 'vitest'
import {type Started, start} from '../helpers/run-cli.ts'

function stops(...args: readonly string[]): Started {
  return start(process.execPath, ['test/fixtures/cli/stops.ts', ...args])
}

async function running(...args: readonly string[]): Promise<Started> {
  const started = stops(...args)
  await started.saw(/started/)
  return started
}

describe('an endless command', () => {
  it.each(['SIGINT', 'SIGTERM'] as const)('drains on %s and exits 0', async (signal) => {
    const {child, ended} = await running('drained')
    child.kill(signal)
    expect(await ended).toMatchObject({
      code: 0,
      stdout: 'drained\n',
      stderr: expect.stringContaining(`${signal}: finishing what has begun`),
    })
  })

  it('stops by itself after --for, and answers with --json in one line', async () => {
    const {ended} = stops('drained', '--for', '100ms', '--json')
    expect(await ended).toMatchObject({code: 0, stdout: '{"how":"drained"}\n'})
  })

  it('leaves at once on the second signal, with 130', async () => {
    const {child, ended, saw} = await running('stuck')
    child.kill('SIGTERM')
    await saw(/finishing what has begun/)
    child.kill('SIGTERM')
    expect(await ended).toMatchObject({code: 130})
  })

  it('leaves at the drain deadline, with 130', async () => {
    const {ended} = stops('stuck', '--for', '10ms', '--drain-timeout', '100ms')
    expect(await ended).toMatchObject({code: 130, stderr: expect.stringContaining('not finished 100ms after being asked to stop')})
  })

  it('stops without a complaint once the reader of its output has gone', async () => {
    const {child, ended, saw} = stops('endless-output')
    await saw(/a line of output/)
    child.stdout.destroy()
    expect(await ended).toMatchObject({code: 0, stderr: expect.not.stringMatching(/Error|EPIPE/)})
  })
})

describe('a bounded command', () => {
  it('exits 130 when it is interrupted', async () => {
    const {child, ended} = await running('aborted')
    child.kill('SIGINT')
    expect(await ended).toMatchObject({code: 130, stderr: expect.stringContaining('[COINPIPE_ABORTED]')})
  })

  it('exits 5 when it can be resumed, and says how', async () => {
    const {child, ended} = await running('resumable')
    child.kill('SIGINT')
    expect(await ended).toMatchObject({code: 5, stderr: expect.stringContaining('go on with --from-page 3')})
  })
})

describe('any command', () => {
  it('exits 70 on a bug, with a stack', async () => {
    expect(await stops('bug').ended).toMatchObject({
      code: 70,
      stderr: expect.stringMatching(/x is undefined \[COINPIPE_BUG\][\s\S]*stops\.ts:\d+/),
    })
  })

  it('exits 70 on an error that nothing awaits', async () => {
    expect(await stops('crash').ended).toMatchObject({code: 70, stderr: expect.stringContaining('[COINPIPE_BUG]')})
  })

  it('takes its data folder from flag, then environment', async () => {
    const env = {COINPIPE_DATA_DIR: '/tmp/from-environment', COINPIPE_FOR: '10ms'}
    const fromEnvironment = start(process.execPath, ['test/fixtures/cli/stops.ts', 'drained'], {env})
    const fromFlag = start(process.execPath, ['test/fixtures/cli/stops.ts', 'drained', '--data-dir', '/tmp/from-flag'], {env})
    expect((await fromEnvironment.ended).stderr).toContain('started /tmp/from-environment')
    expect((await fromFlag.ended).stderr).toContain('started /tmp/from-flag')
  })

  it('names the flag whose value cannot be read', async () => {
    expect(await stops('drained', '--for', '5').ended).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("Error: --for: '5' is not a duration [COINPIPE_INVALID_INPUT]"),
    })
  })
})
