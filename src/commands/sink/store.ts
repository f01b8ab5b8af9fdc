import {Flags} from '@oclif/core'
import {ConfigCommand} from '../../lib/cli/config-command.ts'
import {endlessFlags, metricsFlags} from '../../lib/cli/flags.ts'
import {sinkTopicsFlag} from '../../lib/cli/topic-flags.ts'
import {configFlags} from '../../lib/config/flags.ts'
import {withMetrics} from '../../lib/pipeline/metrics.ts'
import {runStoreSink} from '../../lib/pipeline/parts.ts'
import {describeRun, type RunSummary} from '../../lib/pipeline/run.ts'

export default class SinkStore extends ConfigCommand {
  static override summary = 'Write records from the bus into the embedded store.'
  static override description =
    'Trades, latest books and tickers, candles and gaps, each once, however often it is started, killed or run side by side. Reading goes on where the store itself says it stopped.'
  static override examples = [
    {description: 'All market topics', command: '<%= config.bin %> <%= command.id %>'},
    {description: 'Trades only, for ten minutes', command: '<%= config.bin %> <%= command.id %> --topics market.trade --for 10m'},
  ]
  static override flags = {
    ...configFlags,
    ...endlessFlags,
    ...metricsFlags,
    topics: sinkTopicsFlag,
    group: Flags.string({
      summary: 'Consumer group; members of one group share the partitions.',
      default: 'sink.store',
      env: 'COINPIPE_GROUP',
    }),
  }

  async run(): Promise<RunSummary> {
    const {flags, metadata} = await this.parse(SinkStore)
    const {config, context} = await this.startWithConfig(flags, metadata)
    const summary = await withMetrics(flags, context, () =>
      runStoreSink(config, {group: flags.group, topics: flags.topics?.split(','), count: flags.count}, context),
    )
    if (!this.jsonEnabled()) for (const line of describeRun(summary)) this.logToStderr(line)
    return summary
  }
}
