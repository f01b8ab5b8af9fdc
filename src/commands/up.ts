import {ConfigCommand} from '../lib/cli/config-command.ts'
import {endlessFlags} from '../lib/cli/flags.ts'
import {configFlags} from '../lib/config/flags.ts'
import {describeRun, type RunSummary} from '../lib/pipeline/run.ts'
import {runUp} from '../lib/pipeline/up.ts'

export default class Up extends ConfigCommand {
  static override summary = 'Run every pipeline of the config in one process.'
  static override description =
    `Sources, candles, sinks and the live page. On Ctrl-C the sources stop first, and each later part when it has caught up.
The same parts run alone, each as a process of its own: coinpipe ingest, coinpipe aggregate candles, coinpipe sink store, coinpipe serve.`
  static override examples = [
    {description: 'What coinpipe.yaml of this folder says', command: '<%= config.bin %> <%= command.id %>'},
    {
      description: 'Another config and data folder, for one hour',
      command: '<%= config.bin %> <%= command.id %> --config market.yaml --data-dir ./data --for 1h',
    },
  ]
  static override flags = {...configFlags, ...endlessFlags}

  async run(): Promise<RunSummary> {
    const {flags, metadata} = await this.parse(Up)
    const {config, context} = await this.startWithLocalCassandra(flags, metadata)
    const onListening = (url: string) => {
      if (!this.jsonEnabled()) this.logToStderr(`live page: ${url}`)
    }
    const summary = await runUp(config, {count: flags.count, onListening}, context)
    if (!this.jsonEnabled()) for (const line of describeRun(summary)) this.logToStderr(line)
    return summary
  }
}
