/** What so many workers were seen to get done together while work was waiting for all of the time. */
export interface Measured {
  readonly perSecond: number
  readonly atMs: number
}

/** By the number of workers. */
export type Capacities = ReadonlyMap<number, Measured>

/** After this a measure says nothing any more: the sink may have been slow then. */
const TRUSTED_MS = 6 * 3_600_000

/**
 * What `workers` would get done, in records a second; null where nothing is known. Their own measure counts; where there is none, it is worked out in
 * proportion from another number of workers, the larger and the nearer first: more workers never get more done each, so from there it is no promise too
 * much. The same where a larger number was measured later, and gets more done.
 */
export function capacityOf(workers: number, capacities: Capacities, nowMs: number): number | null {
  const trusted = [...capacities].filter(([, {atMs}]) => nowMs - atMs < TRUSTED_MS).map(([count, measured]) => ({count, ...measured}))
  const own = trusted.find(({count}) => count === workers)
  const larger = trusted.filter(({count}) => count > workers).sort((a, b) => a.count - b.count)
  const smaller = trusted.filter(({count}) => count < workers).sort((a, b) => b.count - a.count)
  const other = larger[0] ?? smaller[0]
  if (other === undefined) return own?.perSecond ?? null
  const guess = (other.perSecond * workers) / other.count
  if (own === undefined) return guess
  return other.count > workers && other.atMs > own.atMs ? Math.max(own.perSecond, guess) : own.perSecond
}
