import {writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {onTestFinished} from 'vitest'
import {stringify} from 'yaml'
import {loadConfig} from '../../src/lib/config/load.ts'
import type {Health} from '../../src/lib/core/health.ts'
import type {BusMessage} from '../../src/lib/core/ports/bus.ts'
import {createHealth} from '../../src/lib/observability/health.ts'
import {tradesInStore} from '../../src/lib/pipeline/census.ts'
import {runStages, type Stage} from '../../src/lib/pipeline/stages.ts'
import {System} from '../../src/lib/pipeline/system.ts'
import type {Simulator} from '../../src/lib/simulate/simulator.ts'
import {openMarketReader} from '../../src/lib/store/embedded/reader.ts'
import {type TestContext, testContext} from './context.ts'

export interface RunningPipeline {
  readonly system: System
  readonly context: TestContext & {readonly health: Health}
  /** Error that it ended with, if it has. */
  failure(): unknown
  /** Stops it as Ctrl-C does and waits until it has drained. */
  stop(): Promise<void>
  /** What is in the store, trade by trade. */
  stored(): Promise<Stored>
}

export interface Stored {
  readonly ids: ReadonlySet<string>
  /** Copies beyond the first of each. */
  readonly repeated: number
}

/** Opens what is below `dataDir`, as the commands do; closed when the test is over. */
export async function openSystem(dataDir: string, settings: object = {}): Promise<Pick<RunningPipeline, 'system' | 'context'>> {
  const path = join(dataDir, 'coinpipe.yaml')
  await writeFile(path, stringify({version: 1, dataDir, ...settings}))
  const {config} = await loadConfig({path, env: {}, defaultDataDir: dataDir})
  const base = testContext()
  const context = {...base, health: createHealth(base.clock)}
  const system = await System.open(config, context)
  onTestFinished(() => system.close())
  return {system, context}
}

/** Upbit → log → store in this process, from the simulator, its trades only. */
export async function startPipeline(sim: Simulator, dataDir: string, settings: object = {}): Promise<RunningPipeline> {
  const {system, context} = await openSystem(dataDir, settings)
  const feed = {channels: ['trade' as const], symbols: 'all' as const, url: sim.url}
  const stages: Stage[] = [system.ingest('upbit', 'upbit', feed), await system.store('sink.store', ['market.trade'])]
  let failure: unknown
  const ended = runStages(stages, context.signal, context).catch((error: unknown) => {
    failure = error
  })
  const stop = async () => {
    context.abort()
    await ended
  }
  onTestFinished(stop)
  const stored = async () => {
    const reader = openMarketReader({path: system.paths.store}, context)
    await reader.connect()
    try {
      const all = (await Array.fromAsync(tradesInStore(reader))).map(({id}) => id)
      const ids = new Set(all)
      return {ids, repeated: all.length - ids.size}
    } finally {
      await reader.close()
    }
  }
  return {system, context, failure: () => failure, stop, stored}
}

/** The ids of all trades that the simulator made. */
export function ledgerRecordIds(sim: Simulator): Set<string> {
  return new Set(
    [...sim.ledger.trades()].map(({market, sequentialId}) => `trade:upbit:${market.split('-').reverse().join('-')}:${sequentialId}`),
  )
}

/** Every message of a topic; none where there is no such topic. */
export async function messagesOf({bus}: System, topic: string): Promise<BusMessage[]> {
  if (!(await bus.listTopics()).includes(topic)) return []
  const {offsets} = await bus.describeTopic(topic)
  const messages: BusMessage[] = []
  for (const {partition, earliest, latest} of offsets) {
    for (let offset = earliest; offset < latest; ) {
      const page = await bus.read({topic, partition, offset}, 10_000)
      messages.push(...page)
      offset = (page.at(-1)?.offset ?? latest) + 1
    }
  }
  return messages
}
