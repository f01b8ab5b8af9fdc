import {type ChildProcess, spawn} from 'node:child_process'
import {once} from 'node:events'
import {AbortedError} from '../core/errors.ts'
import {ToolFailedError, ToolMissingError} from './errors.ts'

export interface ToolRun {
  readonly cwd?: string
  readonly env?: NodeJS.ProcessEnv
  readonly signal?: AbortSignal | undefined
  readonly timeoutMs: number
  /** What to type where the program is not there. */
  readonly remedy: readonly string[]
}

export interface ToolOutput {
  readonly stdout: string
  readonly stderr: string
}

const SHOWN_LINES = 15

/**
 * Runs a program to its end. Rejects with ToolMissingError where it is not installed, with ToolFailedError, which shows the end of what it wrote,
 * where it fails or takes too long, and with AbortedError.
 */
export async function runTool(command: string, args: readonly string[], options: ToolRun): Promise<ToolOutput> {
  const {cwd, env = {}, signal, timeoutMs, remedy} = options
  const child = spawn(command, args, {
    cwd,
    env: {...process.env, ...env},
    stdio: ['ignore', 'pipe', 'pipe'],
    signal: AbortSignal.any([AbortSignal.timeout(timeoutMs), ...(signal ? [signal] : [])]),
  })
  const output = collect(child)
  try {
    const [code] = await once(child, 'close')
    if (code === 0) return output
    throw failed(`${command} ended with ${code}`, output)
  } catch (cause) {
    if (signal?.aborted) throw new AbortedError(undefined, {cause})
    if (cause instanceof ToolFailedError) throw cause
    const {code, message} = cause as NodeJS.ErrnoException
    if (code === 'ENOENT') throw new ToolMissingError(`${command} is not installed, or not on the PATH`, {cause, remedy})
    throw failed(
      code === 'ABORT_ERR' ? `${command} took longer than ${timeoutMs / 1000} s` : `${command} did not run: ${message}`,
      output,
      cause,
    )
  }
}

function collect(child: ChildProcess): {stdout: string; stderr: string} {
  const output = {stdout: '', stderr: ''}
  for (const stream of ['stdout', 'stderr'] as const) {
    child[stream]?.setEncoding('utf8').on('data', (text: string) => {
      output[stream] += text
    })
  }
  return output
}

function failed(what: string, {stdout, stderr}: ToolOutput, cause?: unknown): ToolFailedError {
  const lines = `${stdout}${stderr}`.trim().split('\n').slice(-SHOWN_LINES)
  return new ToolFailedError([what, ...lines.filter((line) => line !== '').map((line) => `  ${line}`)].join('\n'), {
    cause,
    remedy: ['what it wrote says why; mend that and try again'],
  })
}
