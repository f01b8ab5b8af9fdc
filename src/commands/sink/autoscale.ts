import {availableParallelism} from 'node:os'
import {Args, Flags} from '@oclif/core'
import {cassandraFlags, cassandraFlagValues} from '../../lib/cli/cassandra-flags.ts'
import {ConfigCommand} from '../../lib/cli/config-command.ts'
import {duration, endlessFlags, metricsFlags} from '../../lib/cli/flags.ts'
import {forwardFlags, splitArguments} from '../../lib/cli/forward-flags.ts'
import {ownProgram} from '../../lib/cli/supervised.ts'
import {sinkTopicsFlag} from '../../lib/cli/topic-flags.ts'
import {checkWorkerArguments, refuseFlags, workerEnv} from '../../lib/cli/worker-arguments.ts'
import {configFlags} from '../../lib/config/flags.ts'
import {formatDuration} from '../../lib/core/duration.ts'
import {MARKET_TOPICS} from '../../lib/core/topics.ts'
import {limitsOf} from '../../lib/pipeline/autoscale/limits.ts'
import {
  type Manifest,
  METRICS_PORT,
  manifestText,
  RENDERINGS,
  type RenderOptions,
  renderKubernetes,
} from '../../lib/pipeline/autoscale/render.ts'
import {type AutoscaleSummary, describeAutoscale, runAutoscale} from '../../lib/pipeline/autoscale/run.ts'
import {cassandraSettings} from '../../lib/pipeline/cassandra.ts'
import {withMetrics} from '../../lib/pipeline/metrics.ts'

const SINKS = ['store', 'cassandra'] as const
const CASSANDRA_FLAGS = Object.keys(cassandraFlags)
/** Workers take these as they are given here. */
const SHARED_FLAGS = ['set', 'kafka-client', 'durable', 'topics', 'log-level']
/** These too, but for pods they are said in another way. */
const LOCAL_FLAGS = ['config', 'bus', 'brokers', 'data-dir']
/** A worker has one thread that works and some that wait for locks and disks. */
const WORKERS_PER_CORE = 2
/** From being told to stop to being killed, beyond the workers' own drain deadline. */
const KILL_GRACE_MS = 2000

const LOOPBACK = /^(?:127\.|localhost:|\[::1\])/

export default class SinkAutoscale extends ConfigCommand {
  static override summary = 'Run as many processes of a sink as its lag needs.'
  static override description =
    `Starts workers while the lag of their group would not be gone within --target-lag, and takes them away again, one after the other, once it is next to
nothing for --cool-down and the others can carry what comes in. Never more than partitions. A worker that dies is started again; all end with this
process. What stands behind -- goes to the workers. With --render nothing is started: Kubernetes is told to do the same.`
  static override examples = [
    {
      description: 'One to six workers that write to Cassandra and skip what has expired',
      command: '<%= config.bin %> <%= command.id %> cassandra --bus kafka --max 6 -- --skip-expired',
    },
    {
      description: 'The same on Kubernetes',
      command: '<%= config.bin %> <%= command.id %> cassandra --bus kafka --brokers kafka:9092 --max 6 --render keda',
    },
  ]
  static override args = {sink: Args.string({description: 'The sink.', options: [...SINKS], required: true})}
  static override flags = {
    ...configFlags,
    ...cassandraFlags,
    for: endlessFlags.for,
    'drain-timeout': endlessFlags['drain-timeout'],
    ...metricsFlags,
    topics: sinkTopicsFlag,
    group: Flags.string({summary: 'Consumer group of the workers; default: sink. and the name of the sink.', env: 'COINPIPE_GROUP'}),
    min: Flags.integer({summary: 'Fewest workers.', min: 1, default: 1, env: 'COINPIPE_MIN'}),
    max: Flags.integer({
      summary: 'Most workers; default: as many as partitions, here at most two for each core.',
      min: 1,
      env: 'COINPIPE_MAX',
    }),
    'target-lag': duration({
      summary: 'Lag that is gone within this needs no more workers.',
      default: 30_000,
      env: 'COINPIPE_TARGET_LAG',
    }),
    stabilize: duration({
      summary: 'How long lag must be too high before there are more workers; least time between two changes.',
      default: 15_000,
      env: 'COINPIPE_STABILIZE',
    }),
    'cool-down': duration({
      summary: 'How long lag must be next to nothing before there is a worker less.',
      default: 120_000,
      env: 'COINPIPE_COOL_DOWN',
    }),
    interval: duration({summary: 'From one look at the lag to the next.', default: 1000, env: 'COINPIPE_INTERVAL'}),
    render: Flags.option({
      summary: 'Print what Kubernetes needs to do the same, for KEDA or for its own autoscaler (hpa), and end.',
      options: RENDERINGS,
      env: 'COINPIPE_RENDER',
    })(),
    'lag-per-worker': Flags.integer({
      summary: 'With --render: records that one worker gets done within --target-lag.',
      min: 1,
      default: 100_000,
      env: 'COINPIPE_LAG_PER_WORKER',
    }),
    image: Flags.string({
      summary: 'With --render: container image; default: one named after this version.',
      helpValue: '<image>',
      env: 'COINPIPE_IMAGE',
    }),
  }

