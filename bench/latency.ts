import {setTimeout as sleep} from 'node:timers/promises'
import {systemClock} from '../src/lib/core/clock.ts'
import {createLogger} from '../src/lib/observability/logger.ts'
import {createMetrics} from '../src/lib/observability/metrics.ts'
import {openMarketReader} from '../src/lib/store/embedded/reader.ts'
import {type Market, startMarket} from './market.ts'

const RATE = 2000
const SECONDS = 30
const WARM_UP_SECONDS = 5
const BOUND_MS = 50
const POLL_MS = 2
const MARKET = {exchange: 'upbit', symbol: 'BTC-KRW'}

/**
 * From the exchange's time of a trade to another process reading it from the store. The exchange is on this machine, so both look at one clock; its
 * times are whole milliseconds, so a figure is up to 1 ms too high, and as much again for the polling.
 */
export async function run(): Promise<boolean> {
  const market = await startMarket({rate: RATE, symbols: [MARKET.symbol]})
  try {
    while ((await market.stored()) < RATE * WARM_UP_SECONDS) await sleep(100)
    const latencies = await follow(market)
    const at = (share: number) => latencies[Math.ceil(latencies.length * share) - 1] ?? Number.NaN
    process.stdout.write(`exchange to store at ${RATE} trades/s, ${latencies.length} trades\n`)
    process.stdout.write(
      `p50 ${at(0.5).toFixed(1)} ms, p90 ${at(0.9).toFixed(1)} ms, p99 ${at(0.99).toFixed(1)} ms (bound: ${BOUND_MS}), most ${at(1).toFixed(1)} ms\n`,
    )
    return at(0.99) <= BOUND_MS
  } finally {
    await market.stop()
  }
}

/** Milliseconds, sorted. */
async function follow(market: Market): Promise<number[]> {
  const context = {logger: createLogger({level: 'warn'}), metrics: createMetrics(), clock: systemClock, random: Math.random}
  const reader = openMarketReader({path: market.store}, {...context, signal: AbortSignal.timeout(2 * SECONDS * 1000)})
  await reader.connect()
  const latencies: number[] = []
  let {cursor} = await reader.trades({...MARKET, limit: 1})
  for (const startedMs = performance.now(); performance.now() - startedMs < SECONDS * 1000; await sleep(POLL_MS)) {
    const page = await reader.trades({...MARKET, limit: 10_000, after: cursor})
    const nowUs = systemClock.nowUs()
    for (const trade of page.trades) latencies.push((nowUs - trade.eventTime) / 1000)
    cursor = page.cursor
  }
  await reader.close()
  return latencies.toSorted((a, b) => a - b)
}
