import {type ChildProcess, spawn} from 'node:child_process'
import {once} from 'node:events'
import {join} from 'node:path'
import type {Readable} from 'node:stream'
import {setTimeout as sleep} from 'node:timers/promises'
import type {BusAdmin} from '../../src/lib/core/ports/bus.ts'
import {TOPICS} from '../../src/lib/core/topics.ts'
import {type BenchNodes, cpuOf} from './cluster.ts'
import type {Program} from './peers.ts'
import {sizes} from './sizes.ts'
import {committed} from './topic.ts'
import type {Round} from './writers.ts'

const COINPIPE = join(import.meta.dirname, '../../bin/coinpipe')
const LOOK_MS = 50
const LIMIT_MS = 300_000
const TAIL_CHARACTERS = 2000
/**
 * The clock runs while the committed share of the records is between these: the first part is a warm-up, and at both ends as much is written and not yet
 * committed, which is not the same for all who take them.
 */
const FROM_SHARE = 0.2
const TO_SHARE = 0.85

export interface Taking {
  readonly brokers: string
  readonly admin: BusAdmin
  readonly nodes: BenchNodes
  readonly records: number
  readonly dataDir: string
}

/** Takes the topic of trades into Cassandra under a group; ends when it is told to. */
export interface Taker {
  program(taking: Taking, group: string): Program
  /** What tells it to end. */
  readonly end: 'SIGTERM' | 'line'
}

export function ours(...flags: readonly string[]): Taker {
  return {
    program: ({brokers, nodes, dataDir}, group) => [
      COINPIPE,
      ...['sink', 'cassandra', '--bus', 'kafka', '--brokers', brokers, '--topics', TOPICS.trade, '--group', group],
      ...['--hosts', nodes.hosts.join(','), '--set', `sinks.cassandra.replicas=${nodes.tables.replicas}`],
      ...['--data-dir', dataDir, '--log-level', 'warn'],
      ...flags,
    ],
    end: 'SIGTERM',
  }
}

export function javaPipe(java: Program): Taker {
  return {
    program: ({brokers, nodes, records}, group) => [
      ...java,
      ...['pipe', nodes.hosts.join(','), nodes.options.keyspace, String(sizes.batchRows), String(sizes.inFlight)],
      ...[brokers, TOPICS.trade, group, String(records)],
    ],
    end: 'line',
  }
}

/** Until nothing of the topic waits. Rows/s and CPU are of the time between the two shares, `startCpu` is of all before. */
export async function take(taker: Taker, taking: Taking, group: string): Promise<Round> {
  const {admin, nodes, records} = taking
  const [command, ...args] = taker.program(taking, group)
  await nodes.untilQuiet()
  const child = spawn(command, args, {stdio: ['pipe', 'ignore', 'pipe'], timeout: LIMIT_MS, killSignal: 'SIGKILL'})
  const ended = once(child, 'close')
  const said = tail(child.stderr)
  const look = async () => {
    const done = await committed(admin, group)
    return {done, ms: performance.now(), client: cpuOf(child.pid as number), server: nodes.cpuSeconds()}
  }
  try {
    const from = await until(look, child, said, ({done}) => done >= records * FROM_SHARE)
    const to = await until(look, child, said, ({done}) => done >= records * TO_SHARE)
    await until(look, child, said, ({done}) => done >= records)
    const rows = to.done - from.done
    return {
      perSecond: rows / ((to.ms - from.ms) / 1000),
      rowsPerBatch: Number.NaN,
      clientCpu: ((to.client - from.client) / rows) * 1e6,
      serverCpu: ((to.server - from.server) / rows) * 1e6,
      startCpu: from.client,
    }
  } finally {
    if (taker.end === 'line') child.stdin.end('\n')
    else child.kill(taker.end)
    await ended
  }
}

async function until<T>(look: () => Promise<T>, child: ChildProcess, said: () => string, reached: (seen: T) => boolean): Promise<T> {
  const startedMs = performance.now()
  for (;;) {
    if (child.exitCode !== null) throw new Error(`${child.spawnfile} ended with ${child.exitCode}: ${said()}`)
    const seen = await look()
    if (reached(seen)) return seen
    if (performance.now() - startedMs > LIMIT_MS) throw new Error(`not reached within ${LIMIT_MS} ms: ${said()}`)
    await sleep(LOOK_MS)
  }
}

/** The last of what is printed. */
function tail(stream: Readable): () => string {
  let text = ''
  stream.on('data', (chunk: Buffer) => {
    text = (text + chunk.toString()).slice(-TAIL_CHARACTERS)
  })
  return () => text
}
