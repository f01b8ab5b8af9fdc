import {formatDuration} from '../core/duration.ts'
import {AbortedError, EXIT} from '../core/errors.ts'

const SIGNALS = ['SIGINT', 'SIGTERM'] as const

export interface StopperOptions {
  /** How long the work may take to finish what it has begun. */
  readonly drainMs: number
  /** Tells the user, on stderr. */
  readonly say: (line: string) => void
  /** Leaves at once; `process.exit` but in tests. */
  readonly exit: (code: number) => void
  /** Where signals come from: `process` but in tests. */
  readonly process: Pick<NodeJS.EventEmitter, 'on' | 'off'>
}

/** Decides when the work stops: `signal` aborts first, then a second signal or the drain deadline ends the process. */
export interface Stopper {
  readonly signal: AbortSignal
  /** Asks the work to stop, as the first Ctrl-C does; a second call does nothing. */
  stop(reason: string): void
  /** Calls {@link stop} by itself after `ms`. */
  stopAfter(ms: number): void
  /** Gives the signals back. */
  close(): void
}

export function createStopper({drainMs, say, exit, process}: StopperOptions): Stopper {
  const controller = new AbortController()
  const timers: NodeJS.Timeout[] = []
  let signalled = false

  const stop = (reason: string) => {
    if (controller.signal.aborted) return
    timers.push(setTimeout(giveUp, drainMs))
    controller.abort(new AbortedError(`stopped before it was done: ${reason}`))
  }
  const giveUp = () => {
    say(`not finished ${formatDuration(drainMs)} after being asked to stop: leaving at once`)
    exit(EXIT.interrupted)
  }
  const onSignal = (name: string) => {
    if (signalled) return exit(EXIT.interrupted)
    signalled = true
    say(`${name}: finishing what has begun; once more leaves at once`)
    stop(name)
  }

  for (const name of SIGNALS) process.on(name, onSignal)
  return {
    signal: controller.signal,
    stop,
    stopAfter: (ms) => timers.push(setTimeout(stop, ms, `ran for ${formatDuration(ms)}`)),
    close() {
      for (const timer of timers) clearTimeout(timer)
      for (const name of SIGNALS) process.off(name, onSignal)
    },
  }
}
