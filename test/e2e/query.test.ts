import {join} from 'node:path'
import {describe, expect, it} from 'vitest'
import type {CoinRecord} from '../../src/lib/core/records.ts'
import {createEmbeddedStore} from '../../src/lib/store/embedded/sink.ts'
import {testContext} from '../helpers/context.ts'
import {book, candle, sinkItems, T0, trade} from '../helpers/market-records.ts'
import {coinpipe} from '../helpers/run-cli.ts'
import {tempDir} from '../helpers/temp-dir.ts'

const RECORDS: readonly CoinRecord[] = [
  trade('1', {price: '100', size: '2'}),
  trade('2', {price: '101.5', size: '0.1', eventTime: T0 + 1_000_000, side: 'sell'}),
  book(T0, {
    bids: [
      ['99', '1'],
      ['98', '2'],
    ],
    asks: [['101', '3']],
  }),
  candle(T0, 3),
]

async function dataDir(): Promise<string> {
  const folder = await tempDir()
  const sink = createEmbeddedStore({path: join(folder, 'store', 'coinpipe-store.sqlite')}, testContext())
  await sink.connect()
  await sink.write({group: 'g', items: sinkItems(RECORDS), next: []})
  await sink.close()
  return folder
}

describe('coinpipe query', () => {
  it('prints tables', async () => {
    const at = ['--symbol', 'BTC-KRW', '--data-dir', await dataDir()]
    const trades = await coinpipe('query', 'trades', ...at)
    expect(trades).toEqual({
      code: 0,
      stderr: '',
      stdout: [
        'time                      side  price  size  trade id',
        '2026-01-01T00:00:01.000Z  sell  101.5   0.1  2',
        '2026-01-01T00:00:00.000Z  buy     100     2  1',
        '',
      ].join('\n'),
    })
    const shown = await coinpipe('query', 'book', '--depth', '1', ...at)
    expect(shown.stdout).toBe('bid size  bid  ask  ask size\n       1   99  101         3\n')
    const candles = await coinpipe('query', 'candles', '--from', '2026-01-01', '--to', '2026-01-02', ...at)
    expect(candles.stdout).toContain('2026-01-01T00:00:00.000Z     1     3  0.5      2      10     20       7')
  })

  it('answers with --json', async () => {
    const folder = await dataDir()
    const at = ['--data-dir', folder, '--json']
    const trades = await coinpipe('query', 'trades', '--symbol', 'BTC-KRW', '--last', '1', ...at)
    expect(JSON.parse(trades.stdout)).toEqual([RECORDS[1]])
    const volume = await coinpipe('query', 'volume', '--from', '2026-01-01', '--to', '2026-01-02', ...at)
    const sum = {exchange: 'upbit', symbol: 'BTC-KRW', volumeBase: '2.1', volumeQuote: '210.15', trades: 2}
    expect(JSON.parse(volume.stdout)).toEqual([sum])
  })

  it('says what to do where there is no store, no such market, or no such time', async () => {
    const nowhere = await tempDir()
    const missing = await coinpipe('query', 'trades', '--symbol', 'BTC-KRW', '--data-dir', nowhere)
    expect(missing.code).toBe(4)
    expect(missing.stderr).toContain(join(nowhere, 'store', 'coinpipe-store.sqlite'))
    expect(missing.stderr).toContain('coinpipe up')
    const folder = await dataDir()
    const unknown = await coinpipe('query', 'trades', '--symbol', 'BTC-USD', '--data-dir', folder)
    expect(unknown).toMatchObject({code: 2, stdout: '', stderr: expect.stringContaining('it has: upbit BTC-KRW')})
    const badTime = await coinpipe('query', 'volume', '--from', 'yesterday', '--data-dir', folder)
    expect(badTime).toMatchObject({code: 2, stderr: expect.stringContaining("'yesterday' is not a time")})
  })
})
