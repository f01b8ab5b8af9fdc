import {Flags} from '@oclif/core'
import {BaseCommand} from '../lib/cli/base-command.ts'
import {endlessFlags} from '../lib/cli/flags.ts'
import {serverFlags} from '../lib/config/exchange-flags.ts'
import {EXIT} from '../lib/core/errors.ts'
import {type DemoSummary, runDemo} from '../lib/pipeline/demo.ts'

export default class Demo extends BaseCommand {
  static override summary = 'See a live coin market with nothing installed: a SIMULATED exchange, the log, the store and the page.'
  static override description =
    `Starts a simulated exchange, collects it over a real websocket into the embedded log and store, builds candles and serves the live page.
At the end every trade is counted: sent, logged, stored. The data folder is fresh and removed again, unless --keep.`
  static override examples = [
    {description: 'Until Ctrl-C', command: '<%= config.bin %> <%= command.id %>'},
    {description: 'Half a minute, with the count as one line of JSON', command: '<%= config.bin %> <%= command.id %> --for 30s --json'},
  ]
  static override flags = {
    for: endlessFlags.for,
    'drain-timeout': endlessFlags['drain-timeout'],
    rate: Flags.integer({summary: 'Trades a second.', default: 200, min: 1, env: 'COINPIPE_RATE'}),
    seed: Flags.integer({summary: 'The same seed makes the same market.', default: 1, min: 0, env: 'COINPIPE_SEED'}),
    host: serverFlags.host,
    port: {...serverFlags.port, description: 'Default: 8790, or a free one where that is taken.'},
    keep: Flags.boolean({summary: 'Keep the data, in the data folder.', env: 'COINPIPE_KEEP'}),
  }

  async run(): Promise<DemoSummary> {
    const {flags} = await this.parse(Demo)
    const context = this.start(flags)
    const {rate, seed, host, port} = flags
    const onListening = (url: string) => {
      this.logToStderr(`SIMULATED market, live at ${url}\nCtrl-C ends it and counts every trade.`)
    }
    const summary = await runDemo({rate, seed, host, port, onListening, keepIn: flags.keep ? context.dataDir : undefined}, context)
    if (!this.jsonEnabled()) for (const line of describe(summary)) this.log(line)
    if (summary.lost > 0 || summary.duplicated > 0) this.exitWith(EXIT.wrong)
    return summary
  }
}

function describe({sent, logged, stored, lost, duplicated, url}: DemoSummary): string[] {
  const isWhole = sent === logged && logged === stored && duplicated === 0
  const verdict = isWhole ? `sent = logged = stored: each exactly once` : `lost ${lost}, duplicated ${duplicated}`
  return [`SIMULATED trades: sent ${sent}, logged ${logged}, stored ${stored} (${verdict})`, `live page: ${url}`]
}
