/** The parts of a pipeline as processes of their own: what `coinpipe up` runs in one. */

import type {Config} from '../config/load.ts'
import {InvalidInputError} from '../core/errors.ts'
import {MARKET_TOPICS} from '../core/topics.ts'
import type {FeedOptions} from '../exchanges/registry.ts'
import {checkChannels} from './channels.ts'
import {prepareDataFolder} from './data-folder.ts'
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
    const {name, component, run} = await create(system)
    return await runToEnd([{name, run, ...(component === undefined ? {} : {component})}], count, context)
  } finally {
    await system.close()
  }
}
