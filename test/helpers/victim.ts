import {identifyProcess, type ProcessIdentity} from '../../src/lib/core/process-identity.ts'
import {COINPIPE, type Started, start} from './run-cli.ts'
import {until} from './until.ts'

/** A command that can be killed and started again. */
export class Victim {
  readonly #args: readonly string[]
  #started: Started | undefined

  constructor(...args: readonly string[]) {
    this.#args = args
  }

  async start(): Promise<void> {
    this.#started = start(COINPIPE, this.#args)
    await until('the process to run', () => this.#find())
  }

  identity(): ProcessIdentity {
    const identity = this.#find()
    if (!identity) throw new Error(`${this.#args.join(' ')} is not running: ${this.output}`)
    return identity
  }

  /** Null where it does not run. */
  get pid(): number | null {
    return this.#find()?.pid ?? null
  }

  /** What it has written to stderr since its last start. */
  get output(): string {
    return this.#started?.output().stderr ?? ''
  }

  /** Ends it as Ctrl-C does, and gives its exit code. */
  async stop(): Promise<number | null | undefined> {
    this.#started?.child.kill('SIGTERM')
    return (await this.#started?.ended)?.code
  }

  #find(): ProcessIdentity | null {
    const pid = this.#started?.child.pid
    return pid === undefined ? null : identifyProcess(pid)
  }
}
