import {describe, expect, it} from 'vitest'
import {forwardFlags, splitArguments} from '../../../src/lib/cli/forward-flags.ts'
import {checkWorkerArguments, workerEnv} from '../../../src/lib/cli/worker-arguments.ts'

describe('arguments for workers', () => {
  it('stand behind the first --', () => {
    expect(splitArguments(['store', '--max', '3', '--', '--a', '--', 'b'])).toEqual({
      own: ['store', '--max', '3'],
      rest: ['--a', '--', 'b'],
    })
    expect(splitArguments(['store'])).toEqual({own: ['store'], rest: []})
  })

  it.each(['--group=x', '--topics', '--no-durable-typo'])('may or may not be %s', (arg) => {
    const check = () => checkWorkerArguments([arg])
    if (arg.startsWith('--no-')) expect(check).not.toThrow()
    else expect(check).toThrow(expect.objectContaining({code: 'COINPIPE_USAGE', remedy: ['write it before the --']}))
  })

  it.each(['--for', '--count=3', '--until-caught-up', '--instance=a', '--json'])('are not %s', (arg) => {
    expect(() => checkWorkerArguments(['--skip-expired', arg])).toThrow(expect.objectContaining({code: 'COINPIPE_USAGE', exitCode: 2}))
  })

  it('are the given flags, without those left at their default', () => {
    const metadata = {flags: {'log-level': {setFromDefault: true}, set: {}, brokers: {}}}
    const flags = {'log-level': 'info', set: ['a.b=1', 'c=2 3'], brokers: 'h:1', durable: true, catchUp: false, config: undefined}
    expect(forwardFlags(flags, metadata, ['log-level', 'set', 'brokers', 'durable', 'catchUp', 'config'])).toEqual([
      '--set=a.b=1',
      '--set=c=2 3',
      '--brokers=h:1',
      '--durable',
    ])
  })
})

describe('the environment of workers', () => {
  it('is ours without what would end them or give two the same name', () => {
    const env = workerEnv({PATH: '/bin', COINPIPE_FOR: '1s', COINPIPE_COUNT: '5', COINPIPE_INSTANCE: 'a', COINPIPE_LINGER: '5ms'})
    expect(env).toEqual({PATH: '/bin', COINPIPE_LINGER: '5ms', COINPIPE_SUPERVISED: '1'})
  })
})
