import {rm} from 'node:fs/promises'
import {dirname, join} from 'node:path'
import {expect, it, onTestFinished} from 'vitest'
import type {Sink} from '../../src/lib/core/ports/sink.ts'
import type {Trade} from '../../src/lib/core/records.ts'
import {openMarketReader} from '../../src/lib/store/embedded/reader.ts'
import {createEmbeddedStore} from '../../src/lib/store/embedded/sink.ts'
import {testContext} from '../helpers/context.ts'
import {EventStream} from '../helpers/event-stream.ts'
import {sinkItems} from '../helpers/market-records.ts'
import {tempDir} from '../helpers/temp-dir.ts'
import {until} from '../helpers/until.ts'
import {startTestServer, trades} from '../helpers/web-server.ts'

async function openStore(path: string): Promise<Sink> {
  const store = createEmbeddedStore({path}, testContext())
  await store.connect()
  onTestFinished(() => store.close())
  return store
}

const write = (store: Sink, records: readonly Trade[]) => store.write({group: 'test', items: sinkItems(records), next: []})

it('waits for a store, follows it, says when it is removed, and follows the next one', async () => {
  const path = join(await tempDir(), 'store', 'coinpipe-store.sqlite')
  const reader = openMarketReader({path}, testContext())
  onTestFinished(() => reader.close())
  const server = await startTestServer(reader)
  const missing = await server.get('/api/markets')
  expect(missing.status).toBe(503)
  expect(await missing.json()).toMatchObject({error: {code: 'COINPIPE_STORE_UNAVAILABLE', message: expect.stringContaining(path)}})

  const first = await openStore(path)
  await write(first, trades(0, 5))
  await until('the market', async () => (await server.get('/api/markets')).status === 200)
  const stream = await EventStream.open(`${server.url}events?exchange=upbit&symbol=BTC-KRW`)
  expect((await stream.next('snapshot')).data.trades).toHaveLength(5)
  await write(first, trades(5, 8))
  expect((await stream.next('trades')).data.map(({tradeId}: Trade) => tradeId)).toEqual(['5', '6', '7'])

  await first.close()
  await rm(dirname(path), {recursive: true})
  await stream.next('store', ({data}) => !data.available)
  expect((await server.get('/readyz')).status).toBe(503)

  const second = await openStore(path)
  await write(second, trades(100, 102))
  const {data} = await stream.next('snapshot', (received) => received.data.trades.length === 2)
  expect(data.trades.map(({tradeId}: Trade) => tradeId)).toEqual(['100', '101'])
  stream.close()
})
