import {type ChildProcess, spawn} from 'node:child_process'
import type {Readable} from 'node:stream'
import type {Logger} from '../../core/context.ts'
import {readLines} from '../../core/lines.ts'
import {relayLine} from './worker-log.ts'

/** How a worker is started: this program again, with `--json` and `--log-format json`. */
export interface WorkerCommand {
  readonly program: string
  readonly args: readonly string[]
  readonly env: NodeJS.ProcessEnv
}

/** How a worker ended. */
export interface WorkerEnd {
  /** Null where a signal ended it, or it could not be started. */
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  /** The last line that it wrote on stdout: its summary, or its error. */
  readonly answer: unknown
  /** Why it could not be started. */
  readonly cause?: Error
}

const LINE_BYTES = 256 * 1024

/** One process of a sink. It ends when it is told to, or when this process does. */
export class Worker {
  readonly #child: ChildProcess
  /** Resolves once it is gone and all that it wrote is read; never rejects. */
  readonly ended: Promise<WorkerEnd>

  constructor({program, args, env}: WorkerCommand, logger: Logger) {
    this.#child = spawn(program, args, {env, stdio: ['ignore', 'pipe', 'pipe', 'ipc']})
    this.ended = this.#follow(logger)
  }

  get pid(): number | undefined {
    return this.#child.pid
  }

  /** Has it finish what it has begun, and end. */
  stop(): void {
    if (this.#child.connected) this.#child.disconnect()
  }

  /** Ends it at once, which loses nothing: what it had not committed is read again. */
  kill(): void {
    this.#child.kill('SIGKILL')
  }

  async #follow(logger: Logger): Promise<WorkerEnd> {
    // Not `close`: Node does not emit it once we disconnected.
    const gone = new Promise<WorkerEnd>((resolve) => {
      this.#child.on('error', (cause) => resolve({code: null, signal: null, answer: null, cause}))
      this.#child.once('exit', (code, signal) => resolve({code, signal, answer: null}))
    })
    const [end, answer] = await Promise.all([
      gone,
      lastLine(this.#child.stdout),
      eachLine(this.#child.stderr, (line) => relayLine(line, logger)),
    ])
    return {...end, answer: parsed(answer)}
  }
}

async function eachLine(stream: Readable | null, take: (line: string) => void): Promise<void> {
  if (stream === null) return
  for await (const {text} of readLines(stream, LINE_BYTES)) if (text) take(text)
}

async function lastLine(stream: Readable | null): Promise<string> {
  let last = ''
  await eachLine(stream, (line) => {
    last = line
  })
  return last
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line)
  } catch {
    return null
  }
}
