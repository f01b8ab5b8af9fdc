import {Flags} from '@oclif/core'
import {ConfigCommand} from '../lib/cli/config-command.ts'
import {endlessFlags} from '../lib/cli/flags.ts'
import {storeFlags} from '../lib/cli/store-flags.ts'
import {serverFlags} from '../lib/config/exchange-flags.ts'
import {configFlags} from '../lib/config/flags.ts'
import {marketReader} from '../lib/pipeline/market-reader.ts'
import {dataPaths} from '../lib/pipeline/paths.ts'
import {servePage} from '../lib/pipeline/serve.ts'

interface ServeSummary {
  /** Where the page was. */
  readonly url: string
}

export default class Serve extends ConfigCommand {
  static override summary = 'Serve the live page, its data, health and metrics from the embedded store or Cassandra.'
  static override description =
    `Reads the store of the data folder, or the tables in Cassandra, whichever process writes them; the page waits for a store that is not there yet.
Paths: / the page, /api/markets|trades|candles|ticker|book the same data as JSON, /events server-sent events, /healthz, /readyz, /metrics.`
  static override examples = [
    {description: 'On this machine only', command: '<%= config.bin %> <%= command.id %>'},
    {
      description: 'For the whole network, on another port, without metrics',
      command: '<%= config.bin %> <%= command.id %> --host 0.0.0.0 --port 8080 --no-metrics',
    },
    {description: 'From Cassandra', command: '<%= config.bin %> <%= command.id %> --store cassandra --hosts 10.0.0.1,10.0.0.2'},
  ]
  static override flags = {
    ...configFlags,
    ...storeFlags,
    for: endlessFlags.for,
    'drain-timeout': endlessFlags['drain-timeout'],
    host: serverFlags.host,
    port: {...serverFlags.port, description: 'Default: 8790, or serve.port of the config.'},
    metrics: Flags.boolean({summary: 'Serve /metrics for Prometheus.', default: true, allowNo: true, env: 'COINPIPE_METRICS'}),
  }

  async run(): Promise<ServeSummary> {
    const {flags, metadata} = await this.parse(Serve)
    const {config, context, choice} = await this.startWithStore(flags, metadata)
    const isHostGiven = metadata.flags.host?.setFromDefault !== true
    let url = ''
    const onListening = (address: string) => {
      url = address
      if (!this.jsonEnabled()) this.logToStderr(`live page: ${url}`)
    }
    await servePage(
      {
        paths: dataPaths(config.dataDir),
        reader: await marketReader(config, choice, context),
        host: isHostGiven ? flags.host : config.serve.host,
        port: flags.port ?? config.serve.port,
        showMetrics: flags.metrics,
        onListening,
      },
      context,
      context.signal,
    )
    return {url}
  }
}
