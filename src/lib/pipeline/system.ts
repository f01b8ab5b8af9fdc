import type {Config} from '../config/load.ts'
import type {Context} from '../core/context.ts'
import {type CoinpipeError, UnsupportedError} from '../core/errors.ts'
import {given} from '../core/given.ts'
import type {Health} from '../core/health.ts'
import type {Bus, BusAdmin} from '../core/ports/bus.ts'
import type {Checkpoints} from '../core/ports/checkpoints.ts'
import type {Component} from '../core/ports/component.ts'
import type {Sink} from '../core/ports/sink.ts'
import {createRouter, type Router} from '../core/router.ts'
import {defaultTopicConfig} from '../core/topics.ts'
import type {FeedOptions} from '../exchanges/registry.ts'
import {EmbeddedCheckpoints} from '../store/checkpoints/embedded-checkpoints.ts'
import {createEmbeddedStore} from '../store/embedded/sink.ts'
import {createBus} from './bus.ts'
import {runCandles} from './candles.ts'
import type {CassandraSettings} from './cassandra.ts'
import {groupCaughtUp, sinkCaughtUp} from './caught-up.ts'
import {runExchangePipeline} from './exchange-pipeline.ts'
import {type CaughtUp, LagMonitor} from './lag-monitor.ts'
import {Outage} from './outage.ts'
import {type DataPaths, dataPaths} from './paths.ts'
import {retrying} from './retry.ts'
import {runSink, type SinkRunOptions} from './sink.ts'
import type {Stage} from './stages.ts'

export interface SystemContext extends Context {
  readonly health: Health
}

export interface CassandraStageOptions {
  /** Metrics label, and the name in health. */
  readonly component: string
  readonly settings: CassandraSettings
  readonly group: string
  readonly topics: readonly string[]
  /** Name of this member that stays the same over restarts, where the bus has static membership. */
  readonly instanceId?: string | undefined
  /** Told once, when the group has caught up for the first time. */
  readonly onCaughtUp?: ((after: CaughtUp) => void) | undefined
}

interface SinkStageOptions extends Pick<SinkRunOptions, 'sink' | 'group' | 'topics' | 'component' | 'instanceId'> {
  readonly onCaughtUp?: (after: CaughtUp) => void
}

/**
 * The parts that a config asks for, opened once and shared by the stages of a process. Stages are made here and nowhere else, so that `up`, `demo` and the
 * single commands run the same parts.
 */
export class System {
  readonly bus: Bus & BusAdmin
  readonly paths: DataPaths
  readonly #config: Config
  readonly #context: SystemContext
  readonly #router: Router
  readonly #opened: Component[] = []

  private constructor(config: Config, context: SystemContext) {
    this.#config = config
    this.#context = context
    this.paths = dataPaths(config.dataDir)
    this.#router = createRouter({topics: config.topics, groups: config.groups})
    this.bus = createBus(config, context)
  }

  /** Opens the bus and makes sure of the topics that the config names. */
  static async open(config: Config, context: SystemContext): Promise<System> {
    const system = new System(config, context)
    try {
      await system.#open(system.bus, 'bus')
      for (const [topic, settings] of Object.entries(config.topics)) await system.bus.ensureTopic(topic, settings)
      return system
    } catch (error) {
      await system.close()
      throw error
    }
  }

