import type {Context} from '../../core/context.ts'
import type {CoinpipeError} from '../../core/errors.ts'
import type {Lane} from './lane.ts'

/** What keeps rows from being written, and of which partitions: said when it begins and when it is over, not for each attempt. */
export class Trouble {
  readonly #context: Context
  readonly #component: string
  readonly #lanes = new Set<Lane>()
  #error: CoinpipeError | undefined

  constructor(component: string, context: Context) {
    this.#component = component
    this.#context = context
  }

  get error(): CoinpipeError | undefined {
    return this.#error
  }

  /** An attempt failed; there will be another one. */
  failed(lane: Lane, error: CoinpipeError): void {
    const {metrics, logger} = this.#context
    const labels = {component: this.#component, code: error.code}
    metrics.counter('coinpipe_retries_total').add(1, labels)
    // Whoever runs the sink says it aloud, where it lasts.
    if (this.#error === undefined) logger.debug({...labels, reason: error.message}, 'rows could not be written; they are tried again')
    this.#error = error
    this.#lanes.add(lane)
  }

  /** An attempt failed, and no other one would help. */
  hopeless(error: CoinpipeError): void {
    this.#error = error
  }

  /** Rows of the partition were written, or are not wanted any more. */
  over(lane: Lane): void {
    lane.failures = 0
    this.#lanes.delete(lane)
    if (this.#error === undefined || this.#lanes.size > 0) return
    this.#context.logger.debug({component: this.#component, after: this.#error.code}, 'rows are written again')
    this.#error = undefined
  }
}
