import {expect} from 'vitest'
import {KillProcess} from '../../src/lib/chaos/nemeses/kill-process.ts'
import {systemClock} from '../../src/lib/core/clock.ts'
import {given} from '../../src/lib/core/given.ts'
import {TOPICS} from '../../src/lib/core/topics.ts'
import {groupCaughtUp} from '../../src/lib/pipeline/caught-up.ts'
import {tradesInLog} from '../../src/lib/pipeline/census.ts'
import type {System} from '../../src/lib/pipeline/system.ts'
import type {Simulator} from '../../src/lib/simulate/simulator.ts'
import type {CassandraSession} from '../../src/lib/store/cassandra/session.ts'
import {openSession, tablesForTest} from './cassandra.ts'
import {watchMemory} from './peak-memory.ts'
import {ledgerRecordIds, openSystem} from './pipeline.ts'
import {simulator} from './simulator.ts'
import {tempDir} from './temp-dir.ts'
import {judgeRows, type RowsVerdict, without} from './trade-rows.ts'
import {until} from './until.ts'
import {Victim} from './victim.ts'

export const SINK_GROUP = 'sink.cassandra'

const SLOW_MS = 120_000
const DRAIN_MS = 180_000
const POLL_MS = 50
const MOST_ALIVE_MS = 700

export interface SceneOptions {
  /** Address that the sink is given. */
  readonly host: string
  /** Copies of each row. */
  readonly replicas: number
  readonly perSecond: number
  /** Trades after which the market ends by itself; default: it goes on. */
  readonly maxTrades?: number
  /** The `bus` of the config; default: the embedded one. */
  readonly bus?: {readonly kind: 'kafka'; readonly brokers: readonly string[]}
  readonly sinks?: number
  /** More flags of the sinks. */
  readonly sinkFlags?: readonly string[]
}

/** simulate → ingest → bus → `sink cassandra`, each part but the first a process of its own. */
export class CassandraScene {
  readonly sim: Simulator
  readonly system: System
  readonly session: CassandraSession
  readonly keyspace: string
  readonly ingest: Victim
  readonly sinks: readonly Victim[]
  readonly #stalls = new Stalls(() => this.committed())

  private constructor(
    {sim, system, session}: Pick<CassandraScene, 'sim' | 'system' | 'session'>,
    options: SceneOptions,
    flags: readonly string[],
  ) {
    const {keyspace} = session.options
    const {host, replicas, sinks = 1, sinkFlags = []} = options
    this.sim = sim
    this.system = system
    this.session = session
    this.keyspace = keyspace
    this.ingest = new Victim('ingest', '--exchange', 'upbit', '--channels', 'trade', '--url', sim.url, ...flags)
    const where = ['--hosts', host, '--keyspace', keyspace, '--set', `sinks.cassandra.replicas=${replicas}`]
    const sink = (at: number) => [
      'sink',
      'cassandra',
      '--topics',
      TOPICS.trade,
      '--instance',
      `sink-${at}`,
      ...where,
      ...flags,
      ...sinkFlags,
    ]
    this.sinks = Array.from({length: sinks}, (_, at) => new Victim(...sink(at)))
  }

  /** Resolves once the first second's worth of trades is written and committed. */
  static async start(options: SceneOptions): Promise<CassandraScene> {
    const {host, replicas, perSecond, maxTrades, bus} = options
    const keyspace = await tablesForTest({replicas})
    const dataDir = await tempDir()
    const {system} = await openSystem(dataDir, bus ? {bus} : {})
    const sim = await simulator({tradesPerSecond: perSecond, lateShare: 0.1, limits: false, ...given({maxTrades})})
    const session = await openSession({keyspace, hosts: [host]})
    const busFlags = bus ? ['--bus', bus.kind, '--brokers', bus.brokers.join(',')] : []
    const scene = new CassandraScene({sim, system, session}, options, [...busFlags, '--data-dir', dataDir, '--log-level', 'warn'])
    await scene.ingest.start()
    for (const sink of scene.sinks) await sink.start()
    await scene.goesOn(perSecond)
    return scene
  }

  /** Most memory, in MiB, that the first sink is seen to hold from now on. */
  watchMemory(): () => number {
    return watchMemory(this.sinks[0] ?? {pid: null})
  }

  /** All that the sinks have said since their last start. */
  get said(): string {
    return this.sinks.map(({output}) => output).join('\n')
  }