  /** One exchange → bus. */
  ingest(name: string, exchange: string, feed: FeedOptions): Stage {
    const {bus, paths} = this
    const {health} = this.#context
    const spillMaxBytes = this.#config.spill.maxBytes
    const options = {name, exchange, feed, bus, admin: bus, router: this.#router, paths, health, spillMaxBytes}
    return {name: `ingest ${name}`, component: exchange, run: (signal) => runExchangePipeline(options, signal, this.#context)}
  }

  /** Trades on the bus → candles on the bus. Rejects with UnsupportedError where the bus has no transactions. */
  async candles(instance: string): Promise<Stage> {
    if (!this.bus.capabilities.transactions) throw noCandles()
    const group = 'candles'
    const checkpoints: Checkpoints = new EmbeddedCheckpoints({path: this.paths.checkpoints})
    await this.#open(checkpoints, 'checkpoints')
    const {intervals} = this.#config.aggregate.candles
    const options = {bus: this.bus, admin: this.bus, checkpoints, group, instance, intervals, partitionOf: this.#router.partitionOf}
    return {
      name: 'candles',
      component: 'candles',
      run: (signal) => runCandles(options, signal, this.#context),
      caughtUp: (deadline) => groupCaughtUp(this.bus, group, deadline, this.#context.clock),
    }
  }

  /** The embedded store, fed from the topics by one consumer group. */
  async store(group: string, topics: readonly string[]): Promise<Stage> {
    // A data folder has one store, so a config names one at most.
    const settings = Object.values(this.#config.sinks).find((sink) => sink.kind === 'store')
    const sink: Sink = createEmbeddedStore({path: this.paths.store, ...given({retention: settings?.retention})}, this.#context)
    await this.#open(sink, 'store')
    return this.#sinkStage({sink, group, topics, component: 'store'})
  }

  /** Tables in Cassandra, fed from the topics by a consumer group whose members share the partitions. */
  async cassandra({component, settings, group, topics, instanceId, onCaughtUp}: CassandraStageOptions): Promise<Stage> {
    // Loaded only now: most commands have no use for it.
    const {createCassandraSink} = await import('../store/cassandra/sink.ts')
    const sink = createCassandraSink(settings.options, settings.tables, settings.write, this.#context)
    await this.#ensure(topics)
    const outage = new Outage(component, this.#context, this.#context.health)
    await this.#open(sink, component, (error) => outage.failed(sink, error))
    outage.succeeded(sink)
    const caughtUp = (after: CaughtUp) => {
      sink.endCatchUp?.()
      onCaughtUp?.(after)
    }
    const isAwaited = settings.write.catchUp || onCaughtUp !== undefined
    return this.#sinkStage({sink, group, topics, component, ...given({instanceId, onCaughtUp: isAwaited ? caughtUp : undefined})})
  }

  #sinkStage({onCaughtUp, ...parts}: SinkStageOptions): Stage {
    const {bus} = this
    const {health, clock} = this.#context
    const {sink, group, topics, component} = parts
    const lag = new LagMonitor({admin: bus, group, component, onCaughtUp}, this.#context)
    return {
      name: group,
      component,
      lag,
      run: async (signal) => {
        const ended = new AbortController()
        void lag.run(AbortSignal.any([signal, ended.signal]))
        await runSink({bus, admin: bus, health, ...parts}, signal, this.#context).finally(() => ended.abort())
      },
      caughtUp: (deadline) => sinkCaughtUp({admin: bus, sink, group, topics}, deadline, clock),
    }
  }

  /** Topics that the config does not name are made as usual, where they are missing. */
  async #ensure(topics: readonly string[]): Promise<void> {
    const known = new Set([...Object.keys(this.#config.topics), ...(await this.bus.listTopics())])
    for (const topic of topics) if (!known.has(topic)) await this.bus.ensureTopic(topic, defaultTopicConfig(topic))
  }

  /** Closes what was opened, last first. */
  async close(): Promise<void> {
    for (const component of this.#opened.splice(0).reverse()) await component.close()
  }

  async #open(component: Component, name: string, onFailure?: (error: CoinpipeError) => void): Promise<void> {
    const {health, signal} = this.#context
    health.set(name, 'starting')
    this.#opened.push(component)
    await retrying(() => component.connect(), {component: name, stage: 'connect', signal, ...given({onFailure})}, this.#context)
    health.set(name, 'up')
  }
}

function noCandles(): UnsupportedError {
  return new UnsupportedError('candles are built exactly once, for which this Kafka client has no transactions', {
    remedy: ['use the other client: --kafka-client platformatic', 'or build no candles: --set aggregate.candles.enabled=false'],
  })
}
