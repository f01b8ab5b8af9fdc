import {describe, expect, it} from 'vitest'
import {forwardFlags, splitArguments} from '../../../src/lib/cli/forward-flags.ts'
import {checkWorkerArguments, refuseFlags, workerEnv} from '../../../src/lib/cli/worker-arguments.ts'

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

  it('give each worker a port of its own for its metrics, or none', () => {
    const check = (...args: string[]) => checkWorkerArguments(args)
    expect(() => check('--metrics-port', '0')).not.toThrow()
    expect(() => check('--metrics-port=0', '--metrics-host=0.0.0.0')).not.toThrow()
    for (const args of [['--metrics-port', '9464'], ['--metrics-port=9464'], ['--metrics-port']]) {
      expect(() => check(...args)).toThrow(
        expect.objectContaining({code: 'COINPIPE_USAGE', remedy: expect.arrayContaining([expect.any(String)])}),
      )
    }
  })

  it('are not about Cassandra where the sink is not: those on the command line, not what variables set for other commands', () => {
    const raw = [{type: 'arg'}, {type: 'flag', flag: 'hosts'}, {type: 'flag', flag: 'max'}, {type: 'flag', flag: 'hosts'}]
    expect(() => refuseFlags(raw, ['hosts', 'keyspace'], 'store')).toThrow(
      expect.objectContaining({code: 'COINPIPE_USAGE', message: '--hosts: not for the sink store, which does not go to Cassandra'}),
    )
    expect(() => refuseFlags(raw, ['keyspace'], 'store')).not.toThrow()
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
    const env = workerEnv({
      PATH: '/bin',
      COINPIPE_FOR: '1s',
      COINPIPE_COUNT: '5',
      COINPIPE_INSTANCE: 'a',
      COINPIPE_METRICS_PORT: '9464',
      COINPIPE_LINGER: '5ms',
    })
    expect(env).toEqual({PATH: '/bin', COINPIPE_LINGER: '5ms', COINPIPE_SUPERVISED: '1'})
  })
})
