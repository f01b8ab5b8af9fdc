import {UsageError} from './errors.ts'
import {supervisedEnv} from './supervised.ts'

/** Flags that are given before the `--`, for they are about all workers. */
const OF_ALL = ['group', 'topics', 'config', 'bus', 'brokers', 'data-dir', 'drain-timeout', 'log-level', 'sink']
/** Flags that would end a worker, or have two of them throw one another out. */
const NOT_FOR_WORKERS = ['for', 'count', 'until-caught-up', 'instance', 'json', 'log-format']
/** These, where they are set for us, are for us alone: two processes cannot have one port. */
const LEFT_OUT = [...NOT_FOR_WORKERS, 'metrics-port'].map((flag) => `COINPIPE_${flag.replaceAll('-', '_').toUpperCase()}`)

/** Throws UsageError where the arguments behind `--` have a flag that is not for workers. */
export function checkWorkerArguments(args: readonly string[]): void {
  for (const [at, arg] of args.entries()) {
    const [, flag = '', value = args[at + 1]] = /^--(?:no-)?([a-z-]+)(?:=(.*))?$/.exec(arg) ?? []
    if (OF_ALL.includes(flag)) throw new UsageError(`--${flag} is for all workers`, {remedy: ['write it before the --']})
    if (flag === 'metrics-port' && value !== '0') {
      throw new UsageError('workers cannot share a port for their metrics', {
        remedy: [
          'write --metrics-port 0: each takes a free one, which the log names',
          'or write it before the --: lag and workers, from here',
        ],
      })
    }
    if (NOT_FOR_WORKERS.includes(flag)) {
      throw new UsageError(`--${flag} is not for workers: they run until they are told to stop, each under a name of its own`, {
        remedy: ['leave it away', 'to end after a while, write --for before the --'],
      })
    }
  }
}

/** Throws UsageError where flags that only some sink takes are written for one that does not. `raw` are the arguments as oclif found them. */
export function refuseFlags(raw: readonly {readonly type: string; readonly flag?: string}[], names: readonly string[], sink: string): void {
  const wrong = [...new Set(raw.flatMap(({flag}) => (flag !== undefined && names.includes(flag) ? [`--${flag}`] : [])))]
  if (wrong.length === 0) return
  throw new UsageError(`${wrong.join(', ')}: not for the sink ${sink}, which does not go to Cassandra`, {
    remedy: [`leave ${wrong.length === 1 ? 'it' : 'them'} away`, 'or scale the other sink: coinpipe sink autoscale cassandra'],
  })
}

/** Our environment for a worker: without what is not for it, and with what makes it end when we do. */
export function workerEnv(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const kept = Object.entries(env).filter(([name]) => !LEFT_OUT.includes(name))
  return {...Object.fromEntries(kept), ...supervisedEnv}
}
