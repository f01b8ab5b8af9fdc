import {spawn} from 'node:child_process'
import {once} from 'node:events'
import {createInterface} from 'node:readline'
import type {Readable} from 'node:stream'
import {mean, median} from '../measure.ts'
import type {BenchNodes} from './cluster.ts'
import type {Program} from './peers.ts'

/** What a writer says of the rows that it wrote under the clock. */
export interface Written {
  readonly rows: number
  readonly batches: number
  readonly seconds: number
  readonly cpuSeconds: number
  /** What it took until then: start, reading the rows, warm-up. */
  readonly startCpuSeconds: number
}

export interface Round {
  readonly perSecond: number
  readonly rowsPerBatch: number
  /** CPU seconds for a million rows. */
  readonly clientCpu: number
  readonly serverCpu: number
  readonly startCpu: number
}

const LIMIT_MS = 300_000

/** Starts a writer, lets it get ready, waits until the nodes are quiet, and measures. */
export async function measureWriter([command, ...args]: Program, nodes: BenchNodes): Promise<Round> {
  const child = spawn(command, args, {stdio: ['pipe', 'pipe', 'inherit'], timeout: LIMIT_MS, killSignal: 'SIGKILL'})
  const ended = once(child, 'close')
  const next = linesOf(child)
  try {
    await next()
    await nodes.untilQuiet()
    const before = nodes.cpuSeconds()
    child.stdin.write('\n')
    const written = JSON.parse(await next()) as Written
    return roundOf(written, nodes.cpuSeconds() - before)
  } finally {
    child.stdin.end()
    await ended
  }
}

/** What a process prints, line by line; rejects where it ends instead. */
export function linesOf(child: {readonly stdout: Readable; readonly spawnfile: string}): () => Promise<string> {
  const lines = createInterface({input: child.stdout})[Symbol.asyncIterator]()
  return async () => {
    const {value, done} = await lines.next()
    if (done) throw new Error(`${child.spawnfile} ended without an answer`)
    return value
  }
}

export function roundOf({rows, batches, seconds, cpuSeconds, startCpuSeconds}: Written, serverCpuSeconds: number): Round {
  const perMillion = (value: number) => (value / rows) * 1e6
  return {
    perSecond: rows / seconds,
    rowsPerBatch: rows / batches,
    clientCpu: perMillion(cpuSeconds),
    serverCpu: perMillion(serverCpuSeconds),
    startCpu: startCpuSeconds,
  }
}

export function medians(rounds: readonly Round[]): Round {
  return combine(rounds, median)
}

export function means(rounds: readonly Round[]): Round {
  return combine(rounds, mean)
}

function combine(rounds: readonly Round[], by: (values: readonly number[]) => number): Round {
  const of = (key: keyof Round) => by(rounds.map((round) => round[key]))
  return {
    perSecond: of('perSecond'),
    rowsPerBatch: of('rowsPerBatch'),
    clientCpu: of('clientCpu'),
    serverCpu: of('serverCpu'),
    startCpu: of('startCpu'),
  }
}

/** Rounds in which everybody has a turn, beginning with another one each time; medians by name. */
export async function alternate(sides: ReadonlyMap<string, () => Promise<Round>>, rounds: number): Promise<ReadonlyMap<string, Round>> {
  const measured = new Map([...sides.keys()].map((name): [string, Round[]] => [name, []]))
  for (let round = 0; round < rounds; round += 1) {
    const names = [...sides.keys()]
    const order = [...names.slice(round % names.length), ...names.slice(0, round % names.length)]
    for (const name of order) {
      const result = await sides.get(name)?.()
      if (result) measured.get(name)?.push(result)
    }
  }
  return new Map([...measured].map(([name, all]) => [name, medians(all)]))
}

export function printRounds(title: string, rounds: ReadonlyMap<string, Round>): void {
  process.stdout.write(`${title}\n  ${''.padEnd(30)}    rows/s   client   server  CPU-s/M rows   rows/batch   start CPU-s\n`)
  for (const [name, {perSecond, clientCpu, serverCpu, rowsPerBatch, startCpu}] of rounds) {
    const figures = [
      String(Math.round(perSecond)).padStart(10),
      clientCpu.toFixed(2).padStart(9),
      serverCpu.toFixed(2).padStart(9),
      (Number.isNaN(rowsPerBatch) ? '' : rowsPerBatch.toFixed(0)).padStart(27),
      startCpu.toFixed(1).padStart(14),
    ]
    process.stdout.write(`  ${name.padEnd(30)}${figures.join('')}\n`)
  }
}

/** Prints a factor beside its bound; whether it is kept. */
export function bound(what: string, factor: number, {min, max}: {readonly min?: number; readonly max?: number}): boolean {
  const text = min === undefined ? `≤ ${max}` : `≥ ${min}`
  process.stdout.write(`  ${what}: ${factor.toFixed(2)}× (bound: ${text})\n`)
  return min === undefined ? factor <= (max ?? Number.POSITIVE_INFINITY) : factor >= min
}
