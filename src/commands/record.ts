import {Flags} from '@oclif/core'
import {BaseCommand} from '../lib/cli/base-command.ts'
import {endlessFlags} from '../lib/cli/flags.ts'
import {channelsFlag, exchangeFlag, symbolsFlag, urlFlags} from '../lib/config/exchange-flags.ts'
import {given} from '../lib/core/given.ts'
import {EXCHANGE_IDS} from '../lib/exchanges/registry.ts'
import {createProgress} from '../lib/observability/progress.ts'
import {checkChannels} from '../lib/pipeline/channels.ts'
import {type RecordSummary, recordCapture} from '../lib/pipeline/record.ts'

export default class RecordCommand extends BaseCommand {
  static override summary = 'Write the raw frames of an exchange to a capture.'
  static override description =
    `Every frame as received, with its time, and what was sent to the exchange; gzipped where the name ends in .gz. \`coinpipe decode\` and \`coinpipe replay\` read it. The file must be a new one. Should the process be killed, what is on disk by then stays readable.`
  static override examples = [
    {
      description: 'Trades of one market until Ctrl-C',
      command: '<%= config.bin %> <%= command.id %> --exchange upbit --channels trade --symbols BTC-KRW --out btc.capture.gz',
    },
    {
      description: 'Ten seconds of a local simulator',
      command: '<%= config.bin %> <%= command.id %> --exchange upbit --url ws://127.0.0.1:9001/websocket/v1 --out sim.capture.gz --for 10s',
    },
  ]
  static override flags = {
    ...endlessFlags,
    ...urlFlags,
    exchange: Flags.string({...exchangeFlag(EXCHANGE_IDS), required: true}),
    channels: channelsFlag,
    symbols: symbolsFlag,
    out: Flags.file({summary: 'File to write.', required: true, env: 'COINPIPE_OUT'}),
  }

  async run(): Promise<RecordSummary> {
    const {flags} = await this.parse(RecordCommand)
    const context = this.start(flags)
    const {exchange, out: path, count: maxRecords} = flags
    const feed = {
      channels: checkChannels(exchange, flags.channels.split(',')),
      symbols: flags.symbols?.split(',') ?? ('all' as const),
      ...given({url: flags.url, restUrl: flags['rest-url']}),
    }
    let totals = {frames: 0, bytes: 0, records: 0}
    const read = () => ({totals})
    const progress = createProgress({stream: context.status, clock: context.clock, read, enabled: !this.jsonEnabled()})
    const onProgress = ({frames, bytes, records}: RecordSummary) => {
      totals = {frames, bytes, records}
    }
    const summary = await recordCapture({exchange, feed, path, maxRecords, onProgress}, context).finally(() => progress.stop())
    if (!this.jsonEnabled()) this.logToStderr(`${summary.frames} frames with ${summary.records} records written to ${path}`)
    return summary
  }
}
