import type {Context} from '../core/context.ts'
import {CoinpipeError} from '../core/errors.ts'
import type {Sink} from '../core/ports/sink.ts'
import type {Outage} from './outage.ts'

/** The store of a write that takes longer is asked, again and again. */
const STALL_MS = 3000
const PERIOD_MS = 1000

/** Asks a store whose writes take long whether it is there: so an outage is known long before the writes give up. One that answers is only slow. */
export class StallWatch {
  readonly #sink: Pick<Sink, 'check'>
  readonly #outage: Outage
  readonly #context: Context
  /** When each write under way began, oldest first. */
  readonly #writes = new Map<object, number>()

  constructor(sink: Pick<Sink, 'check'>, outage: Outage, context: Context) {
    this.#sink = sink
    this.#outage = outage
    this.#context = context
  }

  started(write: object): void {
    this.#writes.set(write, this.#context.clock.monotonicMs())
  }

  ended(write: object): void {
    this.#writes.delete(write)
  }

  /** Watches until `signal` aborts. Never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    const {clock} = this.#context
    while (!signal.aborted) {
      await clock.sleep(PERIOD_MS, signal).catch(() => undefined)
      const [oldest] = this.#writes
      if (!signal.aborted && oldest && clock.monotonicMs() - oldest[1] >= STALL_MS) await this.#ask(oldest[0])
    }
  }

  async #ask(write: object): Promise<void> {
    try {
      await this.#sink.check()
    } catch (error) {
      if (error instanceof CoinpipeError && this.#writes.has(write)) this.#outage.failed(write, error)
    }
  }
}
