import {type ChildProcess, spawn} from 'node:child_process'
import {once} from 'node:events'
import {mkdtemp, rm} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {setTimeout as sleep} from 'node:timers/promises'
import type {BusAdmin} from '../src/lib/core/ports/bus.ts'
import {TOPICS} from '../src/lib/core/topics.ts'
import {kafkaBus} from './kafka/bus.ts'
import {type BenchCluster, withCluster} from './kafka/cluster.ts'
import {type Market, startMarket} from './market.ts'

const COINPIPE = join(import.meta.dirname, '../bin/coinpipe')
const RATE = 10_000
const STOPPED_MS = 60_000
const MIN_FACTOR = 5
const WAIT_MS = 120_000
/** Half a second of arrivals: as near to the end as a consumer of a running producer gets. */
const CAUGHT_UP = RATE / 2

/** `sink store` stands still for a minute under a running producer; then how fast does it take what waits, the producer going on? */
export async function run(): Promise<boolean> {
  return await withCluster(async ({brokers}: BenchCluster) => {
    const directory = await mkdtemp(join(tmpdir(), 'coinpipe-bench-'))
    const market = await startMarket({rate: RATE, brokers})
    const bus = await kafkaBus(brokers)
    try {
      return await measure(bus, market, brokers, directory)
    } finally {
      await bus.close()
      await market.stop()
      await rm(directory, {recursive: true, force: true})
    }
  })
}

async function measure(bus: BusAdmin, market: Market, brokers: string, directory: string): Promise<boolean> {
  const first = startSink(brokers, directory)
  await until(async () => (await behind(bus)) < CAUGHT_UP && (await committed(bus)) > RATE)
  await stop(first)
  await sleep(STOPPED_MS)
  const waiting = await behind(bus)
  const second = startSink(brokers, directory)
  const from = await committed(bus)
  await until(async () => (await committed(bus)) > from)
  const startedMs = performance.now()
  const start = await committed(bus)
  const sent = await market.sent()
  await until(async () => (await behind(bus)) < CAUGHT_UP)
  const seconds = (performance.now() - startedMs) / 1000
  const rate = ((await committed(bus)) - start) / seconds
  const arrival = ((await market.sent()) - sent) / seconds
  await stop(second)
  const factor = rate / arrival
  print('waiting after 60 s', `${waiting} trades`)
  print('caught up in', `${seconds.toFixed(1)} s, with ${Math.round(arrival)} trades/s arriving`)
  print('taken meanwhile', `${Math.round(rate)} trades/s, ${factor.toFixed(1)}× the arrivals (bound: ${MIN_FACTOR})`)
  return factor >= MIN_FACTOR
}

function startSink(brokers: string, directory: string): ChildProcess {
  const options = ['--bus', 'kafka', '--brokers', brokers, '--topics', TOPICS.trade, '--data-dir', directory, '--log-level', 'warn']
  return spawn(COINPIPE, ['sink', 'store', ...options], {stdio: ['ignore', 'ignore', 'inherit']})
}

async function stop(child: ChildProcess): Promise<void> {
  const ended = once(child, 'exit')
  child.kill('SIGTERM')
  await ended
}

async function behind(bus: BusAdmin): Promise<number> {
  return (await lagOfStore(bus)).reduce((sum, {lag}) => sum + lag, 0)
}

async function committed(bus: BusAdmin): Promise<number> {
  return (await lagOfStore(bus)).reduce((sum, {committed}) => sum + (committed ?? 0), 0)
}

async function lagOfStore(bus: BusAdmin) {
  const groups = await bus.listGroups()
  return (await Promise.all(groups.map((group) => bus.lag(group)))).flat().filter(({topic}) => topic === TOPICS.trade)
}

async function until(reached: () => Promise<boolean>): Promise<void> {
  for (const startedMs = performance.now(); !(await reached()); await sleep(50)) {
    if (performance.now() - startedMs > WAIT_MS) throw new Error(`not reached within ${WAIT_MS} ms`)
  }
}

function print(what: string, figure: string): void {
  process.stdout.write(`${what.padEnd(22)}${figure}\n`)
}
