import {Errors} from '@oclif/core'
import {CoinpipeError, EXIT, type ExitCode} from '../core/errors.ts'
import {UsageError} from './errors.ts'

/** What `--json` prints of an error, under `error`. */
export interface ReportedError {
  readonly code: string
  readonly message: string
  readonly remedy: readonly string[]
}

/** `process` but in tests. */
interface Output {
  readonly stdout: {write(text: string): unknown}
  readonly stderr: {write(text: string): unknown}
}

interface Report extends ReportedError {
  readonly exitCode: ExitCode
  /** Only a bug shows where it happened; expected trouble has no stack. */
  readonly stack?: string
}

/**
 * Prints an error and returns the exit code for it: people read it on stderr, programs (`json`) as one line on stdout.
 * oclif's ExitError prints nothing; it carries only a code.
 */
export function reportError(error: unknown, json: boolean, {stdout, stderr}: Output = process): number {
  if (error instanceof Errors.ExitError) return error.oclif.exit ?? EXIT.bug
  const {code, message, remedy, exitCode, stack} = describe(error)
  if (json) stdout.write(`${JSON.stringify({error: {code, message, remedy}})}\n`)
  if (json && !stack) return exitCode
  const lines = [`Error: ${message} [${code}]`, ...remedy.map((line) => `  ${line}`), ...(stack ? [stack] : [])]
  stderr.write(`${lines.join('\n')}\n`)
  return exitCode
}

function describe(error: unknown): Report {
  const known = error instanceof Errors.CLIError ? usage(error) : error
  if (known instanceof CoinpipeError && known.exitCode !== EXIT.bug) {
    return {code: known.code, message: withoutOclifFrame(known.message), remedy: known.remedy, exitCode: known.exitCode}
  }
  const bug = known instanceof Error ? known : new Error(`a thrown value that is no error: ${String(known)}`)
  return {
    code: known instanceof CoinpipeError ? known.code : 'COINPIPE_BUG',
    message: bug.message,
    remedy: ['This is a bug in coinpipe. Please report it with the command, these lines and the output of: coinpipe --version'],
    exitCode: EXIT.bug,
    stack: [bug.stack, ...causes(bug)].join('\n'),
  }
}

/** Everything that oclif itself raises is about how the command was called. */
function usage(error: Error): UsageError {
  return new UsageError(plain(error.message), {
    cause: error,
    remedy: ['see the flags and examples: add --help'],
  })
}

/** Of oclif's messages in several lines: one line, without what says nothing. */
function plain(message: string): string {
  return message
    .replace(/\nSee more help with --help$/, '')
    .replace(/^The following errors? occurred:\s*/, '')
    .replace(/^Parsing (--\S+) \n\t/, '$1: ')
    .replace(/\s*\n\s*/g, '; ')
    .replace(/:; /g, ': ')
}

/** oclif writes around the message of what a flag's parser throws; keep the flag's name and drop the rest. */
function withoutOclifFrame(message: string): string {
  return message.replace(/^Parsing (--\S+) \n\t([\s\S]*)\nSee more help with --help$/, '$1: $2')
}

function causes(error: Error): string[] {
  return error.cause instanceof Error ? [`Caused by: ${error.cause.stack}`, ...causes(error.cause)] : []
}
