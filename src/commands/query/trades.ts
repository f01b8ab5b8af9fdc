import {Flags} from '@oclif/core'
import {checkMarket, marketFlags} from '../../lib/cli/market-flags.ts'
import {TableCommand} from '../../lib/cli/table-command.ts'
import {utc} from '../../lib/cli/time.ts'
import type {Trade} from '../../lib/core/records.ts'
import {withMarketReader} from '../../lib/pipeline/market-reader.ts'

export default class QueryTrades extends TableCommand {
  static override summary = 'Show the newest trades of a market.'
  static override description = 'Newest first, by event time. Reads the store while others write to it.'
  static override examples = [
    {description: 'The last 50', command: '<%= config.bin %> <%= command.id %> --symbol BTC-KRW --last 50'},
    {description: 'As JSON', command: '<%= config.bin %> <%= command.id %> --symbol BTC-KRW --last 5 --json'},
    {description: 'From Cassandra', command: '<%= config.bin %> <%= command.id %> --symbol BTC-KRW --last 50 --store cassandra'},
  ]
  static override flags = {
    ...marketFlags,
    last: Flags.integer({summary: 'How many.', min: 1, max: 100_000, default: 50, env: 'COINPIPE_LAST'}),
  }

  async run(): Promise<readonly Trade[]> {
    const {flags, metadata} = await this.parse(QueryTrades)
    const {config, context, choice} = await this.startWithStore(flags, metadata)
    const {exchange, symbol, last} = flags
    const trades = await withMarketReader(config, choice, context, async (reader) => {
      await checkMarket(reader, flags)
      return (await reader.trades({exchange, symbol, limit: last})).trades
    })
    await this.print(trades, [
      {title: 'time', text: ({eventTime}) => utc(eventTime)},
      {title: 'side', text: ({side}) => side},
      {title: 'price', text: ({price}) => price, align: 'right'},
      {title: 'size', text: ({size}) => size, align: 'right'},
      {title: 'trade id', text: ({tradeId}) => tradeId},
    ])
    return trades
  }
}
