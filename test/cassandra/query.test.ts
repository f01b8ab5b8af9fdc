import {writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {describe, expect, it} from 'vitest'
import type {CoinRecord} from '../../src/lib/core/records.ts'
import {createEmbeddedStore} from '../../src/lib/store/embedded/sink.ts'
import {cassandraUnderTest, keyspaceForTest, tablesForFile} from '../helpers/cassandra.ts'
import {emptyTables, recordWriter} from '../helpers/cassandra-market.ts'
import {testContext} from '../helpers/context.ts'
import {book, candle, sinkItems, T0, ticker, trade} from '../helpers/market-records.ts'
import {coinpipe} from '../helpers/run-cli.ts'
import {tempDir} from '../helpers/temp-dir.ts'

const SECOND_US = 1_000_000
const MINUTE_US = 60 * SECOND_US

const TRADES = Array.from({length: 300}, (_, i) =>
  trade(String(17_000_000_000_000_000 + i * 7), {
    // Several in one microsecond, as exchanges have them that tell milliseconds; they arrive one after the other.
    eventTime: T0 + Math.floor(i / 3) * 37 * SECOND_US,
    receivedTime: T0 + Math.floor(i / 3) * 37 * SECOND_US + 1000 + i,
    price: `${50_000_000 + ((i * 7919) % 1000)}.${1 + (i % 9)}`,
    size: `0.${String(1 + i).padStart(17, '0')}`.replace(/0+$/, ''),
    side: i % 2 === 0 ? 'buy' : 'sell',
    symbol: i % 5 === 0 ? 'ETH-KRW' : 'BTC-KRW',
    ...(i % 4 === 0 ? {sequence: `00${i}`} : {}),
  }),
)
const RECORDS: readonly CoinRecord[] = [
  ...TRADES,
  trade('7', {exchange: 'bithumb', price: '99999999999999999999', size: '0.000000000000000001'}),
  book(T0, {
    bids: [
      ['99', '1'],
      ['98.5', '0.000000000000000002'],
    ],
    asks: [['101', '3']],
    sequence: '18446744073709551615',
  }),
  book(T0, {symbol: 'ETH-KRW', bids: [], asks: [], kind: 'top', checksum: '-1'}),
  ticker(T0, {changeRate: {value: '-0.0125', basis: 'kst-day'}}),
  candle(T0, 3),
  ...[1, 2, 3].map((minute) => candle(T0 + minute * MINUTE_US, 1, {trades: null, closed: minute < 3})),
  candle(T0, 1, {origin: 'exchange', volumeBase: '0'}),
]

const QUERIES: readonly (readonly string[])[] = [
  ['trades', '--symbol', 'BTC-KRW', '--last', '50'],
  ['trades', '--symbol', 'ETH-KRW', '--last', '100000'],
  ['trades', '--symbol', 'BTC-KRW', '--exchange', 'bithumb'],
  ['book', '--symbol', 'BTC-KRW'],
  ['book', '--symbol', 'ETH-KRW'],
  ['candles', '--symbol', 'BTC-KRW', '--last', '3'],
  ['candles', '--symbol', 'BTC-KRW', '--from', '2026-01-01', '--to', '2026-01-02', '--last', '2'],
  ['candles', '--symbol', 'BTC-KRW', '--built-by', 'exchange'],
  ['volume', '--from', '2026-01-01', '--to', '2026-01-02'],
  ['volume', '--from', '2026-01-01T00:10:00Z', '--to', '2026-01-01T00:20:00Z', '--exchange', 'upbit'],
]

const keyspace = tablesForFile()

async function bothStores(): Promise<{embedded: string[]; cassandra: string[]}> {
  const dataDir = await tempDir()
  const store = createEmbeddedStore({path: join(dataDir, 'store', 'coinpipe-store.sqlite')}, testContext())
  await store.connect()
  await store.write({group: 'g', items: sinkItems(RECORDS), next: []})
  await store.close()
  await emptyTables(keyspace())
  const write = await recordWriter(keyspace())
  await write(RECORDS)
  const hosts = cassandraUnderTest().hosts.join(',')
  return {
    embedded: ['--store', 'embedded', '--data-dir', dataDir],
    cassandra: ['--store', 'cassandra', '--hosts', hosts, '--keyspace', keyspace(), '--data-dir', dataDir],
  }
}

describe('coinpipe query', () => {
  it('answers the same from Cassandra as from the embedded store, byte by byte', async () => {
    const {embedded, cassandra} = await bothStores()
    const forms = [
      ...QUERIES.map((query) => [...query, '--json']),
      ['trades', '--symbol', 'BTC-KRW'],
      ['book', '--symbol', 'BTC-KRW', '--depth', '1'],
    ]
    for (const query of forms) {
      const [one, other] = await Promise.all([embedded, cassandra].map((store) => coinpipe('query', ...query, ...store)))
      expect(one?.code, one?.stderr).toBe(0)
      expect(one?.stdout.length).toBeGreaterThan(20)
      expect(other, query.join(' ')).toEqual(one)
    }
  })

  it('names the markets and exchanges that there are, where it is asked for another', async () => {
    const {embedded, cassandra} = await bothStores()
    for (const store of [embedded, cassandra]) {
      const exchange = await coinpipe('query', 'volume', '--exchange', 'nope', ...store)
      expect(exchange).toMatchObject({code: 2, stdout: '', stderr: expect.stringMatching(/'nope'[\s\S]*it has: bithumb, upbit/)})
      const market = await coinpipe('query', 'trades', '--symbol', 'BTC-USD', ...store)
      expect(market).toMatchObject({code: 2, stdout: '', stderr: expect.stringContaining('it has: bithumb BTC-KRW, upbit BTC-KRW')})
    }
  })

  it('takes Cassandra where a flag or the config says so', async () => {
    const {cassandra} = await bothStores()
    const [, , ...flags] = cassandra
    const query = ['query', 'trades', '--symbol', 'BTC-KRW', '--last', '1', '--json']
    const named = await coinpipe(...query, ...flags)
    expect(JSON.parse(named.stdout)).toHaveLength(1)
    const dataDir = await tempDir()
    const config = join(dataDir, 'coinpipe.yaml')
    const {hosts} = cassandraUnderTest()
    await writeFile(config, JSON.stringify({version: 1, sinks: {cass: {kind: 'cassandra', hosts, keyspace: keyspace()}}}))
    const configured = await coinpipe(...query, '--config', config, '--data-dir', dataDir)
    expect(configured).toMatchObject({code: 0, stdout: named.stdout})
  })

  it('says how to make tables that are missing', async () => {
    const [host = ''] = cassandraUnderTest().hosts
    const missing = await coinpipe('query', 'trades', '--symbol', 'BTC-KRW', '--hosts', host, '--keyspace', keyspaceForTest())
    expect(missing).toMatchObject({code: 2, stdout: '', stderr: expect.stringContaining('coinpipe tables create cassandra')})
  })

  it('ends with 4 where no node answers', async () => {
    const gone = await coinpipe('query', 'volume', '--hosts', '127.0.0.1:1')
    expect(gone).toMatchObject({code: 4, stdout: '', stderr: expect.stringContaining('no node of 127.0.0.1:1 answers')})
  })
})
