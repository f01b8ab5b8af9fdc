import type {Context} from '../core/context.ts'
import type {CoinpipeError} from '../core/errors.ts'
import type {Health} from '../core/health.ts'

/** One outage soon after another is no news, unless it lasts. */
const NEWS_MS = 10_000

/** Says once that what a component writes to is away, and once that it is back, however many writes wait for it and however often they are tried. */
export class Outage {
  readonly #component: string
  readonly #context: Context
  readonly #health: Health | undefined
  readonly #failing = new Set<object>()
  #sinceMs = 0
  #attempts = 0
  #isSaid = false
  #endedMs = Number.NEGATIVE_INFINITY

  /** `component` is the label in metrics, and the name in health. */
  constructor(component: string, context: Context, health?: Health) {
    this.#component = component
    this.#context = context
    this.#health = health
  }

  /** Nothing is known to be wrong. */
  ready(): void {
    this.#report(true)
  }

  /** `write` is tried again because of `error`. */
  failed(write: object, error: CoinpipeError): void {
    const {clock, logger} = this.#context
    if (this.#failing.size === 0) this.#begin(error)
    this.#failing.add(write)
    this.#attempts += 1
    const nowMs = clock.monotonicMs()
    const isNews = this.#sinceMs - this.#endedMs >= NEWS_MS || nowMs - this.#sinceMs >= NEWS_MS
    const fields = {component: this.#component, code: error.code, reason: error.message}
    if (this.#isSaid || !isNews) {
      logger.debug(fields, 'still not written')
      return
    }
    this.#isSaid = true
    logger.warn({...fields, remedy: error.remedy}, 'cannot write; trying until it can')
  }

  /** `write` is not tried again. */
  gaveUp(write: object): void {
    this.#failing.delete(write)
  }

  succeeded(write: object): void {
    if (!this.#failing.delete(write) || this.#failing.size > 0) return
    const {clock, logger} = this.#context
    this.#endedMs = clock.monotonicMs()
    const seconds = Math.round((this.#endedMs - this.#sinceMs) / 100) / 10
    this.#report(true)
    logger[this.#isSaid ? 'info' : 'debug']({component: this.#component, seconds, attempts: this.#attempts}, 'writes again')
  }

  #begin({message}: CoinpipeError): void {
    this.#sinceMs = this.#context.clock.monotonicMs()
    this.#attempts = 0
    this.#isSaid = false
    this.#report(false, message)
  }

  #report(up: boolean, reason?: string): void {
    const component = this.#component
    this.#context.metrics.gauge('coinpipe_sink_up').set(up ? 1 : 0, {component})
    this.#health?.set(component, up ? 'up' : 'down', reason)
  }
}
