import {writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {beforeEach, describe, expect, it} from 'vitest'
import {stringify} from 'yaml'
import {KillProcess} from '../../src/lib/chaos/nemeses/kill-process.ts'
import {systemClock} from '../../src/lib/core/clock.ts'
import type {GroupLag} from '../../src/lib/core/ports/bus.ts'
import {TOPICS} from '../../src/lib/core/topics.ts'
import {groupCaughtUp} from '../../src/lib/pipeline/caught-up.ts'
import {tradesInLog, tradesInStore} from '../../src/lib/pipeline/census.ts'
import {dataPaths} from '../../src/lib/pipeline/paths.ts'
import type {System} from '../../src/lib/pipeline/system.ts'
import {seededRandom} from '../../src/lib/simulate/random.ts'
import type {Simulator} from '../../src/lib/simulate/simulator.ts'
import {openMarketReader} from '../../src/lib/store/embedded/reader.ts'
import {expectExactlyOnce} from '../helpers/candle-check.ts'
import {testContext} from '../helpers/context.ts'
import {emptyBus} from '../helpers/empty-bus.ts'
import {clusterForFile} from '../helpers/file-cluster.ts'
import {ledgerRecordIds, openSystem} from '../helpers/pipeline.ts'
import {COINPIPE, coinpipe, start} from '../helpers/run-cli.ts'
import {simulator} from '../helpers/simulator.ts'
import {storedTrades} from '../helpers/stored-trades.ts'
import {tempDir} from '../helpers/temp-dir.ts'
import {until} from '../helpers/until.ts'
import {Victim} from '../helpers/victim.ts'

const SEED = Number(process.env.COINPIPE_TEST_SEED ?? 20_261_121)
const WHOLE_MS = 90_000
const TRADES_PER_SECOND = 2000
const KILLS = 6
const OUTAGE_MS = 30_000
/** The shortest that brokers allow: a member that was killed is missed for so long. */
const SESSION_MS = 6000
/** A drain that waits for what never comes takes until its deadline, 15 s. */
const DRAIN_MS = 14_000
/** What is read again after a kill is worked off at the pace of a machine that also runs the brokers. */
const CATCH_UP_MS = 120_000

const cluster = clusterForFile({kind: 'kafka', hosts: ['127.0.0.104', '127.0.0.105', '127.0.0.106'], timeoutMs: WHOLE_MS})

/** A data folder of its own, with the pipelines on Kafka. */
async function folder({durable = false} = {}) {
  const dataDir = await tempDir()
  const bus = {kind: 'kafka', brokers: cluster().brokers, durable}
  const {system, context} = await openSystem(dataDir, {bus})
  const flags = [
    '--bus',
    'kafka',
    '--brokers',
    bus.brokers.join(','),
    '--data-dir',
    dataDir,
    '--log-level',
    'warn',
    ...(durable ? ['--durable'] : []),
  ]
  return {dataDir, bus, system, context, flags}
}

/** Names of topics are the same for every test. */
beforeEach(async () => {
  const {system} = await folder()
  await emptyBus(system.bus)
}, WHOLE_MS)

/** The ids of trades in a store, and how many there are more than once. */
async function store(dataDir: string, writers: readonly Pick<Victim, 'output'>[]) {
  const reader = openMarketReader({path: dataPaths(dataDir).store}, testContext())
  const connects = () =>
    reader.connect().then(
      () => true,
      () => false,
    )
  await untilShown('the store to be there', writers, connects)
  const count = storedTrades(reader)
  const ids = async () => (await Array.fromAsync(tradesInStore(reader))).map(({id}) => id)
  return {count, ids, close: () => reader.close()}
}

/** `until`, which shows what the processes said where it is in vain. */
async function expectCaughtUp({bus}: System, group: string): Promise<void> {
  const caughtUp = await groupCaughtUp(bus, group, AbortSignal.timeout(CATCH_UP_MS), systemClock)
  expect({group, behind: caughtUp ? [] : (await bus.lag(group)).filter(({lag}) => lag > 0)}).toEqual({group, behind: []})
}

async function untilShown(what: string, victims: readonly Pick<Victim, 'output'>[], probe: () => Promise<boolean>): Promise<void> {
  await until(what, probe, CATCH_UP_MS).catch((error: unknown) => {
    throw new Error(`${String(error)}\n${victims.map(({output}) => output).join('\n')}`)
  })
}

/** By id: what the exchange made is on Kafka, and in the store, there once; candles are what a recount says. */
async function expectEverything(sim: Simulator, system: System, stored: readonly string[]): Promise<void> {
  const made = ledgerRecordIds(sim)
  const onKafka = new Set((await Array.fromAsync(tradesInLog(system.bus))).map(({id}) => id))
  const distinct = new Set(stored)
  expect({onKafka: onKafka.size, stored: distinct.size, repeated: stored.length - distinct.size}).toEqual({
    onKafka: made.size,
    stored: made.size,
    repeated: 0,
  })
  expect([...made].filter((id) => !onKafka.has(id) || !distinct.has(id))).toEqual([])
  await expectExactlyOnce(system)
}

describe('on Kafka', () => {
  it('goes from simulate over ingest to tail and groups lag by the commands of the issue, without --brokers', async () => {
    const {dataDir} = cluster()
    const common = ['--bus', 'kafka', '--data-dir', dataDir]
    const sim = start(COINPIPE, ['simulate', '--port', '0', '--data-dir', dataDir])
    await sim.saw(/ws:\/\/\S+/)
    const [url = ''] = /ws:\/\/127[.\d]+:\d+/.exec(sim.output().stdout + sim.output().stderr) ?? []
    const ingest = await coinpipe('ingest', '--exchange', 'upbit', '--url', url, '--for', '10s', ...common)
    expect(ingest).toMatchObject({code: 0, stderr: expect.stringMatching(/upbit: (\d+) records in, \1 out\n$/)})
    const tail = await coinpipe('tail', TOPICS.trade, '-o', '-5', '-J', '--count', '5', ...common)
    expect({code: tail.code, stderr: tail.stderr}).toEqual({code: 0, stderr: ''})
    const lines = tail.stdout.trimEnd().split('\n')
    expect(lines.map((line) => JSON.parse(line))).toMatchObject(Array.from({length: 5}, () => ({topic: TOPICS.trade})))
    const sink = await coinpipe('sink', 'store', '--topics', TOPICS.trade, '--for', '5s', ...common)
    expect(sink.code).toBe(0)
    const lag: readonly GroupLag[] = JSON.parse((await coinpipe('groups', 'lag', '--json', ...common)).stdout)
    expect(lag.map((row) => row.lag)).toEqual(lag.map(() => 0))
    expect(lag.reduce((sum, row) => sum + (row.committed ?? 0), 0)).toBeGreaterThan(1000)
    sim.child.kill('SIGTERM')
    expect((await sim.ended).code).toBe(0)
  }, 120_000)

  it('runs up with candles and store, drains under load on Ctrl-C, and goes on from there', async () => {
    const {dataDir, bus, system} = await folder()
    const sim = await simulator({tradesPerSecond: TRADES_PER_SECOND, lateShare: 0.1, limits: false})
    const source = {kind: 'exchange', exchange: 'upbit', url: sim.url, channels: ['trade'], symbols: 'all'}
    const config = join(dataDir, 'up.yaml')
    const pipelines = [{name: 'upbit', source, sinks: ['store']}]
    await writeFile(config, stringify({version: 1, dataDir, bus, sinks: {store: {kind: 'store'}}, pipelines, serve: {port: 0}}))
    const up = () => start(COINPIPE, ['up', '--config', config, '--log-level', 'warn', '--json'])
    const stop = async ({child, ended}: ReturnType<typeof up>) => {
      const stoppedMs = performance.now()
      child.kill('SIGINT')
      const {code, stdout, stderr} = await ended
      const ms = performance.now() - stoppedMs
      expect({code, stderr: stderr.replace(/^SIGINT.*\n/m, '')}).toEqual({code: 0, stderr: ''})
      expect(ms).toBeLessThan(DRAIN_MS)
      return {ms: Math.round(ms), summary: JSON.parse(stdout)}
    }

    const first = up()
    const stored = await store(dataDir, [])
    await until('trades to be stored', async () => (await stored.count()) > 5 * TRADES_PER_SECOND, 60_000)
    const {ms: underLoadMs, summary} = await stop(first)
    const onKafka = new Set((await Array.fromAsync(tradesInLog(system.bus))).map(({id}) => id))
    expect(onKafka.size).toBe(summary.upbit.sent)
    expect(new Set(await stored.ids())).toEqual(onKafka)
    await expectExactlyOnce(system)

    const second = up()
    await until('more trades to be stored', async () => (await stored.count()) > 10 * TRADES_PER_SECOND, 60_000)
    sim.pause()
    await until('every trade', async () => (await stored.count()) >= sim.ledger.count(), 60_000)
    const {ms: idleMs} = await stop(second)
    await expectEverything(sim, system, await stored.ids())
    await stored.close()
    console.log(`${sim.ledger.count()} trades; drained in ${underLoadMs} ms under load, ${idleMs} ms without`)
  }, 180_000)

  it(`stores each trade once, with candles that hold it once, through ${KILLS} times kill -9 of every part`, async () => {
    const random = seededRandom(SEED)
    const {dataDir, system, flags} = await folder()
    const sim = await simulator({tradesPerSecond: TRADES_PER_SECOND, lateShare: 0.1, limits: false})
    const common = [...flags, '--set', `bus.sessionTimeout=${SESSION_MS}ms`]
    const parts = {
      ingest: new Victim('ingest', '--exchange', 'upbit', '--channels', 'trade', '--url', sim.url, ...common),
      sink: new Victim('sink', 'store', ...common),
      candles: new Victim('aggregate', 'candles', ...common),
    }
    const victims = Object.values(parts)
    await Promise.all(victims.map((victim) => victim.start()))
    const stored = await store(dataDir, victims)
    await untilShown('trades to be stored', victims, async () => (await stored.count()) > TRADES_PER_SECOND)

    const nemesis = new KillProcess({targets: parts, clock: systemClock})
    const said: string[] = []
    for (let kill = 0; kill < KILLS; kill += 1) {
      for (const target of Object.keys(parts)) {
        await nemesis.inject({f: 'kill-process', target})
        await systemClock.sleep(random() * 300)
      }
      said.push(...victims.map(({output}) => output))
      await nemesis.heal()
      await systemClock.sleep(500 + random() * 2500)
    }
    const backMs = performance.now()
    const before = await stored.count()
    await until('the sink to take over', async () => (await stored.count()) > before, 30_000)
    const tookOverMs = Math.round(performance.now() - backMs)
    sim.pause()
    await untilShown('every trade to be stored', victims, async () => (await stored.count()) >= sim.ledger.count())
    for (const group of ['candles', 'sink.store']) await expectCaughtUp(system, group)
    expect(await Promise.all(victims.map((victim) => victim.stop()))).toEqual([0, 0, 0])
    expect([...said, ...victims.map(({output}) => output)].join('')).not.toMatch(/fenced/i)
    await expectEverything(sim, system, await stored.ids())
    await stored.close()
    console.log(`${sim.ledger.count()} trades, ${KILLS} kills of each part; the sink took over ${tookOverMs} ms after its last start`)
  }, 400_000)

  it(`loses nothing while one broker of three is down for ${OUTAGE_MS / 1000} s, and catches up`, async () => {
    const {service} = cluster()
    // With acks=1 the killed leader may take along what it alone had. Every part is told, as the first one to come creates the topics.
    const {dataDir, system, flags} = await folder({durable: true})
    const sim = await simulator({tradesPerSecond: TRADES_PER_SECOND, lateShare: 0.1, limits: false})
    const victims = [
      new Victim('ingest', '--exchange', 'upbit', '--channels', 'trade', '--url', sim.url, ...flags),
      new Victim('sink', 'store', ...flags),
      new Victim('aggregate', 'candles', ...flags),
    ]
    for (const victim of victims) await victim.start()
    const stored = await store(dataDir, victims)
    await untilShown('trades to be stored', victims, async () => (await stored.count()) > TRADES_PER_SECOND)
    const partition = (await system.bus.describeTopic(TOPICS.trade)).replication[0]
    const leader = `kafka-${partition?.leader}`
    await service.kill(leader, 'KILL')
    const [downMs, before] = [performance.now(), sim.ledger.count()]
    await untilShown('what came after the kill to be stored', victims, async () => (await stored.count()) > before + TRADES_PER_SECOND)
    const stalledMs = Math.round(performance.now() - downMs)
    await systemClock.sleep(Math.max(0, OUTAGE_MS - stalledMs))
    sim.pause()
    const back = service.start(leader, {timeoutMs: WHOLE_MS})
    await untilShown('every trade to be stored', victims, async () => (await stored.count()) >= sim.ledger.count())
    await expectCaughtUp(system, 'candles')
    expect(await Promise.all(victims.map((victim) => victim.stop()))).toEqual([0, 0, 0])
    await expectEverything(sim, system, await stored.ids())
    await stored.close()
    await back
    console.log(`${sim.ledger.count()} trades; with a broker down, trades were stored again after ${stalledMs} ms`)
  }, 400_000)

  it('moves only the partitions that must move when a second sink joins, leaves and is killed', async () => {
    const {system, flags} = await folder()
    const [group, session] = ['sink.store', ['--set', `bus.sessionTimeout=${SESSION_MS}ms`]]
    await system.bus.ensureTopic(TOPICS.trade, {partitions: 6, retentionMs: null, retentionBytes: null})
    const sink = () => new Victim('sink', 'store', '--topics', TOPICS.trade, ...flags, ...session)
    const shares = async () => {
      const {members, phase} = await system.bus.describeGroup(group)
      return phase === 'stable' ? members.map(({id, partitions}) => ({id, partitions: partitions.map(({partition}) => partition)})) : []
    }
    const settled = async (...sizes: readonly number[]) =>
      await until(
        `shares of ${sizes}`,
        async () => {
          const found = await shares()
          const fits = found.length === sizes.length && found.every(({partitions}, at) => partitions.length === sizes[at])
          return fits ? found : null
        },
        30_000,
      )
    const [first, second] = [sink(), sink()]
    await first.start()
    const [alone] = await settled(6)
    await second.start()
    const kept = (await settled(3, 3)).find(({id}) => id === alone?.id)
    expect(kept?.partitions).toHaveLength(3)
    expect(await second.stop()).toBe(0)
    expect((await settled(6))[0]?.id).toBe(alone?.id)
    await second.start()
    await settled(3, 3)
    process.kill(second.identity().pid, 'SIGKILL')
    const killedMs = performance.now()
    expect((await settled(6))[0]?.id).toBe(alone?.id)
    console.log(`all partitions ${Math.round(performance.now() - killedMs)} ms after the other was killed`)
    expect(await first.stop()).toBe(0)
  }, 120_000)
})