  /** Trades that are written and committed. */
  committed(): Promise<number> {
    return committedOf(this.system)
  }

  /** Resolves once `more` trades have been written and committed. */
  async goesOn(more: number): Promise<void> {
    await this.reaches((await this.committed()) + more)
  }

  /** Resolves once `goal` trades have been written and committed. */
  async reaches(goal: number): Promise<void> {
    await this.#until(`${goal} trades to be written`, async () => (await this.committed()) >= goal, SLOW_MS)
  }

  /** Kills the first sink again and again, each time while it writes, and starts it again. */
  async killSink(times: number, random: () => number): Promise<void> {
    const [sink] = this.sinks as readonly [Victim]
    const nemesis = new KillProcess({targets: {sink}, clock: systemClock})
    for (let kill = 0; kill < times; kill += 1) {
      await nemesis.inject({f: 'kill-process', target: 'sink'})
      await nemesis.heal()
      await this.goesOn(1)
      await systemClock.sleep(random() * MOST_ALIVE_MS)
    }
  }

  /** Longest time from one commit to the next while `work` goes on, milliseconds. */
  stallDuring(work: () => Promise<void>): Promise<number> {
    return this.#stalls.during(work)
  }

  /** Ends the market and waits until all that it made is written; the sinks still run. Resolves with the ids that the bus has acknowledged. */
  async drain(): Promise<ReadonlySet<string>> {
    const {sim, system} = this
    sim.pause()
    const arrived = async () =>
      (await system.bus.describeTopic(TOPICS.trade)).offsets.reduce((sum, {earliest, latest}) => sum + latest - earliest, 0)
    await this.#until('every trade to be on the bus', async () => (await arrived()) >= sim.ledger.count(), DRAIN_MS)
    const deadline = AbortSignal.timeout(DRAIN_MS)
    if (!(await groupCaughtUp(system.bus, SINK_GROUP, deadline, systemClock))) throw new Error(`the sink does not catch up: ${this.said}`)
    const acknowledged = await this.acknowledged()
    const made = ledgerRecordIds(sim)
    expect({made: made.size, missing: without(made, acknowledged)}).toEqual({made: acknowledged.size, missing: []})
    return acknowledged
  }

  /** Ids of the trades that the bus has acknowledged by now. */
  async acknowledged(): Promise<ReadonlySet<string>> {
    return new Set((await Array.fromAsync(tradesInLog(this.system.bus))).map(({id}) => id))
  }

  /** Ends every process as Ctrl-C does: each has to end well. */
  async stop(): Promise<void> {
    const codes = await Promise.all([this.ingest, ...this.sinks].map((victim) => victim.stop()))
    if (codes.some((code) => code !== 0)) throw new Error(`ended with ${codes}: ${this.ingest.output}\n${this.said}`)
  }

  async judge(acknowledged: ReadonlySet<string>): Promise<RowsVerdict> {
    return await judgeRows(this.session, this.keyspace, acknowledged)
  }

  /** `until`, which shows what the processes said where it is in vain. */
  async #until(what: string, probe: () => Promise<boolean>, withinMs: number): Promise<void> {
    await until(what, probe, withinMs).catch((error: unknown) => {
      throw new Error(`${String(error)}\n${this.ingest.output}\n${this.said}`)
    })
  }
}

/** Messages that the sinks have done with, all partitions together. */
export async function committedOf({bus}: System): Promise<number> {
  if (!(await bus.listGroups()).includes(SINK_GROUP)) return 0
  return (await bus.lag(SINK_GROUP)).reduce((sum, {committed}) => sum + (committed ?? 0), 0)
}

/** Rows are the acknowledged ids, each once. */
export const EXACT = {lost: [], unexpected: [], repeated: 0} as const

class Stalls {
  readonly #count: () => Promise<number>

  constructor(count: () => Promise<number>) {
    this.#count = count
  }

  async during(work: () => Promise<void>): Promise<number> {
    let [longestMs, last, sinceMs, over] = [0, await this.#count(), performance.now(), false]
    const watch = async () => {
      while (!over) {
        const count = await this.#count()
        longestMs = Math.max(longestMs, performance.now() - sinceMs)
        if (count > last) [last, sinceMs] = [count, performance.now()]
        await systemClock.sleep(POLL_MS)
      }
    }
    const watching = watch()
    try {
      await work()
    } finally {
      over = true
      await watching
    }
    return Math.round(longestMs)
  }
}
