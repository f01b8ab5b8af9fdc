import {Flags} from '@oclif/core'
import {BaseCommand} from '../lib/cli/base-command.ts'
import {endlessFlags} from '../lib/cli/flags.ts'
import {exchangeFlag, portFlag, serverFlags, symbolsFlag} from '../lib/config/exchange-flags.ts'
import {given} from '../lib/core/given.ts'
import {createProgress} from '../lib/observability/progress.ts'
import {parseFaults} from '../lib/simulate/faults.ts'
import {parseBurst} from '../lib/simulate/pacer.ts'
import {runSimulator} from '../lib/simulate/run.ts'
import type {SimulatorStats} from '../lib/simulate/stats.ts'

export default class Simulate extends BaseCommand {
  static override summary = 'Run a local exchange with made-up prices, and let it fail on demand.'
  static override description =
    `Speaks Upbit's websocket and REST on one port. The same seed gives the same prices; only times and ids follow the clock. The market begins to move with the first subscription and then goes on, with or without clients, so that whoever is away misses trades. It has eight KRW markets unless --symbols names others.
Statistics, the ledger of what was sent and faults are also at /sim/ on the same port: docs/simulate.md. --count counts trades.`
  static override examples = [
    {description: 'A thousand trades a second', command: '<%= config.bin %> <%= command.id %> --port 9001 --rate 1000 --seed 1'},
    {
      description: 'Bursts, a cut connection after 10 s, a network that hangs for 3 s after 20 s',
      command: '<%= config.bin %> <%= command.id %> --rate 2000 --burst 10x@30s:2s --fault drop@10s,freeze@20s:3s --for 1m',
    },
  ]
  static override flags = {
    ...endlessFlags,
    ...serverFlags,
    port: portFlag(9001),
    exchange: Flags.string({...exchangeFlag(['upbit']), default: 'upbit'}),
    symbols: symbolsFlag,
    rate: Flags.integer({summary: 'Trades a second.', min: 0, default: 1000, env: 'COINPIPE_RATE'}),
    'book-rate': Flags.integer({summary: 'Order books a second, all markets together.', min: 0, default: 40, env: 'COINPIPE_BOOK_RATE'}),
    'ticker-rate': Flags.integer({summary: 'Tickers a second, all markets together.', min: 0, default: 16, env: 'COINPIPE_TICKER_RATE'}),
    seed: Flags.integer({summary: 'The same seed makes the same market.', min: 0, default: 1, env: 'COINPIPE_SEED'}),
    burst: Flags.string({
      summary: 'Multiply the rate now and then: 10x@30s:2s is ten times, every 30 s, for 2 s.',
      helpValue: '<burst>',
      env: 'COINPIPE_BURST',
    }),
    late: Flags.integer({
      summary: 'Percent of trades whose own time lies up to 2 s back, as happens on Upbit.',
      min: 0,
      max: 100,
      default: 0,
      env: 'COINPIPE_LATE',
    }),
    fault: Flags.string({
      summary:
        'Faults, comma-separated: drop, drop=1011, stall:3s, freeze:3s, hang:3s, refuse:3s, skip=50, duplicate=50, garbage=nan, error=NAME, rest=429x10, slow=500msx10; @10s delays one.',
      helpValue: '<fault,…>',
      env: 'COINPIPE_FAULT',
    }),
    ledger: Flags.file({summary: 'Write every trade to this file, one per line.', env: 'COINPIPE_LEDGER'}),
    limits: Flags.boolean({
      summary: "Hold the exchange's documented rate limits.",
      default: true,
      allowNo: true,
      env: 'COINPIPE_LIMITS',
    }),
  }

  async run(): Promise<SimulatorStats> {
    const {flags} = await this.parse(Simulate)
    const options = {
      port: flags.port,
      seed: flags.seed,
      tradesPerSecond: flags.rate,
      booksPerSecond: flags['book-rate'],
      tickersPerSecond: flags['ticker-rate'],
      lateShare: flags.late / 100,
      limits: flags.limits,
      burst: flags.burst === undefined ? null : parseBurst(flags.burst),
      faults: flags.fault === undefined ? [] : parseFaults(flags.fault),
      ...given({host: flags.host, symbols: flags.symbols?.split(','), maxTrades: flags.count, ledgerFile: flags.ledger}),
    }
    const context = this.start(flags)
    const stats = await runSimulator(options, context, (simulator) => {
      if (!this.jsonEnabled()) this.log(`SIMULATED exchange: ${simulator.url}`)
      const read = () => {
        const {trades, sent, connections} = simulator.stats()
        return {totals: {trades, sent: sent.trade}, values: {clients: connections.open}}
      }
      return createProgress({stream: context.status, clock: context.clock, read, enabled: !this.jsonEnabled()})
    })
    if (!this.jsonEnabled()) this.logToStderr(`${stats.trades} trades made, ${stats.sent.trade} sent, seed ${stats.seed}`)
    return stats
  }
}
