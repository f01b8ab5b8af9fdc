import type {Config} from '../config/load.ts'
import type {Context} from '../core/context.ts'
import {UnsupportedError} from '../core/errors.ts'
import {given} from '../core/given.ts'
import type {Health} from '../core/health.ts'
import type {Bus, BusAdmin} from '../core/ports/bus.ts'
import type {Checkpoints} from '../core/ports/checkpoints.ts'
import type {Component} from '../core/ports/component.ts'
import type {Sink} from '../core/ports/sink.ts'
import {createRouter, type Router} from '../core/router.ts'
import type {FeedOptions} from '../exchanges/registry.ts'
import {EmbeddedCheckpoints} from '../store/checkpoints/embedded-checkpoints.ts'
import {createEmbeddedStore} from '../store/embedded/sink.ts'
import {createBus} from './bus.ts'
import {runCandles} from './candles.ts'
import {groupCaughtUp, sinkCaughtUp} from './caught-up.ts'
import {runExchangePipeline} from './exchange-pipeline.ts'
import {type DataPaths, dataPaths} from './paths.ts'
import {retrying} from './retry.ts'
import {runSink} from './sink.ts'
import type {Stage} from './stages.ts'

export interface SystemContext extends Context {
  readonly health: Health
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
    const options = {bus: this.bus, admin: this.bus, sink, group, topics, component: 'store'}
    return {
      name: group,
      component: 'store',
      run: (signal) => runSink(options, signal, this.#context),
      caughtUp: (deadline) => sinkCaughtUp({admin: this.bus, sink, group, topics}, deadline, this.#context.clock),
    }
  }

  /** Closes what was opened, last first. */
  async close(): Promise<void> {
    for (const component of this.#opened.splice(0).reverse()) await component.close()
  }

  async #open(component: Component, name: string): Promise<void> {
    const {health, signal} = this.#context
    health.set(name, 'starting')
    this.#opened.push(component)
    await retrying(() => component.connect(), {component: name, stage: 'connect', signal}, this.#context)
    health.set(name, 'up')
  }
}

function noCandles(): UnsupportedError {
  return new UnsupportedError('candles are built exactly once, for which this Kafka client has no transactions', {
    remedy: ['use the other client: --kafka-client platformatic', 'or build no candles: --set aggregate.candles.enabled=false'],
  })
}
