import {describe, expect, it} from 'vitest'
import {systemClock} from '../../src/lib/core/clock.ts'
import {fromScaled, PRODUCT_SCALE, toScaled} from '../../src/lib/core/decimal-math.ts'
import type {Trade} from '../../src/lib/core/records.ts'
import {CassandraSchemaError, CassandraUnreachableError} from '../../src/lib/store/cassandra/errors.ts'
import {LATE_MS} from '../../src/lib/store/cassandra/look-at-trades.ts'
import {marketReaderContract} from '../contract/market-reader-contract.ts'
import {cassandraUnderTest, keyspaceForTest, openSession, tablesForFile, tablesForTest} from '../helpers/cassandra.ts'
import {cassandraReader, connectedReader, emptyTables, recordWriter} from '../helpers/cassandra-market.ts'
import {candle, T0, trade} from '../helpers/market-records.ts'
import {silentServer} from '../helpers/silent-server.ts'
import {TcpProxy} from '../helpers/tcp-proxy.ts'
import {until} from '../helpers/until.ts'

const BTC = {exchange: 'upbit', symbol: 'BTC-KRW'}
const SECOND_US = 1_000_000
const HOUR_US = 3_600 * SECOND_US
/** 2021-03-01T00:00:00Z */
const LONG_AGO = 1_614_556_800_000_000

const ids = (trades: readonly Trade[]) => trades.map(({tradeId}) => tradeId)

const sharedKeyspace = tablesForFile()

async function emptyMarket() {
  const keyspace = sharedKeyspace()
  await emptyTables(keyspace)
  return {keyspace, write: await recordWriter(keyspace), reader: await connectedReader(keyspace)}
}

marketReaderContract('Cassandra', {order: 'event time'}, emptyMarket)

