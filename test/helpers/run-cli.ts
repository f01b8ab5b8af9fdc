import {type ChildProcessWithoutNullStreams, spawn} from 'node:child_process'
import {once} from 'node:events'
import {fileURLToPath} from 'node:url'
import {onTestFinished} from 'vitest'

export const REPOSITORY = fileURLToPath(new URL('../..', import.meta.url))
export const COINPIPE = fileURLToPath(new URL('../../bin/coinpipe', import.meta.url))

const WAIT_MS = 30_000

export interface Ended {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

export interface Started {
  readonly child: ChildProcessWithoutNullStreams
  /** What it has written so far. */
  output(): {readonly stdout: string; readonly stderr: string}
  /** Resolves once `pattern` stands in its output. */
  saw(pattern: RegExp): Promise<void>
  readonly ended: Promise<Ended>
}

export interface StartOptions {
  readonly env?: NodeJS.ProcessEnv
  readonly cwd?: string
}

/** Starts a process and collects what it writes; it is killed when the test is over. */
export function start(command: string, args: readonly string[], {env = {}, cwd = REPOSITORY}: StartOptions = {}): Started {
  const child = spawn(command, args, {cwd, env: {...process.env, ...env}})
  const written = {stdout: '', stderr: ''}
  child.stdout.on('data', (chunk) => {
    written.stdout += chunk
  })
  child.stderr.on('data', (chunk) => {
    written.stderr += chunk
  })
  onTestFinished(() => {
    child.kill('SIGKILL')
  })
  const ended = once(child, 'close').then(([code]) => ({code, ...written}))
  return {child, output: () => written, saw: (pattern) => saw(child, written, pattern), ended}
}

/** Runs coinpipe, from the bundle, to its end. */
export async function coinpipe(...args: readonly string[]): Promise<Ended> {
  const {child, ended} = start(COINPIPE, args)
  child.stdin.end()
  return await ended
}

async function saw(child: ChildProcessWithoutNullStreams, written: {stdout: string; stderr: string}, pattern: RegExp): Promise<void> {
  const deadline = AbortSignal.timeout(WAIT_MS)
  while (!pattern.test(written.stdout) && !pattern.test(written.stderr)) {
    if (child.exitCode !== null)
      throw new Error(`ended with ${child.exitCode} before it wrote ${pattern}:\n${written.stdout}${written.stderr}`)
    await Promise.race([
      once(child.stdout, 'data', {signal: deadline}),
      once(child.stderr, 'data', {signal: deadline}),
      once(child, 'close', {signal: deadline}),
    ])
  }
}
