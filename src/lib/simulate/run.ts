import type {Context} from '../core/context.ts'
import type {SimulatorOptions} from './options.ts'
import {type Replay, type ReplayOptions, type ReplayStats, startReplay} from './replay/replay.ts'
import {type Simulator, startSimulator} from './simulator.ts'
import type {SimulatorStats} from './stats.ts'

/** Something on show while a server runs, such as a progress line. */
export interface Shown {
  stop(): void
}

interface Served<Stats> {
  readonly finished: Promise<void>
  stats(): Stats
  close(): Promise<void>
}

type ServingContext = Pick<Context, 'clock' | 'logger' | 'signal'>

/** A simulator until it has made its trades or the context's signal aborts; `onListening` is called once it can be reached. */
export async function runSimulator(
  options: SimulatorOptions,
  context: ServingContext,
  onListening: (simulator: Simulator) => Shown,
): Promise<SimulatorStats> {
  const simulator = await startSimulator(options, context)
  return serve(simulator, onListening(simulator), context.signal)
}

/** A replay until its end or until the context's signal aborts. */
export async function runReplay(
  options: ReplayOptions,
  context: ServingContext,
  onListening: (replay: Replay) => Shown,
): Promise<ReplayStats> {
  const replay = await startReplay(options, context)
  return serve(replay, onListening(replay), context.signal)
}

async function serve<Stats>(served: Served<Stats>, shown: Shown, signal: AbortSignal): Promise<Stats> {
  const aborted = Promise.withResolvers<void>()
  const onAbort = () => aborted.resolve()
  if (signal.aborted) onAbort()
  signal.addEventListener('abort', onAbort, {once: true})
  try {
    await Promise.race([served.finished, aborted.promise])
  } finally {
    signal.removeEventListener('abort', onAbort)
    shown.stop()
    await served.close()
  }
  return served.stats()
}
