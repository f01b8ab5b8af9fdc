import {Flags} from '@oclif/core'
import {checkMarket, marketFlags} from '../../lib/cli/market-flags.ts'
import {TableCommand} from '../../lib/cli/table-command.ts'
import {utc} from '../../lib/cli/time.ts'
import type {Book, Level} from '../../lib/core/records.ts'
import {withMarketReader} from '../../lib/pipeline/market-reader.ts'

interface Row {
  readonly bid: Level | undefined
  readonly ask: Level | undefined
}

export default class QueryBook extends TableCommand {
  static override summary = 'Show the latest order book of a market.'
  static override description =
    'Best prices first. The answer is null where no book has come yet. Cassandra keeps the best 15 levels of each side unless told otherwise.'
  static override examples = [
    {description: 'The best five levels', command: '<%= config.bin %> <%= command.id %> --symbol BTC-KRW --depth 5'},
    {description: 'All of it as JSON', command: '<%= config.bin %> <%= command.id %> --symbol BTC-KRW --json'},
    {description: 'From Cassandra', command: '<%= config.bin %> <%= command.id %> --symbol BTC-KRW --depth 5 --store cassandra'},
  ]
  static override flags = {
    ...marketFlags,
    depth: Flags.integer({summary: 'How many levels of each side.', min: 1, max: 1000, default: 15, env: 'COINPIPE_DEPTH'}),
  }

  async run(): Promise<Book | null> {
    const {flags, metadata} = await this.parse(QueryBook)
    const {config, context, choice} = await this.startWithStore(flags, metadata)
    const book = await withMarketReader(config, choice, context, async (reader) => {
      await checkMarket(reader, flags)
      const found = await reader.book({exchange: flags.exchange, symbol: flags.symbol})
      return found && {...found, bids: found.bids.slice(0, flags.depth), asks: found.asks.slice(0, flags.depth)}
    })
    this.logToStderr(book ? `as of ${utc(book.eventTime)}` : 'no book has come yet')
    if (book) await this.printBook(book)
    return book
  }

  private async printBook({bids, asks}: Book): Promise<void> {
    const rows = Array.from({length: Math.max(bids.length, asks.length)}, (_, i): Row => ({bid: bids[i], ask: asks[i]}))
    await this.print(rows, [
      {title: 'bid size', text: ({bid}) => bid?.[1] ?? '', align: 'right'},
      {title: 'bid', text: ({bid}) => bid?.[0] ?? '', align: 'right'},
      {title: 'ask', text: ({ask}) => ask?.[0] ?? '', align: 'right'},
      {title: 'ask size', text: ({ask}) => ask?.[1] ?? '', align: 'right'},
    ])
  }
}
