import {Flags} from '@oclif/core'
import {ConfigCommand} from '../../lib/cli/config-command.ts'
import {endlessFlags, metricsFlags} from '../../lib/cli/flags.ts'
import {configFlags} from '../../lib/config/flags.ts'
import {withMetrics} from '../../lib/pipeline/metrics.ts'
import {runCandleBuilder} from '../../lib/pipeline/parts.ts'
import {describeRun, type RunSummary} from '../../lib/pipeline/run.ts'

export default class AggregateCandles extends ConfigCommand {
  static override summary = 'Build candles from trades, exactly once.'
  static override description =
    `Reads market.trade and publishes to market.candle: 1 s to 1 d by event time, UTC boundaries. A trade counts once by its id; one that is
later than 5 s gives a corrected candle with a higher version. Candles and the offsets of their trades are published in one transaction.`
  static override examples = [
    {description: 'Until Ctrl-C', command: '<%= config.bin %> <%= command.id %>'},
    {description: 'A second process that shares the partitions', command: '<%= config.bin %> <%= command.id %> --instance b'},
  ]
  static override flags = {
    ...configFlags,
    ...endlessFlags,
    ...metricsFlags,
    count: Flags.integer({summary: 'Stop after this many candles, drained, with exit code 0.', min: 1, env: 'COINPIPE_COUNT'}),
    instance: Flags.string({
      summary: 'Name of this member, the same at each start; two processes need two names.',
      default: 'a',
      env: 'COINPIPE_INSTANCE',
    }),
  }

  async run(): Promise<RunSummary> {
    const {flags, metadata} = await this.parse(AggregateCandles)
    const {config, context} = await this.startWithConfig(flags, metadata)
    const summary = await withMetrics(flags, context, () =>
      runCandleBuilder(config, {instance: flags.instance, count: flags.count}, context),
    )
    if (!this.jsonEnabled()) for (const line of describeRun(summary)) this.logToStderr(line)
    return summary
  }
}
