import {beforeEach, describe, expect, it} from 'vitest'
import {systemClock} from '../../src/lib/core/clock.ts'
import {sinkDeadLetterTopic, TOPICS} from '../../src/lib/core/topics.ts'
import {seededRandom} from '../../src/lib/simulate/random.ts'
import {CassandraScene, EXACT, type SceneOptions, SINK_GROUP} from '../helpers/cassandra-scene.ts'
import {emptyBus} from '../helpers/empty-bus.ts'
import {messagesOf, openSystem} from '../helpers/pipeline.ts'
import {tempDir} from '../helpers/temp-dir.ts'
import {testbed} from '../helpers/testbed.ts'
import {countStale} from '../helpers/trade-rows.ts'
import {until} from '../helpers/until.ts'

const SEED = Number(process.env.COINPIPE_TEST_SEED ?? 20_261_121)
const KILLS = 10
/** What the exchange makes; a box that cannot carry as much catches up when the market has ended. */
const FULL_RATE = 10_000
const TRADES = 120_000
/** Under faults the rest of the box has to be left some air. */
const RATE = 1000
const OUTAGE_MS = 30_000
const BACK_MS = 240_000
const HINTS_MS = 180_000
const MOST_MIB = 700

beforeEach(async () => {
  const {system} = await openSystem(await tempDir(), {bus: {kind: 'kafka', brokers: testbed().brokers}})
  await emptyBus(system.bus)
}, 60_000)

async function scene(options: Partial<SceneOptions> = {}): Promise<CassandraScene> {
  const {hosts, brokers} = testbed()
  return await CassandraScene.start({host: hosts[0] ?? '', replicas: 2, perSecond: RATE, bus: {kind: 'kafka', brokers}, ...options})
}

/** Waits for what is left of the market, stops every process, and holds the rows against what Kafka acknowledged. */
async function expectExact(running: CassandraScene): Promise<number> {
  const acknowledged = await running.drain()
  await running.stop()
  expect(await running.judge(acknowledged)).toEqual({...EXACT, rows: acknowledged.size})
  expect(await messagesOf(running.system, sinkDeadLetterTopic(TOPICS.trade, SINK_GROUP))).toEqual([])
  return acknowledged.size
}

describe('simulate → Kafka → Cassandra', () => {
  it('holds each acknowledged trade in one row', async () => {
    const running = await scene({perSecond: FULL_RATE, maxTrades: TRADES})
    const memory = running.watchMemory()
    const [before, startedMs] = [await running.committed(), performance.now()]
    await running.reaches(TRADES)
    const perSecond = Math.round((TRADES - before) / ((performance.now() - startedMs) / 1000))
    const trades = await expectExact(running)
    expect(trades).toBe(TRADES)
    console.log(`${trades} trades, made at ${FULL_RATE}/s; ${perSecond} rows/s under load; the sink held ${memory()} MiB at most`)
    expect(memory()).toBeLessThan(MOST_MIB)
  }, 300_000)

  it(`writes each trade once through ${KILLS} times kill -9 of the sink under load`, async () => {
    const running = await scene()
    await running.killSink(KILLS, seededRandom(SEED))
    console.log(`${await expectExact(running)} trades, ${KILLS} kills of the sink`)
  }, 600_000)

  it(`loses nothing, and says nothing, while one node is down for ${OUTAGE_MS / 1000} s`, async () => {
    const {service, hosts} = testbed()
    const running = await scene()
    const memory = running.watchMemory()
    const stalledMs = await running.stallDuring(async () => {
      const killedMs = performance.now()
      await service.kill('cassandra-3', 'KILL', {cluster: 'cassandra'})
      await running.goesOn(5 * RATE)
      await systemClock.sleep(Math.max(0, OUTAGE_MS - (performance.now() - killedMs)))
    })
    const missed = await running.acknowledged()
    await expect(running.judge(missed)).rejects.toMatchObject({code: 'COINPIPE_CASSANDRA_BUSY'})
    const countOn = async (ids: ReadonlySet<string>) => await countStale(running.session, hosts[2] ?? '', running.keyspace, ids)
    const back = service.start('cassandra-3', {cluster: 'cassandra', timeoutMs: BACK_MS})
    const firstAnswer = async () =>
      await countOn(missed).then(
        (stale) => ({stale}),
        () => null,
      )
    const {stale} = await until('the node to answer', firstAnswer, BACK_MS)
    const backMs = performance.now()
    await back
    await running.goesOn(RATE)
    const acknowledged = await running.drain()
    await until('the hints to be replayed', async () => (await countOn(acknowledged)) === 0, HINTS_MS)
    const replayedMs = Math.round(performance.now() - backMs)
    const said = running.said
    expect(await expectExact(running)).toBe(acknowledged.size)
    expect(said).toBe('')
    console.log(
      `${acknowledged.size} trades; longest stall ${stalledMs} ms; of ${missed.size} rows ${stale} were stale in the first answer of the node that was back, none ${replayedMs} ms later; ` +
        `the sink held ${memory()} MiB at most`,
    )
  }, 600_000)
})
