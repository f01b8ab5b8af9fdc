import {execFile} from 'node:child_process'
import {promisify} from 'node:util'

export interface Timed {
  readonly stdout: string
  /** User and system time of the process, its start included. */
  readonly cpuSeconds: number
}

const LIMIT_MS = 300_000

/** Runs a command to its end under the shell's own timer, which counts CPU time of Java and Node alike. */
export async function timed(command: string, args: readonly string[]): Promise<Timed> {
  const script = 'TIMEFORMAT="CPU %U %S"; time "$@"'
  const {stdout, stderr} = await promisify(execFile)('bash', ['-c', script, 'bash', command, ...args], {
    timeout: LIMIT_MS,
    maxBuffer: 64 * 1024 * 1024,
  })
  const [, user, system] = /CPU ([\d.]+) ([\d.]+)/.exec(stderr) ?? []
  return {stdout, cpuSeconds: Number(user) + Number(system)}
}
