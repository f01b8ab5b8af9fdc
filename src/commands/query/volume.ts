import {Flags} from '@oclif/core'
import {checkExchange} from '../../lib/cli/market-flags.ts'
import {storeFlags} from '../../lib/cli/store-flags.ts'
import {TableCommand} from '../../lib/cli/table-command.ts'
import {time} from '../../lib/cli/time.ts'
import {configFlags} from '../../lib/config/flags.ts'
import type {VolumeRow} from '../../lib/core/ports/market-reader.ts'
import {withMarketReader} from '../../lib/pipeline/market-reader.ts'

const DAY_US = 86_400_000_000

export default class QueryVolume extends TableCommand {
  static override summary = 'Show how much was traded, per market.'
  static override description =
    `Exact sums of the trades in the store between two event times. Unless told otherwise, the embedded store keeps trades for a day and Cassandra for an
hour. Every trade of the time is read, so a long one takes a while.`
  static override examples = [
    {description: 'The last 24 hours', command: '<%= config.bin %> <%= command.id %>'},
    {
      description: 'The last quarter of an hour on one exchange',
      command: '<%= config.bin %> <%= command.id %> --exchange upbit --from 15m',
    },
    {description: 'From Cassandra', command: '<%= config.bin %> <%= command.id %> --from 1h --store cassandra'},
  ]
  static override flags = {
    ...configFlags,
    ...storeFlags,
    exchange: Flags.string({summary: 'Only this exchange.', env: 'COINPIPE_EXCHANGE'}),
    from: time({summary: 'Start: a day, a UTC time, or how long ago; default 24h.', env: 'COINPIPE_FROM'}),
    to: time({summary: 'End, exclusive; default now.', env: 'COINPIPE_TO'}),
  }

  async run(): Promise<readonly VolumeRow[]> {
    const {flags, metadata} = await this.parse(QueryVolume)
    const {config, context, choice} = await this.startWithStore(flags, metadata)
    const rows = await withMarketReader(config, choice, context, async (reader) => {
      const nowUs = context.clock.nowUs()
      const {exchange, from = nowUs - DAY_US, to = nowUs} = flags
      if (exchange !== undefined) await checkExchange(reader, exchange)
      return reader.volume({from, to, ...(exchange === undefined ? {} : {exchange})})
    })
    await this.print(rows, [
      {title: 'exchange', text: ({exchange}) => exchange},
      {title: 'symbol', text: ({symbol}) => symbol},
      {title: 'volume', text: ({volumeBase}) => volumeBase, align: 'right'},
      {title: 'value', text: ({volumeQuote}) => volumeQuote, align: 'right'},
      {title: 'trades', text: ({trades}) => String(trades), align: 'right'},
    ])
    return rows
  }
}
