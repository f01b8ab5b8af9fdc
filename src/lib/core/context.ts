/** What every component gets in its one context argument; nothing in a room reaches for a global. */

import type {CounterName, GaugeName, HistogramName} from './metric-names.ts'

/** Structured logger: the message is a constant, details are fields. A pino logger is one. */
export interface Logger {
  trace(fields: object, message: string): void
  debug(fields: object, message: string): void
  info(fields: object, message: string): void
  /** Recovered by itself. */
  warn(fields: object, message: string): void
  /** Data was lost or a human is needed. */
  error(fields: object, message: string): void
  child(fields: Record<string, unknown>): Logger
}

export type Labels = Readonly<Record<string, string>>

/** A counter only rises. Labels come from fixed sets: no symbols, no URLs. */
export interface Counter {
  add(amount: number, labels?: Labels): void
}

export interface Gauge {
  set(value: number, labels?: Labels): void
}

export interface Histogram {
  /** Seconds for times, bytes for sizes. */
  observe(value: number, labels?: Labels): void
}

export interface Metrics {
  /** Names are listed in core/metric-names.ts; an unlisted one is a type error. */
  counter(name: CounterName): Counter
  gauge(name: GaugeName): Gauge
  histogram(name: HistogramName): Histogram
}

export interface Clock {
  /** Integer microseconds since the epoch. */
  nowUs(): number
  /** Milliseconds of a clock that never steps back, with a fraction. */
  monotonicMs(): number
  /** Resolves after `ms`; rejects with AbortedError as soon as `signal` aborts. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>
}

/** Uniform in [0, 1). Seeded in tests and in `simulate`. */
export type Random = () => number

export interface Context {
  readonly logger: Logger
  readonly metrics: Metrics
  readonly clock: Clock
  readonly random: Random
  /** Aborts when the process should stop taking in new work. */
  readonly signal: AbortSignal
}
