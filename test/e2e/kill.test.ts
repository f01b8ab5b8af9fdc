import {expect, it} from 'vitest'
import {EmbeddedBus} from '../../src/lib/bus/embedded/embedded-bus.ts'
import {KillProcess} from '../../src/lib/chaos/nemeses/kill-process.ts'
import {systemClock} from '../../src/lib/core/clock.ts'
import type {Gap} from '../../src/lib/core/records.ts'
import {TOPICS} from '../../src/lib/core/topics.ts'
import {tradesInStore} from '../../src/lib/pipeline/census.ts'
import {readTail} from '../../src/lib/pipeline/log-tail.ts'
import {dataPaths} from '../../src/lib/pipeline/paths.ts'
import {seededRandom} from '../../src/lib/simulate/random.ts'
import {openMarketReader} from '../../src/lib/store/embedded/reader.ts'
import {testContext} from '../helpers/context.ts'
import {simulator} from '../helpers/simulator.ts'
import {storedTrades} from '../helpers/stored-trades.ts'
import {tempDir} from '../helpers/temp-dir.ts'
import {until} from '../helpers/until.ts'
import {Victim} from '../helpers/victim.ts'

const KILLS = 20
const TRADES_PER_SECOND = 5000
const SEED = Number(process.env.COINPIPE_TEST_SEED ?? 20_261_121)

it(`stores each trade exactly once through ${KILLS} times kill -9 of ingest and sink store at ${TRADES_PER_SECOND} trades/s`, async () => {
  const random = seededRandom(SEED)
  const sim = await simulator({tradesPerSecond: TRADES_PER_SECOND, lateShare: 0.1, limits: false})
  const dataDir = await tempDir()
  const common = ['--data-dir', dataDir, '--log-level', 'warn']
  const ingest = new Victim('ingest', '--exchange', 'upbit', '--channels', 'trade', '--url', sim.url, ...common)
  const sink = new Victim('sink', 'store', ...common)
  await ingest.start()
  await sink.start()
  await until('the market to move', () => sim.ledger.count() > TRADES_PER_SECOND, 30_000)

  const nemesis = new KillProcess({targets: {ingest, sink}, clock: systemClock})
  const ingestKilledAt: number[] = []
  for (let kill = 0; kill < KILLS; kill += 1) {
    const target = random() < 0.5 ? 'ingest' : 'sink'
    if (target === 'ingest') ingestKilledAt.push(systemClock.nowUs())
    await nemesis.inject({f: 'kill-process', target})
    await systemClock.sleep(random() * 500)
    await nemesis.heal()
    await systemClock.sleep(500 + random() * 3000)
  }
  sim.pause()

  const context = testContext()
  const reader = openMarketReader({path: dataPaths(dataDir).store}, context)
  await reader.connect()
  const sent = sim.ledger.count()
  const storedCount = storedTrades(reader)
  await until(`all ${sent} trades to be stored`, async () => (await storedCount()) >= sent, 120_000).catch(async (error: unknown) => {
    throw new Error(`${String(error)}: ${await storedCount()} of ${sent} stored\n${ingest.output}\n${sink.output}`)
  })
  // A life that was killed while it filled a gap leaves it to the next one, which may still be asking for trades that are all there.
  await until('every gap to be filled', async () => (await lastGaps(dataDir)).every(({state}) => state === 'filled'), 60_000)
  expect([await ingest.stop(), await sink.stop()]).toEqual([0, 0])

  const expected = new Set([...sim.ledger.trades()].map(({market, sequentialId}) => `trade:upbit:${symbolOf(market)}:${sequentialId}`))
  const stored = (await Array.fromAsync(tradesInStore(reader))).map(({id}) => id)
  const distinct = new Set(stored)
  await reader.close()
  expect(stored.length - distinct.size).toBe(0)
  expect(distinct.size).toBe(expected.size)
  expect([...expected].filter((id) => !distinct.has(id))).toEqual([])

  const gaps = await lastGaps(dataDir)
  const [ingestKills, filled] = [ingestKilledAt.length, gaps.reduce((sum, gap) => sum + gap.filled, 0)]
  console.log(
    `${sent} trades; ${ingestKills} kills of ingest, ${KILLS - ingestKills} of the sink; ${gaps.length} gaps, ${filled} trades back-filled`,
  )
  // A kill that comes before an earlier gap is filled makes that gap longer, so there may be fewer gaps than kills.
  const uncovered = ingestKilledAt.filter((at) => !gaps.some(({from, to}) => from <= at && at <= (to ?? 0)))
  expect(uncovered).toEqual([])
}, 300_000)

function symbolOf(market: string): string {
  return market.split('-').reverse().join('-')
}

/** The last record of each gap of the trade channel. */
async function lastGaps(dataDir: string): Promise<Gap[]> {
  const bus = new EmbeddedBus({path: dataPaths(dataDir).log}, testContext())
  await bus.connect()
  const gaps = new Map<string, Gap>()
  const {records} = await readTail(bus, TOPICS.trade, Number.POSITIVE_INFINITY)
  for await (const record of records) if (record.type === 'gap') gaps.set(record.id, record)
  await bus.close()
  return [...gaps.values()]
}
