import {closest, distance} from 'fastest-levenshtein'

/** Where a value came from. A position counts lines and columns from 1. */
export type Origin =
  | {readonly kind: 'flag'; readonly name: string}
  | {readonly kind: 'env'; readonly name: string}
  | {readonly kind: 'file'; readonly file: string; readonly line: number; readonly column: number}
  | {readonly kind: 'default'}

/** Something wrong (`error`) or doubtful (`warning`) in the config: what was seen where, and what would be right. */
export interface Problem {
  readonly severity: 'error' | 'warning'
  /** As people write it, for example `topics.market.trade.partitions`. */
  readonly path: string
  readonly saw: string
  readonly allowed: string
  readonly suggestion?: string
  readonly origin: Origin
}

/** One line: `bus.kind: saw 'kafak', allowed embedded, kafka; did you mean 'kafka'? (coinpipe.yaml:3:9)`. */
export function formatProblem(problem: Problem): string {
  const hint = problem.suggestion === undefined ? '' : `; did you mean '${problem.suggestion}'?`
  return `${problem.path}: saw ${problem.saw}, allowed ${problem.allowed}${hint} (${formatOrigin(problem.origin)})`
}

export function formatOrigin(origin: Origin): string {
  if (origin.kind === 'file') return `${origin.file}:${origin.line}:${origin.column}`
  return origin.kind === 'default' ? 'default' : `${origin.kind} ${origin.name}`
}

/** A value as a message shows it: short, quoted where it is text. */
export function quote(value: unknown): string {
  if (value === undefined || value === null) return 'nothing'
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : 'a list'
  if (typeof value === 'object') return 'a mapping'
  const text = typeof value === 'string' ? `'${value}'` : String(value)
  return text.length > 60 ? `${text.slice(0, 57)}...` : text
}

/** The choice that `value` looks like a slip of, if any. */
export function didYouMean(value: unknown, choices: readonly string[]): string | undefined {
  if (typeof value !== 'string' || choices.length === 0) return undefined
  const best = closest(value, [...choices])
  const slips = distance(value, best)
  return slips < value.length && slips <= Math.max(2, Math.floor(value.length / 3)) ? best : undefined
}
