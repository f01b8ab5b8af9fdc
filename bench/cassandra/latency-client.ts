/**
 * The whole path in a process of its own, with a watch on every row: `latency-client.ts BROKERS HOSTS KEYSPACE GROUP LINGER_MS SECONDS`. Takes the topic of
 * trades into Cassandra; prints `ready` once it has caught up and warmed up, watches for so long, and prints one line of JSON.
 */
import {setTimeout as sleep} from 'node:timers/promises'
import type {Sink} from '../../src/lib/core/ports/sink.ts'
import {TOPICS} from '../../src/lib/core/topics.ts'
import {runSink} from '../../src/lib/pipeline/sink.ts'
import {CASSANDRA_DEFAULTS, TABLE_DEFAULTS, WRITE_DEFAULTS} from '../../src/lib/store/cassandra/options.ts'
import {createCassandraSink} from '../../src/lib/store/cassandra/sink.ts'
import {kafkaBus} from '../kafka/bus.ts'
import {quantile} from '../measure.ts'
import {countingContext} from './context.ts'

/** One line of what it prints. */
export interface Arrivals {
  readonly rows: number
  readonly batches: number
  readonly seconds: number
  readonly cpuSeconds: number
  /** Milliseconds from the time of the trade to its row being acknowledged. */
  readonly p50: number
  readonly p99: number
}

/** A trade that is stored so soon was not waited for. */
const CAUGHT_UP_MS = 1000
const WAIT_MS = 120_000
const WARM_UP_MS = 5000

const [brokers = '', hosts = '', keyspace = '', group = '', lingerMs = '', seconds = ''] = process.argv.slice(2)
const {context, batches} = countingContext()
const options = {...CASSANDRA_DEFAULTS, hosts: hosts.split(','), keyspace}
const sink = createCassandraSink(options, {...TABLE_DEFAULTS, replicas: 1}, {...WRITE_DEFAULTS, lingerMs: Number(lingerMs)}, context)
const bus = await kafkaBus(brokers)
await sink.connect()
let latencies: number[] = []
const stop = new AbortController()
const running = runSink({bus, admin: bus, sink: watched(sink), group, topics: [TOPICS.trade], component: 'cassandra'}, stop.signal, context)

await caughtUp()
await sleep(WARM_UP_MS)
process.stdout.write('ready\n')
latencies = []
const before = {batches: batches(), ms: performance.now(), cpu: process.cpuUsage()}
await sleep(Number(seconds) * 1000)
const cpu = process.cpuUsage(before.cpu)
const arrivals: Arrivals = {
  rows: latencies.length,
  batches: batches() - before.batches,
  seconds: (performance.now() - before.ms) / 1000,
  cpuSeconds: (cpu.user + cpu.system) / 1e6,
  p50: quantile(latencies, 0.5),
  p99: quantile(latencies, 0.99),
}
process.stdout.write(`${JSON.stringify(arrivals)}\n`)
stop.abort()
await running
await sink.close()
await bus.close()

async function caughtUp(): Promise<void> {
  for (const startedMs = performance.now(); !((latencies.at(-1) ?? Number.POSITIVE_INFINITY) < CAUGHT_UP_MS); await sleep(20)) {
    if (performance.now() - startedMs > WAIT_MS) throw new Error(`still behind after ${WAIT_MS} ms`)
  }
}

function watched(inner: Sink): Sink {
  return Object.create(inner, {
    write: {
      async value(batch: Parameters<Sink['write']>[0]) {
        const result = await inner.write(batch)
        const nowUs = context.clock.nowUs()
        for (const {record} of batch.items) latencies.push((nowUs - record.eventTime) / 1000)
        return result
      },
    },
  })
}
