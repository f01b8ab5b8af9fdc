import {Flags} from '@oclif/core'
import {ConfigCommand} from '../lib/cli/config-command.ts'
import {endlessFlags, metricsFlags} from '../lib/cli/flags.ts'
import {channelsFlag, exchangeFlag, symbolsFlag, urlFlags} from '../lib/config/exchange-flags.ts'
import {configFlags} from '../lib/config/flags.ts'
import {given} from '../lib/core/given.ts'
import {EXCHANGE_IDS} from '../lib/exchanges/registry.ts'
import {BOOK_DEPTHS, FRAME_FORMATS} from '../lib/exchanges/upbit/limits.ts'
import {withMetrics} from '../lib/pipeline/metrics.ts'
import {runIngestAlone} from '../lib/pipeline/parts.ts'
import {describeRun, type RunSummary} from '../lib/pipeline/run.ts'

export default class Ingest extends ConfigCommand {
  static override summary = 'Collect trades, order books and tickers from an exchange onto the bus.'
  static override description =
    `Keeps the websocket open by itself. What was missed while it was closed, or while this command did not run, is said by gap records and fetched over REST.
While the bus is down records wait on disk, in order. One process per --name.`
  static override examples = [
    {description: 'Two markets of Upbit', command: '<%= config.bin %> <%= command.id %> --exchange upbit --symbols BTC-KRW,ETH-KRW'},
    {
      description: 'A local simulator in place of the exchange, for ten seconds',
      command: '<%= config.bin %> <%= command.id %> --exchange upbit --url ws://127.0.0.1:9001 --for 10s',
    },
  ]
  static override flags = {
    ...configFlags,
    ...endlessFlags,
    ...metricsFlags,
    exchange: Flags.string({...exchangeFlag(EXCHANGE_IDS), required: true}),
    channels: channelsFlag,
    symbols: symbolsFlag,
    ...urlFlags,
    format: Flags.option({
      summary: 'Wire format to ask the exchange for.',
      options: FRAME_FORMATS,
      env: 'COINPIPE_FORMAT',
    })(),
    depth: Flags.option({
      summary: 'Levels of each order book on either side; default: all that the exchange sends.',
      options: BOOK_DEPTHS.map(String),
      env: 'COINPIPE_DEPTH',
    })(),
    connections: Flags.integer({
      summary: 'Websockets that share the markets; default: as many as needed.',
      min: 1,
      env: 'COINPIPE_CONNECTIONS',
    }),
    redundancy: Flags.integer({
      summary: 'Websockets that carry the same markets, so that one may drop; duplicates are left out by id.',
      min: 1,
      env: 'COINPIPE_REDUNDANCY',
    }),
    name: Flags.string({summary: 'Name of this collector: its lock and its spill on disk; default: the exchange.', env: 'COINPIPE_NAME'}),
  }

  async run(): Promise<RunSummary> {
    const {flags, metadata} = await this.parse(Ingest)
    const {config, context} = await this.startWithConfig(flags, metadata)
    const {exchange, name, count, url, format, connections, redundancy} = flags
    const feed = given({
      url,
      restUrl: flags['rest-url'],
      format,
      depth: BOOK_DEPTHS.find((depth) => String(depth) === flags.depth),
      connections,
      redundancy,
    })
    const options = {exchange, name, count, feed, channels: flags.channels.split(','), symbols: flags.symbols?.split(',')}
    const summary = await withMetrics(flags, context, () => runIngestAlone(config, options, context))
    if (!this.jsonEnabled()) for (const line of describeRun(summary)) this.logToStderr(line)
    return summary
  }
}
