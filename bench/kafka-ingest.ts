import {setTimeout as sleep} from 'node:timers/promises'
import {tradesInLog} from '../src/lib/pipeline/census.ts'
import {kafkaBus} from './kafka/bus.ts'
import {type BenchCluster, withCluster} from './kafka/cluster.ts'
import {startMarket} from './market.ts'

/** A little more is offered, so that the bound can be held for every second. */
const OFFERED = 41_000
const BOUND = 40_000
const SECONDS = 60
const LATENCY_BOUND_SECONDS = 0.1
const PERCENTILE = 0.99

/** simulate → websocket → ingest → three brokers, for a minute: trades a second, how long publishing takes, and what was lost, by id. */
export async function run(): Promise<boolean> {
  return await withCluster(async ({brokers}: BenchCluster) => {
    const market = await startMarket({rate: OFFERED, brokers})
    try {
      while (published(await market.metrics()) === 0) await sleep(100)
      const before = {ms: performance.now(), published: published(await market.metrics()), cpu: market.upUsage().cpuSeconds}
      await sleep(SECONDS * 1000)
      const after = {ms: performance.now(), published: published(await market.metrics()), cpu: market.upUsage().cpuSeconds}
      await market.pause()
      const metrics = await market.metrics()
      const {rssMiB} = market.upUsage()
      const sent = await market.sent()
      if ((await market.stop()) !== 0) return false
      const {lost, repeated} = await count(brokers, sent)
      const trades = after.published - before.published
      const rate = trades / ((after.ms - before.ms) / 1000)
      const within = shareWithin(metrics, LATENCY_BOUND_SECONDS)
      print('on Kafka, mean of 60 s', `${Math.round(rate)} trades/s (bound: ${BOUND})`)
      print('sent, lost, twice', `${sent}, ${lost}, ${repeated} (bound: 0, 0)`)
      print(
        'publish p50, p99',
        `${quantile(metrics, 0.5)}, ${quantile(metrics, PERCENTILE)} (bound: p99 ≤ ${LATENCY_BOUND_SECONDS * 1000} ms)`,
      )
      print('memory of up at the end', `${rssMiB.toFixed(0)} MiB`)
      print('CPU of up', `${(((after.cpu - before.cpu) / trades) * 1e6).toFixed(1)} s per million trades`)
      return rate >= BOUND && lost === 0 && repeated === 0 && within >= PERCENTILE
    } finally {
      await market.stop()
    }
  })
}

async function count(brokers: string, sent: number): Promise<{lost: number; repeated: number}> {
  const bus = await kafkaBus(brokers)
  try {
    const ids = new Set<string>()
    let seen = 0
    for await (const {id} of tradesInLog(bus)) {
      seen += 1
      ids.add(id)
    }
    return {lost: sent - ids.size, repeated: seen - ids.size}
  } finally {
    await bus.close()
  }
}

/** Trades that the brokers acknowledged. */
function published(metrics: string): number {
  return Number(/^coinpipe_component_sent_total\{component="upbit"\} (\d+)/m.exec(metrics)?.[1] ?? 0)
}

interface Bucket {
  readonly seconds: number
  readonly count: number
}

/** Cumulative, as Prometheus has them. */
function buckets(metrics: string): Bucket[] {
  const lines = metrics.matchAll(/^coinpipe_publish_seconds_bucket\{le="([^"]+)",component="upbit"\} (\d+)/gm)
  return [...lines].map(([, le, count]) => ({seconds: le === '+Inf' ? Number.POSITIVE_INFINITY : Number(le), count: Number(count)}))
}

function shareWithin(metrics: string, seconds: number): number {
  const all = buckets(metrics)
  return (all.find((bucket) => bucket.seconds === seconds)?.count ?? 0) / (all.at(-1)?.count ?? Number.NaN)
}

/** The bound of the bucket that holds it. */
function quantile(metrics: string, share: number): string {
  const all = buckets(metrics)
  const bucket = all.find(({count}) => count >= share * (all.at(-1)?.count ?? 0))
  return `≤ ${(bucket?.seconds ?? Number.NaN) * 1000} ms`
}

function print(what: string, figure: string): void {
  process.stdout.write(`${what.padEnd(26)}${figure}\n`)
}
