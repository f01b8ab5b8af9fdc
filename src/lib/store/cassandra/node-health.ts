import type {Clock, Random} from '../../core/context.ts'

/** What is known of a node by how it answers. Times are milliseconds of a clock that never steps back. */
interface Answers {
  /** Smoothed; 0 before the first answer. */
  latencyMs: number
  answeredAtMs: number
  /** When it was asked while nothing else was under way to it. */
  askedAtMs: number
  failures: number
  /** Until then it is asked last. */
  avoidUntilMs: number
  probedAtMs: number
}

/** A node that has questions and answers none of them for so long is stuck, or collects garbage. */
const STALLED_MS = 300
/** A lost answer must not look like a stall for ever. */
const LONGEST_STALL_MS = 30_000
const FIRST_PENALTY_MS = 2000
const MAX_PENALTY_MS = 30_000
const SMOOTHING = 0.1
/** So many times slower than the quickest, and at least so much, is slow. */
const SLOW_FACTOR = 4
const SLOW_MS = 30
/** How often a slow node is asked first, to see whether it still is. */
const PROBE_MS = 500

export interface Asked<N> {
  readonly node: N
  /** Questions under way to it. */
  readonly inFlight: number
}

/**
 * Which nodes are better asked last: those that failed lately, that have questions and answer none, or that are far slower than the others. A node comes
 * back by itself: when its penalty is over, or when a probe finds it quick again.
 */
export class NodeHealth<N extends object> {
  readonly #clock: Clock
  readonly #random: Random
  readonly #answers = new WeakMap<N, Answers>()

  constructor(clock: Clock, random: Random) {
    this.#clock = clock
    this.#random = random
  }

  asked({node, inFlight}: Asked<N>): void {
    const answers = this.#of(node)
    if (inFlight === 0) answers.askedAtMs = this.#clock.monotonicMs()
  }

  answered(node: N, latencyMs: number): void {
    const answers = this.#of(node)
    answers.latencyMs = answers.latencyMs === 0 ? latencyMs : answers.latencyMs + SMOOTHING * (latencyMs - answers.latencyMs)
    answers.answeredAtMs = this.#clock.monotonicMs()
    answers.failures = 0
    answers.avoidUntilMs = 0
  }

  /** It did not answer in time, hung up, or had too much to do. */
  failed(node: N): void {
    const answers = this.#of(node)
    const nowMs = this.#clock.monotonicMs()
    // All that was under way when it stopped is one failure.
    if (nowMs < answers.avoidUntilMs) return
    answers.avoidUntilMs = nowMs + Math.min(MAX_PENALTY_MS, FIRST_PENALTY_MS * 2 ** answers.failures)
    answers.failures += 1
  }

  /** Good nodes first, those with the fewest questions ahead; then the others, the least bad first. */
  order(nodes: readonly Asked<N>[]): {readonly good: readonly N[]; readonly bad: readonly N[]} {
    const nowMs = this.#clock.monotonicMs()
    const quickest = Math.min(...nodes.map(({node}) => this.#of(node).latencyMs).filter((latencyMs) => latencyMs > 0))
    const judged = nodes.map((asked) => ({...asked, chance: this.#random(), isBad: this.#isBad(asked, quickest, nowMs)}))
    const byLoad = judged.toSorted((a, b) => a.inFlight - b.inFlight || a.chance - b.chance)
    return {good: byLoad.filter(({isBad}) => !isBad).map(({node}) => node), bad: byLoad.filter(({isBad}) => isBad).map(({node}) => node)}
  }

  #isBad({node, inFlight}: Asked<N>, quickestMs: number, nowMs: number): boolean {
    const answers = this.#of(node)
    if (nowMs < answers.avoidUntilMs) return true
    const silentMs = nowMs - Math.max(answers.answeredAtMs, answers.askedAtMs)
    if (inFlight > 0 && silentMs > STALLED_MS && silentMs < LONGEST_STALL_MS) return true
    if (answers.latencyMs < SLOW_MS || answers.latencyMs < SLOW_FACTOR * quickestMs) return false
    if (nowMs - answers.probedAtMs < PROBE_MS) return true
    answers.probedAtMs = nowMs
    return false
  }

  #of(node: N): Answers {
    let answers = this.#answers.get(node)
    if (answers === undefined) {
      answers = {latencyMs: 0, answeredAtMs: 0, askedAtMs: 0, failures: 0, avoidUntilMs: 0, probedAtMs: 0}
      this.#answers.set(node, answers)
    }
    return answers
  }
}
