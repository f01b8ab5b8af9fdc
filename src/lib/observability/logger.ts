import {pino, stdSerializers, stdTimeFunctions} from 'pino'
import {prettyFactory} from 'pino-pretty'
import type {Logger} from '../core/context.ts'
import {CoinpipeError} from '../core/errors.ts'
import type {TerminalStream} from './status-stream.ts'

export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'silent'] as const
export type LogLevel = (typeof LOG_LEVELS)[number]

export const LOG_FORMATS = ['auto', 'pretty', 'json'] as const
export type LogFormat = (typeof LOG_FORMATS)[number]

export interface LoggerOptions {
  /** Default `info`. */
  readonly level?: LogLevel
  /** `auto` (default): pretty on a terminal, one JSON object a line otherwise. */
  readonly format?: LogFormat
  /** Default `process.stderr`. Pass a status stream where a progress line is shown too. */
  readonly stream?: TerminalStream
  /** Colours of the pretty format; default: on a terminal that has not set NO_COLOR. */
  readonly color?: boolean
}

/**
 * The process's logger. Writes are synchronous, so the last line before a crash is on disk or screen; there is no worker transport,
 * because pino starts those from a file of its own, which a bundle does not have.
 */
export function createLogger(options: LoggerOptions = {}): Logger {
  const stream = options.stream ?? process.stderr
  return pino(
    {
      level: options.level ?? 'info',
      base: {pid: process.pid},
      timestamp: stdTimeFunctions.isoTime,
      formatters: {level: (label) => ({level: label})},
      serializers: {error: describeError, err: describeError},
    },
    destination(stream, options),
  )
}

function destination(stream: TerminalStream, options: LoggerOptions): {write(line: string): void} {
  const isTerminal = stream.isTTY === true
  const format = options.format ?? 'auto'
  if (format === 'pretty' || (format === 'auto' && isTerminal)) {
    const colorize = options.color ?? (isTerminal && !process.env.NO_COLOR)
    const render = prettyFactory({colorize, translateTime: 'SYS:HH:MM:ss', ignore: 'pid', singleLine: true})
    return {write: (line) => void stream.write(render(line))}
  }
  // pino's own destination survives a closed pipe (`coinpipe … 2>&1 | head`), which a write to process.stderr does not.
  if (stream.fd !== undefined && !isTerminal) return pino.destination({dest: stream.fd, sync: true})
  return {write: (line) => void stream.write(line)}
}

/** Expected trouble is one line; only a bug brings its stack. */
function describeError(error: unknown): unknown {
  if (error instanceof CoinpipeError) {
    const {code, message, cause} = error
    return {code, message, ...(cause instanceof Error ? {cause: cause.message} : {})}
  }
  return error instanceof Error ? stdSerializers.err(error) : error
}
