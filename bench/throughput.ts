import {setTimeout as sleep} from 'node:timers/promises'
import {systemClock} from '../src/lib/core/clock.ts'
import {createLogger} from '../src/lib/observability/logger.ts'
import {createMetrics} from '../src/lib/observability/metrics.ts'
import {tradesInStore} from '../src/lib/pipeline/census.ts'
import {openMarketReader} from '../src/lib/store/embedded/reader.ts'
import {type Market, startMarket, type Usage} from './market.ts'
import {mean} from './measure.ts'

/** A little more is offered, so that the bound can be held for every second. */
const OFFERED = 41_000
const BOUND = 40_000
const SECONDS = 60
const MAX_RSS_MIB = 350
const MAX_GROWTH = 1.1
/** Backlog that counts as keeping up: half a second. */
const MAX_BEHIND = BOUND / 2
const DRAIN_MS = 60_000

interface Sample extends Usage {
  readonly second: number
  readonly sent: number
  readonly stored: number
}

/** simulate in one process, `up` (ingest, log, candles, store, page) in another: trades a second held for a minute, memory, and what was lost. */
export async function run(): Promise<boolean> {
  const market = await startMarket({rate: OFFERED})
  try {
    while ((await market.stored()) === 0) await sleep(100)
    const samples = await measure(market)
    await market.pause()
    return await report(market, samples)
  } finally {
    await market.stop()
  }
}

async function measure(market: Market): Promise<Sample[]> {
  const samples: Sample[] = []
  const startedMs = performance.now()
  for (let second = 0; second <= SECONDS; second += 1) {
    await sleep(Math.max(0, startedMs + second * 1000 - performance.now()))
    samples.push({second, sent: await market.sent(), stored: await market.stored(), ...market.upUsage()})
  }
  return samples
}

async function report(market: Market, samples: readonly Sample[]): Promise<boolean> {
  const [first, last] = [samples[0], samples.at(-1)]
  if (!first || !last) return false
  const seconds = last.second - first.second
  const rate = (last.stored - first.stored) / seconds
  const cpuPerMillion = ((last.cpuSeconds - first.cpuSeconds) / (last.stored - first.stored)) * 1e6
  const maxRssMiB = Math.max(...samples.map(({rssMiB}) => rssMiB))
  const meanRss = (from: number, to: number) => mean(samples.filter(({second}) => second >= from && second <= to).map(({rssMiB}) => rssMiB))
  const growth = meanRss(SECONDS - 10, SECONDS) / meanRss(18, 22)
  const behind = Math.max(...samples.map(({sent, stored}) => sent - stored))
  const {sent, lost, repeated} = await count(market)
  print('stored, mean of 60 s', `${Math.round(rate)} trades/s (bound: ${BOUND})`)
  print('most trades behind', `${behind} (bound: ${MAX_BEHIND})`)
  print('sent, lost, twice', `${sent}, ${lost}, ${repeated} (bound: 0, 0)`)
  print('memory of up, most', `${maxRssMiB.toFixed(0)} MiB (bound: ${MAX_RSS_MIB})`)
  print('last 10 s / at 20 s', `${growth.toFixed(3)} (bound: ${MAX_GROWTH})`)
  print('CPU of up', `${cpuPerMillion.toFixed(1)} s per million trades`)
  return rate >= BOUND && behind <= MAX_BEHIND && lost === 0 && repeated === 0 && maxRssMiB < MAX_RSS_MIB && growth <= MAX_GROWTH
}

/** Counts the store trade by trade, once it has what was sent. */
async function count(market: Market): Promise<{sent: number; lost: number; repeated: number}> {
  const sent = await market.sent()
  const deadline = performance.now() + DRAIN_MS
  while ((await market.stored()) < sent && performance.now() < deadline) await sleep(100)
  const context = {logger: createLogger({level: 'warn'}), metrics: createMetrics(), clock: systemClock, random: Math.random}
  const reader = openMarketReader({path: market.store}, {...context, signal: AbortSignal.timeout(DRAIN_MS)})
  await reader.connect()
  const ids = new Set<string>()
  let seen = 0
  for await (const {id} of tradesInStore(reader)) {
    seen += 1
    ids.add(id)
  }
  await reader.close()
  return {sent, lost: sent - ids.size, repeated: seen - ids.size}
}

function print(what: string, figure: string): void {
  process.stdout.write(`${what.padEnd(22)}${figure}\n`)
}
