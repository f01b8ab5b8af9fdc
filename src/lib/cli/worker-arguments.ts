import {UsageError} from './errors.ts'
import {supervisedEnv} from './supervised.ts'

/** Flags that are given before the `--`, for they are about all workers. */
const OF_ALL = ['group', 'topics', 'config', 'bus', 'brokers', 'data-dir', 'drain-timeout', 'log-level', 'sink']
/** Flags that would end a worker, or have two of them throw one another out. */
const NOT_FOR_WORKERS = ['for', 'count', 'until-caught-up', 'instance', 'json', 'log-format']
const LEFT_OUT = NOT_FOR_WORKERS.map((flag) => `COINPIPE_${flag.replaceAll('-', '_').toUpperCase()}`)

/** Throws UsageError where the arguments behind `--` have a flag that is not for workers. */
export function checkWorkerArguments(args: readonly string[]): void {
  for (const arg of args) {
    const flag = /^--(?:no-)?([a-z-]+)/.exec(arg)?.[1] ?? ''
    if (OF_ALL.includes(flag)) throw new UsageError(`--${flag} is for all workers`, {remedy: ['write it before the --']})
    if (NOT_FOR_WORKERS.includes(flag)) {
      throw new UsageError(`--${flag} is not for workers: they run until they are told to stop, each under a name of its own`, {
        remedy: ['leave it away', 'to end after a while, write --for before the --'],
      })
    }
  }
}

/** Our environment for a worker: without what is not for it, and with what makes it end when we do. */
export function workerEnv(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const kept = Object.entries(env).filter(([name]) => !LEFT_OUT.includes(name))
  return {...Object.fromEntries(kept), ...supervisedEnv}
}
