import {connect} from 'node:net'
import {describe, expect, it} from 'vitest'
import type {MarketId} from '../../../src/lib/core/ports/market-reader.ts'
import type {Trade} from '../../../src/lib/core/records.ts'
import {EventStream} from '../../helpers/event-stream.ts'
import {MemoryMarket} from '../../helpers/memory-market.ts'
import {until} from '../../helpers/until.ts'
import {candle, startTestServer, type TestServer, trade, trades, watchResponses} from '../../helpers/web-server.ts'

const BTC = 'events?exchange=upbit&symbol=BTC-KRW&interval=1m'
const tradeIds = (list: readonly Trade[]) => list.map(({tradeId}) => Number(tradeId))
const numbers = (from: number, to: number) => Array.from({length: to - from}, (_, i) => from + i)
const liveIds = (stream: EventStream) => stream.named('trades').flatMap(({data}) => tradeIds(data))

async function setUp(options: Parameters<typeof startTestServer>[1] = {}) {
  const market = new MemoryMarket()
  market.store(...trades(0, 10))
  const server = await startTestServer(market, options)
  const open = (lastEventId?: string, path = BTC) => EventStream.open(server.url + path, lastEventId)
  return {market, server, open}
}

const sseClients = (server: TestServer) => server.context.metrics.total('coinpipe_sse_clients')

describe('the event stream', () => {
  it('begins with a snapshot and goes on with what is stored', async () => {
    const {market, open} = await setUp()
    const stream = await open()
    const {data} = await stream.next('snapshot')
    expect(tradeIds(data.trades)).toEqual(numbers(0, 10))
    expect(data).toMatchObject({ticker: null, book: null, day: null})
    market.store(...trades(10, 13))
    market.setBook({...trade(0), type: 'book', id: 'book:1', kind: 'top', bids: [['94999999', '1']], asks: [['95000001', '2']]})
    market.setCandles(candle(0))
    await stream.next('trades')
    expect((await stream.next('book')).data.bids).toEqual([['94999999', '1']])
    expect((await stream.next('candles')).data).toEqual([candle(0)])
    expect(liveIds(stream)).toEqual([10, 11, 12])
    stream.close()
  })

  it('sends a candle again only when its version rises', async () => {
    const {market, open} = await setUp()
    const stream = await open()
    await stream.next('snapshot')
    market.setCandles(candle(0, {closed: false}))
    await stream.next('candles')
    market.setCandles(candle(0, {version: 2, close: '95000009'}))
    await stream.next('candles', ({data}) => data[0].version === 2)
    market.store(trade(10))
    await stream.next('trades')
    expect(stream.named('candles')).toHaveLength(2)
    stream.close()
  })

  it('asks the store as often for many browsers as for one', async () => {
    const {market, open, server} = await setUp({pollMs: 20})
    const streams = await Promise.all(numbers(0, 20).map(() => open()))
    await Promise.all(streams.map((stream) => stream.next('snapshot')))
    const before = market.reads
    const startedMs = performance.now()
    market.store(...trades(10, 11))
    await Promise.all(streams.map((stream) => stream.next('trades')))
    const looks = (performance.now() - startedMs) / 20 + 2
    expect(market.reads - before).toBeLessThanOrEqual(looks * 5)
    expect(sseClients(server)).toBe(20)
    for (const stream of streams) stream.close()
  })

  it('jumps to the newest when more came in than a page shows', async () => {
    const {market, open} = await setUp()
    const stream = await open()
    await stream.next('snapshot')
    market.store(...trades(10, 510))
    const {data} = await stream.next('latest', (received) => received.data.at(-1).tradeId === '509')
    expect(tradeIds(data)).toEqual(numbers(410, 510))
    expect(stream.named('snapshot')).toHaveLength(1)
    stream.close()
  })

  it('tells when the store goes and comes, and brings all up to date then', async () => {
    const {market, open, server} = await setUp()
    const stream = await open()
    await stream.next('snapshot')
    market.gone = true
    const {data} = await stream.next('store')
    expect(data).toEqual({available: false, message: expect.stringContaining('not there')})
    expect((await server.get('/readyz')).status).toBe(503)
    market.store(trade(10))
    market.gone = false
    await stream.next('store', (received) => received.data.available)
    const again = await stream.next('snapshot', (received) => received.data.trades.length === 11)
    expect(tradeIds(again.data.trades)).toEqual(numbers(0, 11))
    stream.close()
  })

  it('keeps a quiet connection alive', async () => {
    const {open} = await setUp({heartbeatMs: 20})
    const stream = await open()
    await until('heartbeats', () => stream.comments > 3)
    stream.close()
  })
})

