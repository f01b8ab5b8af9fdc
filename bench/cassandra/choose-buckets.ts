import {readdir} from 'node:fs/promises'
import {join} from 'node:path'
import {setTimeout as sleep} from 'node:timers/promises'
import {BUCKETS, type Bucket} from '../../src/lib/store/cassandra/options.ts'
import {bucketOf} from '../../src/lib/store/cassandra/tables.ts'
import {quantile} from '../measure.ts'
import {bareWriter} from './bare-writer.ts'
import type {BenchNodes} from './cluster.ts'
import {trade} from './rows.ts'
import {makeTradeTable} from './table.ts'

const HOURS = 4
const WINDOWS_PER_HOUR = 12
/** Ten trades a second. */
const ROWS_PER_WINDOW = 3000
const WINDOW_US = 300_000_000
const HOUR_US = 3_600_000_000
const STEP_US = WINDOW_US / ROWS_PER_WINDOW
const TTL_SECONDS = 3600
/** Of rows that were to be gone when they are asked for. */
const SHORT_TTL_SECONDS = 5
const READS = 1000
const LAST = 50
const WAIT_MS = 30_000

/** Markets: one that trades until the end, one that has been quiet for an hour. */
const MARKETS = {busy: 0, quiet: 1} as const
type Market = keyof typeof MARKETS

/**
 * The last 50 trades of a table whose rows live for an hour, four hours after it was made: one file for every window of five minutes, those older than an
 * hour expired and still there, since gc_grace_seconds have not passed.
 */
export async function chooseBuckets(nodes: BenchNodes): Promise<void> {
  const endUs = Math.floor(Date.now() / 86_400_000) * 24 * HOUR_US + 12 * HOUR_US
  for (const bucket of BUCKETS) {
    await makeTradeTable(nodes.session, {keyspace: keyspaceOf(bucket), replicas: 1, bucket, flushMs: 200})
    await fill(nodes, bucket, endUs)
  }
  await sleep((SHORT_TTL_SECONDS + 1) * 1000)
  await nodes.untilQuiet()
  process.stdout.write(`last ${LAST} trades, one partition, ${READS} reads one by one\n`)
  for (const market of Object.keys(MARKETS) as Market[]) {
    for (const bucket of BUCKETS)
      process.stdout.write(`  ${market.padEnd(7)} ${bucket.padEnd(6)} ${await read(nodes, bucket, market, endUs)}\n`)
  }
}

function keyspaceOf(bucket: Bucket): string {
  return `bench_${bucket}`
}

async function fill(nodes: BenchNodes, bucket: Bucket, endUs: number): Promise<void> {
  const options = {...nodes.options, keyspace: keyspaceOf(bucket)}
  const [old, young] = [
    await bareWriter(options, {batchRows: 100, inFlight: 16, bucket, ttlSeconds: SHORT_TTL_SECONDS}),
    await bareWriter(options, {batchRows: 100, inFlight: 16, bucket, ttlSeconds: TTL_SECONDS}),
  ]
  const windows = HOURS * WINDOWS_PER_HOUR
  for (let window = 0; window < windows; window += 1) {
    const fromUs = endUs - (windows - window) * WINDOW_US
    const isOld = window < windows - WINDOWS_PER_HOUR
    const markets = isOld ? [MARKETS.busy, MARKETS.quiet] : [MARKETS.busy]
    const items = markets.flatMap((market) => rowsOf(market, window, fromUs))
    const files = await countFiles(nodes, bucket)
    await (isOld ? old : young).write(items)
    await untilMoreFiles(nodes, bucket, files)
  }
  await old.close()
  await young.close()
}

function rowsOf(market: number, window: number, fromUs: number) {
  return Array.from({length: ROWS_PER_WINDOW}, (_, index) => {
    const record = trade(window * ROWS_PER_WINDOW + index, {spread: () => market})
    return {record: {...record, eventTime: fromUs + index * STEP_US}}
  })
}

async function countFiles({dataFolders}: BenchNodes, bucket: Bucket): Promise<number> {
  let count = 0
  for (const dataFolder of dataFolders) {
    const folder = join(dataFolder, keyspaceOf(bucket))
    for (const table of await readdir(folder))
      count += (await readdir(join(folder, table))).filter((name) => name.endsWith('-Data.db')).length
  }
  return count
}

async function untilMoreFiles(nodes: BenchNodes, bucket: Bucket, than: number): Promise<void> {
  for (const startedMs = performance.now(); (await countFiles(nodes, bucket)) <= than; await sleep(50)) {
    if (performance.now() - startedMs > WAIT_MS) throw new Error(`no file was written within ${WAIT_MS} ms`)
  }
}

/** In the partition that the end of the data is in. */
async function read({session}: BenchNodes, bucket: Bucket, market: Market, endUs: number): Promise<string> {
  const {exchange, symbol} = trade(0, {spread: () => MARKETS[market]})
  const where = `exchange = ? AND symbol = ? AND bucket_${bucket} = ?`
  const query = `SELECT * FROM ${keyspaceOf(bucket)}.trade_by_symbol WHERE ${where} LIMIT ${LAST}`
  const params = [exchange, symbol, new Date(bucketOf(endUs - 1, bucket))]
  const times: number[] = []
  let rows = 0
  try {
    // The first tenth warms up.
    for (let index = 0; index < READS * 1.1; index += 1) {
      const startedMs = performance.now()
      rows = (await session.query(query, params)).length
      if (index >= READS * 0.1) times.push(performance.now() - startedMs)
    }
  } catch (error) {
    return `refused by the node: ${error instanceof Error ? error.message.replace(/^SELECT .*? LIMIT \d+: /, '') : error}`
  }
  return `${rows} rows, p50 ${quantile(times, 0.5).toFixed(2)} ms, p99 ${quantile(times, 0.99).toFixed(2)} ms`
}
