import {describe, expect, it, onTestFinished} from 'vitest'
import {KillProcess} from '../../src/lib/chaos/nemeses/kill-process.ts'
import {systemClock} from '../../src/lib/core/clock.ts'
import {encodeRecord} from '../../src/lib/core/codec.ts'
import {CANDLE_INTERVALS, type Trade} from '../../src/lib/core/records.ts'
import {TOPICS} from '../../src/lib/core/topics.ts'
import {runCandles} from '../../src/lib/pipeline/candles.ts'
import {groupCaughtUp} from '../../src/lib/pipeline/caught-up.ts'
import {tradesInLog} from '../../src/lib/pipeline/census.ts'
import type {System} from '../../src/lib/pipeline/system.ts'
import {seededRandom} from '../../src/lib/simulate/random.ts'
import type {Simulator} from '../../src/lib/simulate/simulator.ts'
import {MemoryCheckpoints} from '../../src/lib/store/checkpoints/memory-checkpoints.ts'
import {candlesOf, expectExactlyOnce} from '../helpers/candle-check.ts'
import {testContext} from '../helpers/context.ts'
import {T0, trade} from '../helpers/market-records.ts'
import {ledgerRecordIds, messagesOf, openSystem} from '../helpers/pipeline.ts'
import {simulator} from '../helpers/simulator.ts'
import {tempDir} from '../helpers/temp-dir.ts'
import {until} from '../helpers/until.ts'
import {Victim} from '../helpers/victim.ts'

const KILLS = 8
const TRADES_PER_SECOND = 2000
const GROUP = 'candles'
const SEED = Number(process.env.COINPIPE_TEST_SEED ?? 20_261_121)

/** A collector of a simulated exchange in this process, its log in a folder for others to read. */
async function collect() {
  const sim = await simulator({tradesPerSecond: TRADES_PER_SECOND, lateShare: 0.1, limits: false})
  const dataDir = await tempDir()
  const {system, context} = await openSystem(dataDir)
  const running = system.ingest('upbit', 'upbit', {channels: ['trade'], symbols: 'all', url: sim.url}).run(context.signal)
  onTestFinished(async () => {
    context.abort()
    await running
  })
  return {sim, dataDir, system}
}

/** Waits until all that the paused simulator made is on the log and in candles. */
async function settled(sim: Simulator, system: System): Promise<void> {
  const made = ledgerRecordIds(sim).size
  await until('all trades on the log', async () => (await Array.fromAsync(tradesInLog(system.bus))).length >= made, 30_000)
  expect(await groupCaughtUp(system.bus, GROUP, AbortSignal.timeout(30_000), systemClock)).toBe(true)
}

function builder(dataDir: string, instance: string): Victim {
  return new Victim('aggregate', 'candles', '--instance', instance, '--data-dir', dataDir, '--log-level', 'warn')
}

async function membersOf(system: System): Promise<number[]> {
  return (await system.bus.describeGroup(GROUP)).members.map(({partitions}) => partitions.length)
}

describe('aggregate candles', () => {
  it(`counts each trade once through ${KILLS} times kill -9 at ${TRADES_PER_SECOND} trades/s`, async () => {
    const random = seededRandom(SEED)
    const {sim, dataDir, system} = await collect()
    const candles = builder(dataDir, 'a')
    await candles.start()
    await until('candles', async () => (await candlesOf(system)).length > 0, 20_000)
    const nemesis = new KillProcess({targets: {candles}, clock: systemClock})
    for (let kill = 0; kill < KILLS; kill += 1) {
      await nemesis.inject({f: 'kill-process', target: 'candles'})
      await nemesis.heal()
      await systemClock.sleep(500 + random() * 2500)
    }
    sim.pause()
    await settled(sim, system)
    expect(await candles.stop()).toBe(0)
    const published = await expectExactlyOnce(system)
    expect(new Set(published.map(({interval}) => interval))).toEqual(new Set(CANDLE_INTERVALS))
    console.log(`${sim.ledger.count()} trades, ${published.length} candle records`)
  }, 120_000)

  it('shares the partitions between two processes, and each takes over what the other leaves', async () => {
    const {sim, dataDir, system} = await collect()
    const [a, b] = [builder(dataDir, 'a'), builder(dataDir, 'b')]
    await Promise.all([a.start(), b.start()])
    await until('both to have half', async () => (await membersOf(system)).join() === '3,3', 20_000)
    const nemesis = new KillProcess({targets: {a, b}, clock: systemClock})
    await nemesis.inject({f: 'kill-process', target: 'a'})
    const killedMs = performance.now()
    await until('the other to have all', async () => (await membersOf(system)).join() === '6', 20_000)
    expect(performance.now() - killedMs).toBeLessThan(4000)
    const count = (await candlesOf(system)).length
    await until('more candles', async () => (await candlesOf(system)).length > count + 50, 10_000)
    await nemesis.heal()
    await until('both to have half again', async () => (await membersOf(system)).join() === '3,3', 20_000)
    expect(await b.stop()).toBe(0)
    await until('the first to have all', async () => (await membersOf(system)).join() === '6', 20_000)
    sim.pause()
    await settled(sim, system)
    expect(await a.stop()).toBe(0)
    await expectExactlyOnce(system)
  }, 120_000)
})