describe('coming back', () => {
  it('goes on after Last-Event-ID without a gap or a double', async () => {
    const {market, open} = await setUp()
    const seen: number[] = []
    let stream = await open()
    seen.push(...tradeIds((await stream.next('snapshot')).data.trades))
    for (let from = 10; from < 100; from += 10) {
      market.store(...trades(from, from + 5))
      await until('live trades', () => liveIds(stream).at(-1) === from + 4)
      seen.push(...liveIds(stream))
      const {lastId} = stream
      stream.close()
      market.store(...trades(from + 5, from + 10))
      stream = await open(lastId)
      await until('missed trades', () => liveIds(stream).at(-1) === from + 9)
      expect(stream.named('snapshot')).toEqual([])
    }
    seen.push(...liveIds(stream))
    expect(new Set(seen).size).toBe(100)
    expect(seen.filter((id, i) => seen.indexOf(id) === i)).toEqual(numbers(0, 100))
    stream.close()
  })

  it.each([
    ['of another run', '000000000000.5'],
    ['that is garbage', 'x%E0%A4%A.\u00ff'],
    ['that is empty', ''],
  ])('starts over with an id %s', async (_name, id) => {
    const {open} = await setUp()
    const stream = await open(id)
    expect((await stream.next('snapshot')).data.trades).toHaveLength(10)
    stream.close()
  })

  it('starts over when the feed ended meanwhile', async () => {
    const {open} = await setUp({lingerMs: 0})
    const first = await open()
    await first.next('snapshot')
    const {lastId} = first
    first.close()
    await until('a new run', async () => {
      const stream = await open(lastId)
      await until('first event', () => stream.events.length > 0)
      stream.close()
      return stream.named('snapshot').length > 0
    })
  })
})

describe('a browser that stops reading', () => {
  it('costs no memory, and is brought up to date when it reads again', async () => {
    const {market, server} = await setUp({pollMs: 2})
    const responses = watchResponses()
    const socket = connect(Number(new URL(server.url).port), '127.0.0.1')
    let received = ''
    socket.setEncoding('utf8').on('data', (text: string) => {
      received += text
    })
    socket.write(`GET /${BTC} HTTP/1.1\r\nHost: localhost\r\n\r\n`)
    await until('the snapshot', () => received.includes('event: snapshot'))
    socket.pause()
    const other = await EventStream.open(server.url + BTC)
    let next = 10
    const size = `0.${'1'.repeat(2_000)}`
    // More than any socket buffer takes: 20 MB of trades.
    for (let round = 0; round < 100; round++) {
      market.store(...trades(next, next + 100).map((one) => ({...one, size})))
      next += 100
      const last = String(next - 1)
      await until('the other browser to have it', () =>
        other.events.some(({data}) => (Array.isArray(data) ? data : (data.trades ?? [])).at(-1)?.tradeId === last),
      )
      other.events.length = 0
    }
    const waiting = responses[0]
    expect(waiting?.writableNeedDrain).toBe(true)
    expect(waiting?.writableLength).toBeLessThan(600_000)
    received = ''
    socket.resume()
    await until('the newest trade', () => received.includes(`"tradeId":"${next - 1}"`))
    expect(received.split('event: snapshot').length).toBeGreaterThan(1)
    socket.destroy()
    other.close()
  })
})

describe('many browsers', () => {
  it('come and go and leave nothing behind', async () => {
    const {open, server} = await setUp()
    const responses = watchResponses()
    for (let round = 0; round < 2; round++) {
      const streams = await Promise.all(numbers(0, 200).map(() => open()))
      await Promise.all(streams.map((stream) => stream.next('snapshot')))
      expect(sseClients(server)).toBe(200)
      for (const stream of streams) stream.close()
      await until('all gone', () => sseClients(server) === 0)
    }
    expect(responses).toHaveLength(400)
    expect(responses.filter(({destroyed}) => !destroyed)).toEqual([])
  })

  it('are not counted when they left before they were answered', async () => {
    const {market, server, open} = await setUp()
    const responses = watchResponses()
    const answer = Promise.withResolvers<readonly MarketId[]>()
    market.markets = () => answer.promise
    const sockets = numbers(0, 20).map(() => connect(Number(new URL(server.url).port), '127.0.0.1'))
    for (const socket of sockets) socket.write(`GET /${BTC} HTTP/1.1\r\nHost: localhost\r\n\r\n`)
    await until('all to be asked', () => responses.length === 20)
    for (const socket of sockets) socket.destroy()
    await until('all gone', () => responses.every(({destroyed}) => destroyed))
    answer.resolve([{exchange: 'upbit', symbol: 'BTC-KRW'}])
    const stream = await open()
    await stream.next('snapshot')
    expect(sseClients(server)).toBe(1)
    stream.close()
  })

  it('are refused beyond the limit', async () => {
    const {open} = await setUp({maxLiveClients: 2})
    const streams = [await open(), await open()]
    await expect(open()).rejects.toThrow(/503.*COINPIPE_TOO_MANY_CLIENTS/)
    for (const stream of streams) stream.close()
    const again = await until('room', () => open().catch(() => undefined))
    again.close()
  })

  it('are all let go when the server closes', async () => {
    const {open, server} = await setUp()
    const streams = await Promise.all(numbers(0, 20).map(() => open()))
    const startedMs = performance.now()
    await server.close()
    expect(performance.now() - startedMs).toBeLessThan(2_000)
    await until('all ended', () => streams.every(({ended}) => ended))
    expect(sseClients(server)).toBe(0)
  })
})
