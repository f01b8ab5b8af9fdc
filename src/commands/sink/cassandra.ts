import {Flags} from '@oclif/core'
import {cassandraFlags} from '../../lib/cli/cassandra-flags.ts'
import {ConfigCommand} from '../../lib/cli/config-command.ts'
import {duration, endlessFlags, metricsFlags} from '../../lib/cli/flags.ts'
import {sinkTopicsFlag} from '../../lib/cli/topic-flags.ts'
import {CONSISTENCIES} from '../../lib/config/catalogue.ts'
import {configFlags} from '../../lib/config/flags.ts'
import {withMetrics} from '../../lib/pipeline/metrics.ts'
import {runCassandraSink} from '../../lib/pipeline/parts.ts'
import {describeRun, type RunSummary} from '../../lib/pipeline/run.ts'

export default class SinkCassandra extends ConfigCommand {
  static override summary = 'Write records from the bus into Cassandra.'
  static override description =
    `Every record once, however often it is started, killed or run side by side; the bus is told after Cassandra has the rows at the consistency level.
Makes no tables: coinpipe tables create cassandra. Several processes with one --group share the partitions. What Cassandra is called and how it is written to is
in a sink of kind cassandra of the config; each of its settings can be changed by --set sinks.<sink>.<setting>=<value>.`
  static override examples = [
    {description: 'All market topics, to the local cluster', command: '<%= config.bin %> <%= command.id %>'},
    {
      description: 'Trades only, to another cluster',
      command: '<%= config.bin %> <%= command.id %> --topics market.trade --hosts 10.0.0.5,10.0.0.6 --local-datacenter seoul',
    },
    {
      description: 'Work off a backlog as fast as the cluster takes it, leave out what would be gone by now, and end',
      command: '<%= config.bin %> <%= command.id %> --catch-up --skip-expired --until-caught-up',
    },
  ]
  static override flags = {
    ...configFlags,
    ...cassandraFlags,
    ...endlessFlags,
    ...metricsFlags,
    topics: sinkTopicsFlag,
    group: Flags.string({
      summary: 'Consumer group; members of one group share the partitions. Default: sink.<sink>, for example sink.cassandra.',
      env: 'COINPIPE_GROUP',
    }),
    instance: Flags.string({
      summary: 'Name of this member: under the same name it has its partitions again at once after a crash. Two processes need two names.',
      env: 'COINPIPE_INSTANCE',
    }),
    'catch-up': Flags.boolean({
      summary: 'Larger batches, and as many at once as the cluster takes, until the lag is worked off; latency comes second.',
      default: false,
      env: 'COINPIPE_CATCH_UP',
    }),
    'skip-expired': Flags.boolean({
      summary: 'Give each row what is left of its time to live since it came onto the bus, and leave out those with nothing left.',
      default: false,
      env: 'COINPIPE_SKIP_EXPIRED',
    }),
    'until-caught-up': Flags.boolean({
      summary: 'Stop once the lag is worked off, with exit code 0.',
      default: false,
      env: 'COINPIPE_UNTIL_CAUGHT_UP',
    }),
    consistency: Flags.string({
      summary: `Replicas that must have a row before it counts as written: ${CONSISTENCIES.join(', ')}.`,
      env: 'COINPIPE_CONSISTENCY',
    }),
    linger: duration({summary: 'Longest wait for more rows of the same partition.', env: 'COINPIPE_LINGER'}),
    'batch-rows': Flags.integer({summary: 'Most rows of one partition in one request.', min: 1, env: 'COINPIPE_BATCH_ROWS'}),
  }

  async run(): Promise<RunSummary> {
    const {flags, metadata} = await this.parse(SinkCassandra)
    const {linger} = flags
    const short = {...flags, ...(linger === undefined ? {} : {linger: `${linger}ms`})}
    const {config, context} = await this.startWithCassandra(short, metadata)
    const {sink, group, instance, count} = flags
    const [catchUp, skipExpired, untilCaughtUp] = [flags['catch-up'], flags['skip-expired'], flags['until-caught-up']]
    const options = {sink, group, instance, count, topics: flags.topics?.split(','), catchUp, skipExpired, untilCaughtUp}
    const summary = await withMetrics(flags, context, () => runCassandraSink(config, options, context))
    if (!this.jsonEnabled()) for (const line of describeRun(summary)) this.logToStderr(line)
    return summary
  }
}
