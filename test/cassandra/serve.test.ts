import {expect, it} from 'vitest'
import type {Trade} from '../../src/lib/core/records.ts'
import {cassandraUnderTest, tablesForFile} from '../helpers/cassandra.ts'
import {cassandraReader, emptyTables, recordWriter} from '../helpers/cassandra-market.ts'
import {EventStream} from '../helpers/event-stream.ts'
import {book, candle, T0, ticker} from '../helpers/market-records.ts'
import {TcpProxy} from '../helpers/tcp-proxy.ts'
import {until} from '../helpers/until.ts'
import {startTestServer, trades} from '../helpers/web-server.ts'

const MARKET = 'exchange=upbit&symbol=BTC-KRW'
/** A node that hangs is noticed by a check every second that waits for 2.5, and by the page's own patience of 5. */
const NOTICED_MS = 15_000
const BACK_MS = 30_000

const sharedKeyspace = tablesForFile()

async function served() {
  const [host = ''] = cassandraUnderTest().hosts
  const keyspace = sharedKeyspace()
  await emptyTables(keyspace)
  const write = await recordWriter(keyspace)
  const proxy = await TcpProxy.to(host, 9042)
  const reader = cassandraReader(keyspace, {connection: {hosts: [`127.0.0.1:${proxy.port}`]}})
  return {write, proxy, server: await startTestServer(reader)}
}

it('the page shows what is in Cassandra, and what comes', async () => {
  const {write, server} = await served()
  await write([...trades(0, 5), ticker(T0), book(T0), candle(T0, 1)])
  const get = async (path: string) => (await server.get(path)).json()
  expect(await get('/api/markets')).toMatchObject({markets: [{exchange: 'upbit', symbol: 'BTC-KRW'}]})
  expect(await get(`/api/ticker?${MARKET}`)).toEqual({ticker: ticker(T0)})
  expect(await get(`/api/book?${MARKET}`)).toEqual({book: book(T0)})
  expect(await get(`/api/candles?${MARKET}&interval=1m`)).toEqual({candles: [candle(T0, 1)]})
  expect(await get(`/api/trades?${MARKET}&limit=2`)).toMatchObject({trades: [{tradeId: '4'}, {tradeId: '3'}]})
  const stream = await EventStream.open(`${server.url}events?${MARKET}`)
  expect((await stream.next('snapshot')).data.trades).toHaveLength(5)
  await write(trades(5, 8))
  expect((await stream.next('trades')).data.map(({tradeId}: Trade) => tradeId)).toEqual(['5', '6', '7'])
  stream.close()
})

it.each([
  ['killed', (proxy: TcpProxy) => proxy.cut(), (proxy: TcpProxy) => proxy.open()],
  ['paused', async (proxy: TcpProxy) => proxy.block(), async (proxy: TcpProxy) => proxy.unblock()],
])('the page says so when the cluster is %s, and goes on when it is back', async (_, stop, goOn) => {
  const {write, proxy, server} = await served()
  await write(trades(0, 5))
  const stream = await EventStream.open(`${server.url}events?${MARKET}`)
  await stream.next('snapshot')
  await stop(proxy)
  await until('the page to notice', () => stream.named('store').some(({data}) => !data.available), NOTICED_MS)
  expect((await server.get('/readyz')).status).toBe(503)
  expect((await server.get(`/api/book?${MARKET}`)).status).toBe(503)
  await write(trades(5, 8))
  await goOn(proxy)
  const {data} = await until('the page to go on', () => stream.named('snapshot').find((event) => event.data.trades.length === 8), BACK_MS)
  expect(data.trades.map(({tradeId}: Trade) => tradeId)).toEqual(['0', '1', '2', '3', '4', '5', '6', '7'])
  expect((await server.get('/readyz')).status).toBe(200)
  stream.close()
})
