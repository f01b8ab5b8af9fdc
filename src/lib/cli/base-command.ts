import {once} from 'node:events'
import {Command} from '@oclif/core'
import {systemClock} from '../core/clock.ts'
import type {Context} from '../core/context.ts'
import {AbortedError, type ExitCode} from '../core/errors.ts'
import {createHealth, type Health} from '../observability/health.ts'
import {createLogger, type LogFormat, type LogLevel} from '../observability/logger.ts'
import {createMetrics, type MetricsRegistry} from '../observability/metrics.ts'
import {createStatusStream, type StatusStream} from '../observability/status-stream.ts'
import {commonFlags} from './flags.ts'
import {reportError} from './report-error.ts'
import {createStopper, type Stopper} from './stopper.ts'
import {followSupervisor} from './supervised.ts'

/** How long a bounded command may take to stop; endless ones have `--drain-timeout`. */
const DRAIN_MS = 30_000

/** What a running command hands to the one service that it calls. */
export interface CommandContext extends Context {
  readonly metrics: MetricsRegistry
  readonly health: Health
  /** Stderr with room for a progress line; the logger writes to it too. */
  readonly status: StatusStream
  readonly dataDir: string
  /** Ends the run as the first Ctrl-C does, for example once `--count` is reached. */
  stop(reason: string): void
}

/** The parsed flags that {@link BaseCommand.start} reads; those of `endlessFlags` only where the command takes them. */
export interface StartFlags {
  readonly 'log-level': LogLevel
  readonly 'log-format': LogFormat
  readonly 'data-dir'?: string | undefined
  readonly for?: number | undefined
  readonly 'drain-timeout'?: number | undefined
}

/**
 * Base of every command: common flags, the context, stopping, and errors as people and programs read them.
 *
 * A command parses its flags, calls `start`, hands the context to one service and returns the answer, which `--json` prints as one line.
 * On the first SIGINT or SIGTERM `context.signal` aborts: an endless command then drains and returns (exit 0); a bounded one lets the
 * AbortedError pass (130) or throws an error with exit code 5 that says how to resume.
 */
export abstract class BaseCommand extends Command {
  static override enableJsonFlag = true
  static override baseFlags = commonFlags
  #stopper: Stopper | undefined
  #unfollow: (() => void) | undefined
  #outputClosed = false

  /** Builds the context and starts to listen for signals. Call it once, after parsing. */
  protected start(flags: StartFlags): CommandContext {
    const status = createStatusStream(process.stderr)
    const logger = createLogger({level: flags['log-level'], format: flags['log-format'], stream: status})
    const stopper = createStopper({
      drainMs: flags['drain-timeout'] ?? DRAIN_MS,
      say: (line) => status.write(`${line}\n`),
      exit: (code) => process.exit(code),
      process,
    })
    this.#stopper = stopper
    this.#unfollow = followSupervisor(process, stopper.stop)
    if (flags.for !== undefined) stopper.stopAfter(flags.for)
    process.stdout.on('error', this.#onOutputError)
    return {
      logger,
      metrics: createMetrics(),
      health: createHealth(systemClock),
      status,
      clock: systemClock,
      random: Math.random,
      signal: stopper.signal,
      dataDir: flags['data-dir'] ?? this.config.dataDir,
      stop: stopper.stop,
    }
  }

  /**
   * Writes data, text or bytes, to stdout; resolves once there is room for more. Rejects with AbortedError where the reader has gone, or the run is stopped
   * while the reader stalls. What is written while draining, after the stop, waits for the reader again.
   */
  protected async write(data: string | Uint8Array): Promise<void> {
    if (this.#outputClosed) throw new AbortedError()
    if (process.stdout.write(data)) return
    const signal = this.#stopper?.signal
    try {
      await once(process.stdout, 'drain', signal?.aborted === false ? {signal} : {})
    } catch (cause) {
      throw new AbortedError(undefined, {cause})
    }
  }

  /** Sets the exit code of a command that ends by itself, for example 1 for "checked and found wrong". */
  protected exitWith(code: ExitCode): void {
    process.exitCode = code
  }

  override jsonEnabled(): boolean {
    return super.jsonEnabled() || ['1', 'true'].includes(process.env.COINPIPE_JSON ?? '')
  }

  override logJson(json: unknown): void {
    process.stdout.write(`${JSON.stringify(json)}\n`)
  }

  protected override async catch(error: Error): Promise<void> {
    if (this.#outputClosed && error instanceof AbortedError) return
    process.exitCode = reportError(error, this.jsonEnabled())
  }

  protected override async finally(): Promise<void> {
    process.stdout.off('error', this.#onOutputError)
    this.#unfollow?.()
    this.#stopper?.close()
  }

  /** The reader of our output has gone (`| head`): it has what it wanted, so stop without a complaint. */
  readonly #onOutputError = (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') return
    this.#outputClosed = true
    this.#stopper?.stop('the reader of the output has gone')
  }
}
