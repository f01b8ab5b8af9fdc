/** How much the Cassandra benches do, by the environment; the defaults are those of docs/cassandra.md. */
export const sizes = {
  rows: number('COINPIPE_BENCH_ROWS', 500_000),
  warmUpRows: number('COINPIPE_BENCH_WARM_UP_ROWS', 250_000),
  rounds: number('COINPIPE_BENCH_ROUNDS', 5),
  /** Rows a batch. */
  batchRows: number('COINPIPE_BENCH_BATCH_ROWS', 100),
  /** Requests that a peer has under way; our sink finds its own. */
  inFlight: number('COINPIPE_BENCH_IN_FLIGHT', 64),
  /** Records on the topic of the whole path. */
  records: number('COINPIPE_BENCH_RECORDS', 1_000_000),
  /** Records that wait when catching up begins. */
  lag: number('COINPIPE_BENCH_LAG', 2_000_000),
  nodes: (process.env.COINPIPE_BENCH_NODES ?? '1,3').split(',').map((text) => (text === '3' ? 3 : 1)),
  /** Whether the driver of npm has a turn too, as anybody would use it. */
  bare: process.env.COINPIPE_BENCH_BARE === '1',
} as const

function number(name: string, otherwise: number): number {
  const value = Number(process.env[name] ?? otherwise)
  if (Number.isInteger(value) && value > 0) return value
  throw new Error(`${name} is not a whole number above 0: ${process.env[name]}`)
}
