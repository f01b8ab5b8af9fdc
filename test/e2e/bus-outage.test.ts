import {readFileSync} from 'node:fs'
import {writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {DatabaseSync} from 'node:sqlite'
import {expect, it} from 'vitest'
import {stringify} from 'yaml'
import {systemClock} from '../../src/lib/core/clock.ts'
import {tradesInStore} from '../../src/lib/pipeline/census.ts'
import {dataPaths} from '../../src/lib/pipeline/paths.ts'
import {openMarketReader} from '../../src/lib/store/embedded/reader.ts'
import {testContext} from '../helpers/context.ts'
import {COINPIPE, start} from '../helpers/run-cli.ts'
import {simulator} from '../helpers/simulator.ts'
import {storedTrades} from '../helpers/stored-trades.ts'
import {tempDir} from '../helpers/temp-dir.ts'
import {until} from '../helpers/until.ts'

const OUTAGE_MS = 30_000
const TRADES_PER_SECOND = 5000
const MAX_RSS_MIB = 350

it(`loses nothing while the bus cannot be written for ${OUTAGE_MS / 1000} s at ${TRADES_PER_SECOND} trades/s, and catches up`, async () => {
  const sim = await simulator({tradesPerSecond: TRADES_PER_SECOND, limits: false})
  const dataDir = await tempDir()
  const config = join(dataDir, 'coinpipe.yaml')
  const source = {kind: 'exchange', exchange: 'upbit', url: sim.url, channels: ['trade'], symbols: 'all'}
  const pipelines = [{name: 'upbit', source, sinks: ['store']}]
  await writeFile(config, stringify({version: 1, dataDir, sinks: {store: {kind: 'store'}}, pipelines, serve: {port: 0}}))
  const up = start(COINPIPE, ['up', '--config', config, '--log-level', 'warn', '--json'])

  const context = testContext()
  const paths = dataPaths(dataDir)
  const reader = openMarketReader({path: paths.store}, context)
  await until(
    'the store to be there',
    () =>
      reader.connect().then(
        () => true,
        () => false,
      ),
    30_000,
  )
  const storedCount = storedTrades(reader)
  await until('trades to be stored', async () => (await storedCount()) > TRADES_PER_SECOND, 30_000)

  const lock = new DatabaseSync(paths.log, {timeout: 5000})
  lock.exec('BEGIN IMMEDIATE')
  let maxRssMiB = 0
  for (const startedMs = systemClock.monotonicMs(); systemClock.monotonicMs() - startedMs < OUTAGE_MS; ) {
    await systemClock.sleep(250)
    maxRssMiB = Math.max(maxRssMiB, rssMiB(up.child.pid ?? 0))
  }
  const missing = sim.ledger.count() - (await storedCount())
  lock.exec('ROLLBACK')
  lock.close()
  const backMs = systemClock.monotonicMs()
  await until(
    'the store to catch up while trades go on',
    async () => sim.ledger.count() - (await storedCount()) < TRADES_PER_SECOND,
    120_000,
  )
  const caughtUpMs = systemClock.monotonicMs() - backMs
  sim.pause()
  const sent = sim.ledger.count()
  await until('every trade to be stored', async () => (await storedCount()) >= sent, 60_000)
  up.child.kill('SIGTERM')
  expect(await up.ended).toMatchObject({code: 0})

  const stored = (await Array.fromAsync(tradesInStore(reader))).map(({id}) => id)
  const distinct = new Set(stored)
  await reader.close()
  console.log(
    `${missing} trades behind after ${OUTAGE_MS / 1000} s, caught up in ${(caughtUpMs / 1000).toFixed(1)} s, at most ${maxRssMiB} MiB, ${sent} sent, ${distinct.size} stored`,
  )
  expect(missing).toBeGreaterThan((TRADES_PER_SECOND * OUTAGE_MS) / 1000 / 2)
  expect({stored: distinct.size, repeated: stored.length - distinct.size}).toEqual({stored: sent, repeated: 0})
  expect(maxRssMiB).toBeLessThan(MAX_RSS_MIB)
}, 300_000)

/** Resident memory of a process: VmRSS of /proc, which macOS lacks. */
function rssMiB(pid: number): number {
  const kib = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
  return Math.round(Number(kib) / 1024)
}
