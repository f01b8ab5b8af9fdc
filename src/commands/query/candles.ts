import {Flags} from '@oclif/core'
import {checkMarket, marketFlags} from '../../lib/cli/market-flags.ts'
import {TableCommand} from '../../lib/cli/table-command.ts'
import {time, utc} from '../../lib/cli/time.ts'
import {CANDLE_INTERVALS, type Candle} from '../../lib/core/records.ts'
import {withMarketReader} from '../../lib/pipeline/market-reader.ts'

export default class QueryCandles extends TableCommand {
  static override summary = 'Show the candles of a market.'
  static override description =
    `Oldest first; boundaries are UTC. A candle that is still open changes with each trade. Candles built by coinpipe (ours) and
those that an exchange sends never mix.`
  static override examples = [
    {description: 'The last 100 minutes', command: '<%= config.bin %> <%= command.id %> --symbol BTC-KRW --interval 1m'},
    {
      description: 'One day by the hour',
      command: '<%= config.bin %> <%= command.id %> --symbol BTC-KRW --interval 1h --from 2026-01-31 --to 2026-02-01',
    },
    {
      description: 'From a Cassandra elsewhere',
      command: '<%= config.bin %> <%= command.id %> --symbol BTC-KRW --interval 1h --store cassandra --hosts 10.0.0.1',
    },
  ]
  static override flags = {
    ...marketFlags,
    interval: Flags.option({summary: 'Length of each.', options: CANDLE_INTERVALS, default: '1m' as const, env: 'COINPIPE_INTERVAL'})(),
    last: Flags.integer({
      summary: 'At most so many: the last, or with --from the first.',
      min: 1,
      max: 100_000,
      default: 100,
      env: 'COINPIPE_LAST',
    }),
    from: time({summary: 'First start: a day, a UTC time, or how long ago.', env: 'COINPIPE_FROM'}),
    to: time({summary: 'End, exclusive: a day, a UTC time, or how long ago.', env: 'COINPIPE_TO'}),
    'built-by': Flags.option({
      summary: 'Built by coinpipe (ours) or sent by the exchange.',
      options: ['ours', 'exchange'] as const,
      default: 'ours' as const,
      env: 'COINPIPE_BUILT_BY',
    })(),
  }

  async run(): Promise<readonly Candle[]> {
    const {flags, metadata} = await this.parse(QueryCandles)
    const {config, context, choice} = await this.startWithStore(flags, metadata)
    const {exchange, symbol, interval, last, from, to, 'built-by': origin} = flags
    const candles = await withMarketReader(config, choice, context, async (reader) => {
      await checkMarket(reader, flags)
      const range = {...(from === undefined ? {} : {from}), ...(to === undefined ? {} : {to})}
      return reader.candles({exchange, symbol, interval, limit: last, origin, ...range})
    })
    await this.print(candles, [
      {title: 'start', text: ({startTime}) => utc(startTime)},
      {title: 'open', text: ({open}) => open, align: 'right'},
      {title: 'high', text: ({high}) => high, align: 'right'},
      {title: 'low', text: ({low}) => low, align: 'right'},
      {title: 'close', text: ({close}) => close, align: 'right'},
      {title: 'volume', text: ({volumeBase}) => volumeBase, align: 'right'},
      {title: 'value', text: ({volumeQuote}) => volumeQuote, align: 'right'},
      {title: 'trades', text: ({trades}) => String(trades ?? ''), align: 'right'},
      {title: '', text: ({closed}) => (closed ? '' : 'open')},
    ])
    return candles
  }
}
