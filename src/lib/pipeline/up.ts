import {hostname} from 'node:os'
import type {Config} from '../config/load.ts'
import {InvalidInputError} from '../core/errors.ts'
import {given} from '../core/given.ts'
import {channelTopic, MARKET_TOPICS, TOPICS} from '../core/topics.ts'
import type {FeedOptions} from '../exchanges/registry.ts'
import {cassandraReader, cassandraSettings} from './cassandra.ts'
import {prepareDataFolder} from './data-folder.ts'
import {type RunContext, type RunSummary, runToEnd} from './run.ts'
import {servePage} from './serve.ts'
import type {Stage} from './stages.ts'
import {System} from './system.ts'

export interface UpOptions {
  readonly count?: number | undefined
  /** The page's address, as soon as it is served. */
  readonly onListening?: (url: string) => void
}

type Pipeline = Config['pipelines'][number]

/** Every pipeline of the config in one process: sources, candles, sinks and the page, stopped in that order, each when it has caught up. */
export async function runUp(config: Config, options: UpOptions, context: RunContext): Promise<RunSummary> {
  if (config.pipelines.length === 0) {
    throw new InvalidInputError('the config has no pipelines, so there is nothing to run', {
      remedy: ['add one under `pipelines:` in coinpipe.yaml, or see it all work without a config: coinpipe demo'],
    })
  }
  prepareDataFolder(config.dataDir)
  const system = await System.open(config, context)
  try {
    const stages = await createStages(config, system, options, context)
    return await runToEnd(stages, options.count, context)
  } finally {
    await system.close()
  }
}

async function createStages(config: Config, system: System, options: UpOptions, context: RunContext): Promise<Stage[]> {
  const sources = config.pipelines.flatMap(({name, source}) => (source ? [system.ingest(name, source.exchange, feedOf(source))] : []))
  const hasTrades = config.pipelines.some((pipeline) => topicsOf(pipeline, false).includes(TOPICS.trade))
  const buildsCandles = config.aggregate.candles.enabled && hasTrades
  const candles = buildsCandles ? [await system.candles(instanceOf(config))] : []
  const sinks = await sinkStages(config, system, buildsCandles)
  return [...sources, ...candles, ...sinks, ...(sinks.length > 0 ? [await page(config, system, options, context)] : [])]
}

async function sinkStages(config: Config, system: System, buildsCandles: boolean): Promise<Stage[]> {
  const used = usedSinks(config)
  const isOnlyOne = used.filter((name) => config.sinks[name]?.kind === 'cassandra').length === 1
  const stages: Stage[] = []
  for (const name of used) {
    const pipelines = config.pipelines.filter(({sinks}) => sinks.includes(name))
    const topics = [...new Set(pipelines.flatMap((pipeline) => topicsOf(pipeline, buildsCandles)))]
    const group = `sink.${name}`
    if (config.sinks[name]?.kind === 'store') {
      stages.push(await system.store(group, topics))
    } else {
      const settings = cassandraSettings(config, {sink: name})
      stages.push(await system.cassandra({component: isOnlyOne ? 'cassandra' : name, settings, group, topics}))
    }
  }
  return stages
}

/** Sinks that pipelines write to. */
function usedSinks({pipelines, sinks}: Config): string[] {
  return Object.keys(sinks).filter((name) => pipelines.some((pipeline) => pipeline.sinks.includes(name)))
}

/** On Kafka the servers of a team share the group of candles, each under its own name; an embedded log belongs to one folder. */
function instanceOf({bus}: Config): string {
  return bus.kind === 'kafka' ? `up-${hostname()}` : 'up'
}

/** What a pipeline's sinks read. */
function topicsOf({topics, source}: Pipeline, withCandles: boolean): string[] {
  if (topics) return topics
  const own = source ? source.channels.map(channelTopic) : [...MARKET_TOPICS]
  return withCandles ? [...own, TOPICS.candle] : own
}

function feedOf({kind: _kind, exchange: _exchange, channels, symbols, ...rest}: NonNullable<Pipeline['source']>): FeedOptions {
  return {channels, symbols, ...given(rest)}
}

/** Of the store where there is one, else of Cassandra. */
async function page(config: Config, {paths}: System, {onListening}: UpOptions, context: RunContext): Promise<Stage> {
  const used = usedSinks(config)
  const [first] = used
  const hasStore = used.some((name) => config.sinks[name]?.kind === 'store')
  const reader = hasStore || first === undefined ? undefined : await cassandraReader(cassandraSettings(config, {sink: first}), context)
  return {name: 'page', run: (signal) => servePage({...config.serve, paths, reader, onListening}, context, signal)}
}