describe('runCandles', () => {
  /** A builder in this process that can be stopped and started again. */
  function run(system: System, checkpoints: MemoryCheckpoints) {
    const context = testContext()
    const ended = runCandles(
      {
        bus: system.bus,
        admin: system.bus,
        checkpoints,
        group: GROUP,
        instance: 'a',
        intervals: CANDLE_INTERVALS,
        partitionOf: () => undefined,
        flushMs: 20,
        snapshotMs: 50,
      },
      context.signal,
      context,
    )
    onTestFinished(() => context.abort())
    const stop = async () => {
      context.abort()
      await ended
    }
    return {context, stop}
  }

  const publish = (system: System, trades: readonly Trade[]) =>
    system.bus.publish(trades.map((each) => ({topic: TOPICS.trade, partition: 0, key: 'upbit:BTC-KRW', value: encodeRecord(each)})))
  const at = (id: number, seconds: number) => trade(String(id), {eventTime: T0 + seconds * 1_000_000})
  const caughtUp = (system: System) => groupCaughtUp(system.bus, GROUP, AbortSignal.timeout(5000), systemClock)
  const versionsOf = async (system: System) =>
    (await candlesOf(system)).filter((candle) => candle.interval === '1s' && candle.startTime === T0)

  async function checkpointsAndLog() {
    const checkpoints = new MemoryCheckpoints()
    await checkpoints.connect()
    return {checkpoints, ...(await openSystem(await tempDir()))}
  }

  it('corrects a candle by a late trade with a higher version, also after a restart, and counts a trade that comes twice once', async () => {
    const {checkpoints, system} = await checkpointsAndLog()
    const first = run(system, checkpoints)
    await publish(system, [at(1, 0), at(2, 30)])
    await until('the candle to be closed', async () => (await versionsOf(system)).some(({closed}) => closed))
    await publish(system, [at(3, 0), at(1, 0)])
    await until('a correction', async () => (await versionsOf(system)).at(-1)?.trades === 2)
    await first.stop()

    const second = run(system, checkpoints)
    await publish(system, [at(1, 0), at(3, 0), at(4, 0)])
    await until('another correction', async () => (await versionsOf(system)).at(-1)?.trades === 3)
    await second.stop()
    const versions = await versionsOf(system)
    expect(versions.map(({version}) => version)).toEqual(versions.map(({version}) => version).toSorted((x, y) => x - y))
    expect(versions.at(-1)).toMatchObject({closed: true, trades: 3})
    expect(second.context.metrics.total('coinpipe_duplicates_total', {component: 'candles'})).toBe(2)
    await expectExactlyOnce(system)
  })

  it.each([
    ['shorter than', 2],
    ['longer than', 20],
  ])('builds candles of a new log that is %s the one before, and takes none of the old windows for its own', async (_name, length) => {
    const {checkpoints, system} = await checkpointsAndLog()
    const first = run(system, checkpoints)
    await publish(
      system,
      Array.from({length: 10}, (_, id) => at(id, id)),
    )
    expect(await caughtUp(system)).toBe(true)
    await first.stop()

    const {system: other} = await openSystem(await tempDir())
    await publish(
      other,
      Array.from({length}, (_, id) => at(100 + id, id)),
    )
    const second = run(other, checkpoints)
    await until('candles', async () => (await candlesOf(other)).length > 0)
    expect(await caughtUp(other)).toBe(true)
    await second.stop()
    await expectExactlyOnce(other)
  })

  it('sets aside what is no trade, and counts the rest', async () => {
    const {checkpoints, system} = await checkpointsAndLog()
    const running = run(system, checkpoints)
    await publish(system, [at(1, 0), trade('2', {eventTime: T0, size: '0.0000000000000000000001'})])
    await system.bus.publish([{topic: TOPICS.trade, partition: 0, key: null, value: 'poison'}])
    await publish(system, [at(3, 0)])
    await until('both trades', async () => (await versionsOf(system)).at(-1)?.trades === 2)
    const letters = await messagesOf(system, `market.trade.${GROUP}.dlq`)
    expect(letters.map(({headers}) => headers['error-code'])).toEqual(['COINPIPE_DECIMAL_RANGE', 'COINPIPE_INVALID_RECORD'])
    expect(running.context.metrics.total('coinpipe_dead_letters_total', {component: 'candles'})).toBe(2)
    await running.stop()
  })
})