describe('trades in Cassandra', () => {
  it('are found however many years lie between them', async () => {
    const {write, reader} = await emptyMarket()
    await write([trade('old', {eventTime: LONG_AGO}), trade('new'), trade('future', {eventTime: T0 + 400 * 24 * HOUR_US})])
    expect(ids((await reader.trades({...BTC, limit: 9})).trades)).toEqual(['future', 'new', 'old'])
  })

  it('come in the order of their microseconds, and in that of arrival within one', async () => {
    const {write, reader} = await emptyMarket()
    const at = (id: string, us: number, receivedUs: number) => trade(id, {eventTime: T0 + us, receivedTime: T0 + receivedUs})
    await write([at('9', 1, 50), at('b', 2, 51), at('10', 3, 52), at('a', 3, 52), at('1', 3, 53), at('z', 999, 60)])
    expect(ids((await reader.trades({...BTC, limit: 4})).trades)).toEqual(['z', '1', '10', 'a'])
    expect(ids((await reader.trades({...BTC, limit: 9})).trades)).toEqual(['z', '1', '10', 'a', 'b', '9'])
  })

  it('of one millisecond are all looked at before the newest are told', async () => {
    const {write, reader} = await emptyMarket()
    const many = Array.from({length: 500}, (_, i) => trade(String(i), {eventTime: T0 + i, receivedTime: T0 + 1000}))
    await write(many)
    expect(ids((await reader.trades({...BTC, limit: 3})).trades)).toEqual(['499', '498', '497'])
  })

  it('are shown and counted once where they are stored twice, at two event times', async () => {
    const {write, reader} = await emptyMarket()
    await write([trade('1', {eventTime: T0 + HOUR_US - 1, size: '2'}), trade('2', {eventTime: T0 + 5, size: '3'})])
    await write([trade('1', {eventTime: T0 + HOUR_US + SECOND_US, size: '2'})])
    expect(ids((await reader.trades({...BTC, limit: 9})).trades)).toEqual(['1', '2'])
    expect(await reader.volume({from: T0, to: T0 + 2 * HOUR_US})).toMatchObject([{volumeBase: '5', trades: 2}])
  })

  it('are followed over more than a page, the end of an hour, and what others write meanwhile', async () => {
    const {write, reader} = await emptyMarket()
    const made = Array.from({length: 900}, (_, i) => trade(`t${i}`, {eventTime: T0 + HOUR_US - 450 * SECOND_US + i * SECOND_US}))
    await write(made.slice(0, 300))
    let {cursor} = await reader.trades({...BTC, limit: 50})
    const followed: string[] = []
    const writing = (async () => {
      for (let start = 300; start < 900; start += 60) await write(made.slice(start, start + 60))
    })()
    await until('all trades', async () => {
      const page = await reader.trades({...BTC, limit: 40, after: cursor})
      followed.push(...ids(page.trades))
      cursor = page.cursor
      return followed.length >= 600
    })
    await writing
    expect(followed).toEqual(ids(made.slice(300)))
  })

  it('that come late are followed while they are not older than two minutes, and all of them are in the tables', async () => {
    const {write, reader} = await emptyMarket()
    const made = Array.from({length: 400}, (_, i) => trade(`t${i}`, {eventTime: T0 + i * SECOND_US}))
    await write(made)
    let {cursor} = await reader.trades({...BTC, limit: 300})
    const newestMs = 399_000
    await write([
      trade('late', {eventTime: T0 + (newestMs - LATE_MS + 1000) * 1000}),
      trade('too late', {eventTime: T0 + (newestMs - 3 * LATE_MS) * 1000}),
    ])
    const followed: string[] = []
    const follow = async () => {
      const page = await reader.trades({...BTC, limit: 40, after: cursor})
      followed.push(...ids(page.trades))
      cursor = page.cursor
    }
    await until('the late one', async () => {
      await follow()
      return followed.length > 0
    })
    await write([trade('newest', {eventTime: T0 + 400 * SECOND_US})])
    await until('the newest one', async () => {
      await follow()
      return followed.length > 1
    })
    expect(followed).toEqual(['late', 'newest'])
    expect(ids((await reader.trades({...BTC, limit: 1000})).trades)).toContain('too late')
  })

  it('are followed by several at once, each with a cursor of its own', async () => {
    const {write, reader} = await emptyMarket()
    await write([trade('1')])
    const starts = await Promise.all(Array.from({length: 5}, () => reader.trades({...BTC, limit: 1})))
    await write([trade('2', {eventTime: T0 + 1}), trade('3', {eventTime: T0 + 2})])
    const pages = await Promise.all(starts.map(({cursor}) => reader.trades({...BTC, limit: 9, after: cursor})))
    expect(pages.map(({trades}) => ids(trades))).toEqual(Array.from({length: 5}, () => ['2', '3']))
    await expect(reader.trades({...BTC, limit: 9, after: '17'})).rejects.toMatchObject({code: 'COINPIPE_INVALID_INPUT'})
    await expect(reader.trades({...BTC, symbol: 'ETH-KRW', limit: 9, after: pages[0]?.cursor ?? ''})).rejects.toMatchObject({
      code: 'COINPIPE_INVALID_INPUT',
    })
  })

  it('add up exactly over many pages, hours and markets', async () => {
    const {write, reader} = await emptyMarket()
    const symbols = ['BTC-KRW', 'ETH-KRW', 'XRP-KRW', 'ADA-KRW', 'DOT-KRW', 'SOL-KRW']
    const made = Array.from({length: 12_000}, (_, i) => {
      const symbol = symbols[((i * 7) % 11) % symbols.length] ?? ''
      return trade(String(i), {symbol, price: `${1000 + i}.${1 + (i % 9)}`, size: `0.0000${1 + (i % 9)}`, eventTime: T0 + i * SECOND_US})
    })
    for (let start = 0; start < made.length; start += 1000) await write(made.slice(start, start + 1000))
    const [from, to] = [T0 + 1000 * SECOND_US, T0 + 11_000 * SECOND_US + 1]
    const expected = symbols.toSorted().map((symbol) => {
      const own = made.filter((one) => one.symbol === symbol && one.eventTime >= from && one.eventTime < to)
      const quote = own.reduce((sum, {price, size}) => sum + toScaled(price) * toScaled(size), 0n)
      const base = own.reduce((sum, {size}) => sum + toScaled(size), 0n)
      return {exchange: 'upbit', symbol, volumeBase: fromScaled(base), volumeQuote: fromScaled(quote, PRODUCT_SCALE), trades: own.length}
    })
    expect(await reader.volume({from, to})).toEqual(expected)
  })

  it('are read from buckets of a day as well', async () => {
    const tables = {bucket: 'day'} as const
    const keyspace = await tablesForTest(tables)
    const write = await recordWriter(keyspace, tables)
    const reader = await connectedReader(keyspace, {tables})
    const made = Array.from({length: 5}, (_, i) => trade(String(i), {eventTime: T0 + i * 11 * HOUR_US}))
    await write(made)
    expect(ids((await reader.trades({...BTC, limit: 4})).trades)).toEqual(['4', '3', '2', '1'])
    expect(await reader.volume({from: T0 + 1, to: T0 + 44 * HOUR_US})).toMatchObject([{trades: 3}])
  })
})