  async run(): Promise<AutoscaleSummary | readonly Manifest[]> {
    const {own, rest} = splitArguments(this.argv)
    const {args, flags, metadata, raw} = await this.parse(SinkAutoscale, own)
    checkWorkerArguments(rest)
    const isCassandra = args.sink === 'cassandra'
    if (!isCassandra) refuseFlags(raw, CASSANDRA_FLAGS, args.sink)
    const {config, context} = await this.startWithConfig(flags, metadata, isCassandra ? cassandraFlagValues(flags) : undefined)
    const group = flags.group ?? `sink.${isCassandra ? cassandraSettings(config, flags).name : args.sink}`
    const topics = flags.topics?.split(',') ?? MARKET_TOPICS
    // Pods are on other machines.
    const mostHere = flags.render === undefined ? WORKERS_PER_CORE * availableParallelism() : Number.POSITIVE_INFINITY
    const limits = limitsOf(flags, config, topics, mostHere)
    const shared = forwardFlags(flags, metadata, [...SHARED_FLAGS, ...(isCassandra ? CASSANDRA_FLAGS : [])])
    const command = ['sink', args.sink, `--group=${group}`, `--drain-timeout=${formatDuration(flags['drain-timeout'])}`, ...shared]
    const common = {kind: args.sink, group, limits}
    if (flags.render !== undefined) {
      return await this.print({
        ...common,
        rendering: flags.render,
        topics,
        bus: config.bus,
        lagPerWorker: flags['lag-per-worker'],
        drainMs: flags['drain-timeout'],
        image: flags.image ?? `coinpipe:${this.config.version}`,
        args: [...command, ...rest],
        hasConfig: flags.config !== undefined,
        metrics: {
          port: flags['metrics-port'] ?? METRICS_PORT,
          host: metadata.flags['metrics-host']?.setFromDefault ? '0.0.0.0' : flags['metrics-host'],
        },
      })
    }
    const {program, args: start} = ownProgram()
    const local = forwardFlags(flags, metadata, LOCAL_FLAGS)
    const workers = {program, args: [...start, ...command, ...local, '--json', '--log-format=json', ...rest], env: workerEnv(process.env)}
    const drainMs = flags['drain-timeout'] + KILL_GRACE_MS
    const scaling = {...common, intervalMs: flags.interval, drainMs, command: workers}
    const summary = await withMetrics(flags, context, () => runAutoscale(config, scaling, context))
    if (!this.jsonEnabled()) for (const line of describeAutoscale(summary)) this.logToStderr(line)
    return summary
  }

  private async print(options: RenderOptions): Promise<readonly Manifest[]> {
    const manifests = renderKubernetes(options)
    const local = options.bus.brokers.filter((broker) => LOOPBACK.test(broker))
    if (local.length > 0) this.logToStderr(`! pods cannot reach brokers of this machine (${local.join(', ')}): name others with --brokers`)
    if (!this.jsonEnabled()) await this.write(manifestText(manifests))
    return manifests
  }
}
