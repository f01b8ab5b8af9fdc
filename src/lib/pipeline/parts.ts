/** The parts of a pipeline as processes of their own: what `coinpipe up` runs in one. */

import type {Config} from '../config/load.ts'
import {InvalidInputError} from '../core/errors.ts'
import {MARKET_TOPICS, RECORD_TOPICS} from '../core/topics.ts'
import type {FeedOptions} from '../exchanges/registry.ts'
import {cassandraSettings} from './cassandra.ts'
import {checkChannels} from './channels.ts'
import {prepareDataFolder} from './data-folder.ts'
import type {CaughtUp} from './lag-monitor.ts'
import {type RunContext, type RunSummary, runToEnd} from './run.ts'
import type {Stage} from './stages.ts'
import {System} from './system.ts'

export interface IngestAloneOptions {
  /** Exchange id. */
  readonly exchange: string
  /** Default: the exchange. */
  readonly name?: string | undefined
  readonly channels: readonly string[]
  /** Default: all that the exchange lists. */
  readonly symbols?: FeedOptions['symbols'] | undefined
  readonly feed: Omit<FeedOptions, 'channels' | 'symbols'>
  readonly count?: number | undefined
}

export function runIngestAlone(config: Config, options: IngestAloneOptions, context: RunContext): Promise<RunSummary> {
  const {exchange, name = exchange, symbols = 'all', count} = options
  const feed: FeedOptions = {...options.feed, symbols, channels: checkChannels(exchange, options.channels)}
  return runAlone(config, (system) => system.ingest(name, exchange, feed), count, context)
}

export interface StoreSinkOptions {
  readonly group: string
  /** Default: all market topics. */
  readonly topics?: readonly string[] | undefined
  readonly count?: number | undefined
}

export async function runStoreSink(
  config: Config,
  {group, topics = MARKET_TOPICS, count}: StoreSinkOptions,
  context: RunContext,
): Promise<RunSummary> {
  const unknown = topics.find((topic) => !MARKET_TOPICS.includes(topic))
  if (unknown !== undefined) {
    throw new InvalidInputError(`'${unknown}' is not a topic that the store takes`, {
      remedy: [`--topics takes ${MARKET_TOPICS.join(', ')}`],
    })
  }
  return runAlone(config, (system) => system.store(group, topics), count, context)
}

export interface CassandraSinkOptions {
  /** Name of the sink in the config; default: the only one of its kind. */
  readonly sink?: string | undefined
  /** Default: `sink.` and the name of the sink. */
  readonly group?: string | undefined
  /** Default: all market topics. */
  readonly topics?: readonly string[] | undefined
  /** Name of this member that stays the same over restarts. */
  readonly instance?: string | undefined
  readonly count?: number | undefined
  readonly catchUp: boolean
  readonly skipExpired: boolean
  /** End once the group has caught up. */
  readonly untilCaughtUp: boolean
}

export async function runCassandraSink(config: Config, options: CassandraSinkOptions, context: RunContext): Promise<RunSummary> {
  const {topics = MARKET_TOPICS, instance: instanceId, catchUp, skipExpired, untilCaughtUp, count} = options
  const found = cassandraSettings(config, options)
  const settings = {...found, write: {...found.write, catchUp, skipExpired}}
  const {name} = settings
  const onCaughtUp = (after: CaughtUp) => {
    sayCaughtUp(name, after, context)
    if (untilCaughtUp) context.stop('caught up')
  }
  const create = async (system: System) => {
    await checkTopics(topics, system)
    const stage = {component: 'cassandra', settings, group: options.group ?? `sink.${name}`, topics, instanceId}
    return await system.cassandra({...stage, ...(catchUp || untilCaughtUp ? {onCaughtUp} : {})})
  }
  return await runAlone(config, create, count, context)
}

function sayCaughtUp(sink: string, {records, seconds}: CaughtUp, {logger}: RunContext): void {
  logger.info({sink, records, seconds: round(seconds), perSecond: Math.round(records / Math.max(seconds, 0.001))}, 'caught up')
}

function round(seconds: number): number {
  return Math.round(seconds * 10) / 10
}

/** Any topic may hold records that somebody copied there, but only if it is there: else it is a slip. */
async function checkTopics(topics: readonly string[], {bus}: System): Promise<void> {
  const known = new Set([...RECORD_TOPICS, ...(await bus.listTopics())])
  const unknown = topics.find((topic) => !known.has(topic))
  if (unknown === undefined) return
  throw new InvalidInputError(`there is no topic '${unknown}'`, {
    remedy: [`--topics takes ${RECORD_TOPICS.join(', ')}, and others that the bus has`],
  })
}

export interface CandleBuilderOptions {
  readonly instance: string
  readonly count?: number | undefined
}

export function runCandleBuilder(config: Config, {instance, count}: CandleBuilderOptions, context: RunContext): Promise<RunSummary> {
  return runAlone(config, (system) => system.candles(instance), count, context)
}

/** A part alone doesn't wait until it has caught up: others may go on publishing for ever. */
async function runAlone(
  config: Config,
  create: (system: System) => Stage | Promise<Stage>,
  count: number | undefined,
  context: RunContext,
): Promise<RunSummary> {
  prepareDataFolder(config.dataDir)
  const system = await System.open(config, context)
  try {
    const {caughtUp: _caughtUp, ...stage} = await create(system)
    return await runToEnd([stage], count, context)
  } finally {
    await system.close()
  }
}