describe('candles in Cassandra', () => {
  it('are read over partitions, from either end', async () => {
    const {write, reader} = await emptyMarket()
    // A partition holds an hour of seconds.
    const starts = [LONG_AGO, ...Array.from({length: 10}, (_, i) => T0 + HOUR_US + (i - 5) * SECOND_US)]
    await write(starts.map((start) => candle(start, 1, {interval: '1s'})))
    const read = async (range: {from?: number; to?: number; limit: number}) =>
      (await reader.candles({...BTC, interval: '1s', ...range})).map(({startTime}) => starts.indexOf(startTime))
    expect(await read({limit: 100})).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10])
    expect(await read({limit: 8})).toEqual([3, 4, 5, 6, 7, 8, 9, 10])
    expect(await read({from: LONG_AGO + 1, limit: 7})).toEqual([1, 2, 3, 4, 5, 6, 7])
    expect(await read({to: T0 + HOUR_US, limit: 2})).toEqual([4, 5])
  })
})

describe('a reader of Cassandra, in trouble', () => {
  it('says how to make a keyspace that is missing', async () => {
    const reader = await connectedReader(keyspaceForTest())
    const questions = [
      reader.check(),
      reader.markets(),
      reader.trades({...BTC, limit: 1}),
      reader.book(BTC),
      reader.volume({from: 0, to: T0}),
    ]
    for (const question of await Promise.allSettled(questions)) {
      expect(question).toMatchObject({reason: expect.any(CassandraSchemaError)})
      expect(question).toMatchObject({
        reason: {remedy: expect.arrayContaining([expect.stringContaining('coinpipe tables create cassandra')])},
      })
    }
  })

  it('says so where the tables have buckets of another length', async () => {
    const {keyspace} = await emptyMarket()
    const reader = await connectedReader(keyspace, {tables: {bucket: 'day'}})
    await expect(reader.trades({...BTC, limit: 1})).rejects.toBeInstanceOf(CassandraSchemaError)
  })

  it('says so where a table is gone', async () => {
    const keyspace = await tablesForTest()
    const reader = await connectedReader(keyspace)
    await (await openSession()).change(`DROP TABLE ${keyspace}.candle_bucket_by_symbol`)
    await expect(reader.candles({...BTC, interval: '1m', limit: 1})).rejects.toBeInstanceOf(CassandraSchemaError)
  })

  it('says so where no node answers', async () => {
    await expect(cassandraReader('nowhere', {connection: {hosts: ['127.0.0.1'], port: 1}}).connect()).rejects.toBeInstanceOf(
      CassandraUnreachableError,
    )
    const silent = cassandraReader('nowhere', {connection: {hosts: [await silentServer()], connectTimeoutMs: 500}})
    await expect(silent.connect()).rejects.toMatchObject({retry: {kind: 'later'}})
  })

  it('stays closed where it is closed while it connects', async () => {
    const [host = ''] = cassandraUnderTest().hosts
    const reader = cassandraReader(sharedKeyspace(), {connection: {hosts: [host]}})
    const connecting = reader.connect()
    await reader.close()
    await expect(connecting).rejects.toMatchObject({code: 'COINPIPE_NOT_CONNECTED'})
    await expect(reader.markets()).rejects.toMatchObject({code: 'COINPIPE_NOT_CONNECTED'})
  })

  it('asks again where a node did not answer in time, until its deadline', async () => {
    const {keyspace, write} = await emptyMarket()
    await write([trade('1')])
    const [host = ''] = cassandraUnderTest().hosts
    const proxy = await TcpProxy.to(host, 9042)
    const connection = {hosts: [`127.0.0.1:${proxy.port}`], requestTimeoutMs: 300}
    const reader = await connectedReader(keyspace, {connection})
    expect(ids((await reader.trades({...BTC, limit: 1})).trades)).toEqual(['1'])
    proxy.block()
    const later = reader.trades({...BTC, limit: 1})
    await systemClock.sleep(1500)
    proxy.unblock()
    expect(ids((await later).trades)).toEqual(['1'])

    const hasty = await connectedReader(keyspace, {connection, read: {deadlineMs: 1000}})
    await hasty.markets()
    proxy.block()
    const started = performance.now()
    await expect(hasty.markets()).rejects.toMatchObject({retry: {kind: 'later'}})
    await expect(hasty.check()).rejects.toMatchObject({retry: {kind: 'later'}})
    expect(performance.now() - started).toBeLessThan(5000)
  })
})
