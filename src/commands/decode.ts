import {Args, Flags} from '@oclif/core'
import {BaseCommand} from '../lib/cli/base-command.ts'
import {exchangeFlag} from '../lib/config/exchange-flags.ts'
import {readCapture, readCaptureFile} from '../lib/core/capture.ts'
import {EXIT} from '../lib/core/errors.ts'
import {EXCHANGE_IDS, findExchange} from '../lib/exchanges/registry.ts'
import {type DecodeSummary, decodeCapture, describeDecode} from '../lib/pipeline/decode.ts'

export default class Decode extends BaseCommand {
  static override summary = 'Turn a capture into records, offline.'
  static override description =
    `Prints one record per line as JSON, in the order of the capture, and a summary on stderr (with --json: as the last line of stdout).
Reads what \`coinpipe record\` wrote and captures of cryptofeed, gzipped or plain. A frame that cannot be used is counted and reported with its line; all others are printed and the exit code is 1.`
  static override examples = [
    {
      description: 'The trades of a capture',
      command: '<%= config.bin %> <%= command.id %> upbit.capture.gz --exchange upbit | grep \'"type":"trade"\'',
    },
    {
      description: 'From stdin, each record once',
      command: 'cat upbit.capture | <%= config.bin %> <%= command.id %> - --exchange upbit --dedup',
    },
  ]
  static override args = {
    file: Args.string({description: 'Capture to read; - is stdin.', required: true}),
  }
  static override flags = {
    exchange: Flags.string({...exchangeFlag(EXCHANGE_IDS), required: true}),
    dedup: Flags.boolean({summary: 'Leave out records whose id was among the last million.', env: 'COINPIPE_DEDUP'}),
  }

  async run(): Promise<DecodeSummary> {
    const {args, flags} = await this.parse(Decode)
    const {signal} = this.start(flags)
    const decoder = findExchange(flags.exchange).createDecoder()
    const entries = args.file === '-' ? readCapture(process.stdin, 'stdin', signal) : readCaptureFile(args.file, signal)
    const summary = await decodeCapture({entries, decoder, dedup: flags.dedup, write: (lines) => this.write(lines)})
    if (!this.jsonEnabled()) for (const line of describeDecode(summary)) this.logToStderr(line)
    if (summary.refused > 0) this.exitWith(EXIT.wrong)
    return summary
  }
}
