import {spawn} from 'node:child_process'
import {once} from 'node:events'
import {join} from 'node:path'
import {setTimeout as sleep} from 'node:timers/promises'
import {encodeRecord} from '../src/lib/core/codec.ts'
import type {Bus} from '../src/lib/core/ports/bus.ts'
import {TOPICS} from '../src/lib/core/topics.ts'
import {type BenchNodes, withNodes} from './cassandra/cluster.ts'
import type {Arrivals} from './cassandra/latency-client.ts'
import {trade, zipf} from './cassandra/rows.ts'
import {truncate} from './cassandra/table.ts'
import {type FilledTopic, withFilledTopic} from './cassandra/topic.ts'
import {linesOf} from './cassandra/writers.ts'

const CLIENT = join(import.meta.dirname, 'cassandra/latency-client.ts')
const MARKETS = 200
const PER_SECOND = 5000
const TICK_MS = 10
const LINGERS = [0, 20, 50, 100]
/** Of each, once it is warm. */
const SECONDS = 20
const LIMIT_MS = 240_000

/** 200 markets in Zipf proportions at 5,000 trades/s through Kafka into one node: what waiting for more rows of a market brings, and costs. */
export async function run(): Promise<boolean> {
  return await withFilledTopic(0, zipf(MARKETS), (topic) =>
    withNodes(1, async (nodes) => {
      const stop = new AbortController()
      const publishing = publish(topic.bus, stop.signal)
      try {
        // The nodes' own first rows are slow ones.
        await arrivals(topic, nodes, Math.max(...LINGERS))
        process.stdout.write(`${MARKETS} markets in Zipf proportions, ${PER_SECOND} trades/s, ${SECONDS} s each\n`)
        process.stdout.write('  linger ms   rows/s   rows/batch   client CPU µs/row   server CPU µs/row   trade → stored p50, p99 ms\n')
        for (const lingerMs of LINGERS) {
          await truncate(nodes.session, nodes.options.keyspace)
          print(lingerMs, ...(await arrivals(topic, nodes, lingerMs)))
        }
      } finally {
        stop.abort()
        await publishing
      }
      return true
    }),
  )
}

/** What the sink's process says, and CPU seconds of the node meanwhile, a second. */
async function arrivals({brokers}: FilledTopic, nodes: BenchNodes, lingerMs: number): Promise<[Arrivals, number]> {
  // One group for all: each goes on where the one before stopped.
  const group = `bench-${process.pid}`
  const args = [CLIENT, brokers, nodes.hosts.join(','), nodes.options.keyspace, group, String(lingerMs), String(SECONDS)]
  const child = spawn(process.execPath, args, {stdio: ['ignore', 'pipe', 'inherit'], timeout: LIMIT_MS, killSignal: 'SIGKILL'})
  const ended = once(child, 'close')
  const next = linesOf(child)
  await next()
  const before = nodes.cpuSeconds()
  const seen = JSON.parse(await next()) as Arrivals
  const serverCpu = (nodes.cpuSeconds() - before) / seen.seconds
  await ended
  return [seen, serverCpu]
}

function print(lingerMs: number, {rows, batches, seconds, cpuSeconds, p50, p99}: Arrivals, serverCpu: number): void {
  const perSecond = rows / seconds
  const figures = [
    String(lingerMs).padStart(11),
    perSecond.toFixed(0).padStart(9),
    (rows / batches).toFixed(1).padStart(13),
    ((cpuSeconds / rows) * 1e6).toFixed(1).padStart(20),
    ((serverCpu / perSecond) * 1e6).toFixed(1).padStart(20),
    `${p50.toFixed(0)}, ${p99.toFixed(0)}`.padStart(29),
  ]
  process.stdout.write(`${figures.join('')}\n`)
}

/** Trades of now, at an even pace. */
async function publish(bus: Bus, signal: AbortSignal): Promise<void> {
  const spread = zipf(MARKETS)
  const startedMs = performance.now()
  const sent = new Set<Promise<unknown>>()
  for (let index = 0; !signal.aborted; await sleep(TICK_MS)) {
    const due = Math.floor(((performance.now() - startedMs) / 1000) * PER_SECOND)
    const records = Array.from({length: due - index}, (_, offset) => {
      const nowUs = Math.round((performance.timeOrigin + performance.now()) * 1000)
      const record = {...trade(index + offset, {spread}), eventTime: nowUs, receivedTime: nowUs}
      return {topic: TOPICS.trade, key: `${record.exchange}:${record.symbol}`, value: encodeRecord(record)}
    })
    index = due
    const publishing: Promise<unknown> = bus.publish(records).finally(() => sent.delete(publishing))
    sent.add(publishing)
  }
  await Promise.all(sent)
}
