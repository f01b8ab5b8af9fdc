import type {Clock} from '../../core/context.ts'
import {DeadlineError} from '../../core/errors.ts'
import type {Nemesis, NemesisOp, NemesisReport} from '../../core/ports/nemesis.ts'
import {isSameProcess, type ProcessIdentity} from '../../core/process-identity.ts'
import {FaultRefusedError} from '../errors.ts'

/** A process that may be killed, and how to have it again. */
export interface KillTarget {
  /** The process as it runs now. */
  identity(): ProcessIdentity
  /** Resolves once it runs again. */
  start(): Promise<void>
}

export interface KillProcessOptions {
  readonly targets: Readonly<Record<string, KillTarget>>
  readonly clock: Clock
  /** How long a killed process may take to be gone. */
  readonly deadlineMs?: number
}

const DEADLINE_MS = 5000
const POLL_MS = 5

/** `{f: 'kill-process', target}`: SIGKILL, which no process can catch. Healing starts again what it killed. */
export class KillProcess implements Nemesis {
  readonly #options: KillProcessOptions
  readonly #dead = new Set<string>()

  constructor(options: KillProcessOptions) {
    this.#options = options
  }

  async inject({f, target}: NemesisOp): Promise<NemesisReport> {
    const found = this.#options.targets[target]
    if (f !== 'kill-process' || !found) {
      const known = Object.keys(this.#options.targets).join(', ')
      throw new FaultRefusedError(`no fault '${f}' on '${target}'`, {remedy: [`use kill-process on one of: ${known}`]})
    }
    const identity = found.identity()
    if (isSameProcess(identity) !== true) {
      throw new FaultRefusedError(`process ${identity.pid} is not the ${target} that was started: it is gone, and its pid may be another's`)
    }
    process.kill(identity.pid, 'SIGKILL')
    this.#dead.add(target)
    await this.#untilGone(target, identity)
    return {touched: [`${target} (pid ${identity.pid})`]}
  }

  async heal(): Promise<NemesisReport> {
    const touched = [...this.#dead]
    for (const target of touched) {
      await this.#options.targets[target]?.start()
      this.#dead.delete(target)
    }
    return {touched}
  }

  async #untilGone(target: string, identity: ProcessIdentity): Promise<void> {
    const {clock, deadlineMs = DEADLINE_MS} = this.#options
    const startedMs = clock.monotonicMs()
    while (isSameProcess(identity) === true) {
      if (clock.monotonicMs() - startedMs > deadlineMs) {
        throw new DeadlineError(`${target} (pid ${identity.pid}) still runs ${deadlineMs} ms after SIGKILL`)
      }
      await clock.sleep(POLL_MS)
    }
  }
}
