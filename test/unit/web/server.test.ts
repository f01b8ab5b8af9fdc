import {createServer} from 'node:net'
import {describe, expect, it} from 'vitest'
import {CannotListenError, PageMissingError} from '../../../src/lib/web/errors.ts'
import {MemoryMarket} from '../../helpers/memory-market.ts'
import {candle, startTestServer, trade, trades} from '../../helpers/web-server.ts'

async function marketServer() {
  const market = new MemoryMarket()
  market.store(...trades(0, 30), trade(0, 'ETH-KRW'))
  market.setCandles(candle(0), candle(1), candle(1, {interval: '5m'}))
  return {market, server: await startTestServer(market)}
}

describe('answers', () => {
  it('lists markets, and says whether they are simulated', async () => {
    const {market, server} = await marketServer()
    const markets = [
      {exchange: 'upbit', symbol: 'BTC-KRW'},
      {exchange: 'upbit', symbol: 'ETH-KRW'},
    ]
    expect(await (await server.get('/api/markets')).json()).toEqual({simulated: false, markets})
    const simulated = await startTestServer(market, {simulated: true})
    expect(await (await simulated.get('/api/markets')).json()).toEqual({simulated: true, markets})
  })

  it('gives trades, newest first, or after a cursor, oldest first', async () => {
    const {server, market} = await marketServer()
    const page = await (await server.get('/api/trades?exchange=upbit&symbol=BTC-KRW&limit=2')).json()
    expect(page.trades).toEqual([trade(29), trade(28)])
    market.store(trade(30), trade(31))
    const after = encodeURIComponent(page.cursor)
    const next = await (await server.get(`/api/trades?exchange=upbit&symbol=BTC-KRW&after=${after}`)).json()
    expect(next.trades).toEqual([trade(30), trade(31)])
  })

  it('gives candles of one interval, and of a range', async () => {
    const {server} = await marketServer()
    const all = await (await server.get('/api/candles?exchange=upbit&symbol=BTC-KRW')).json()
    expect(all).toEqual({candles: [candle(0), candle(1)]})
    const range = await (await server.get(`/api/candles?exchange=upbit&symbol=BTC-KRW&from=${candle(1).startTime}`)).json()
    expect(range).toEqual({candles: [candle(1)]})
  })

  it('gives null where a market has no ticker or book yet', async () => {
    const {server} = await marketServer()
    expect(await (await server.get('/api/ticker?exchange=upbit&symbol=BTC-KRW')).json()).toEqual({ticker: null})
    expect(await (await server.get('/api/book?exchange=upbit&symbol=BTC-KRW')).json()).toEqual({book: null})
  })

  it('sends the page with headers that let nothing else in', async () => {
    const {server} = await marketServer()
    const response = await server.get('/')
    expect(await response.text()).toBe('stand-in index.html')
    expect(response.headers.get('content-type')).toBe('text/html; charset=utf-8')
    expect(response.headers.get('content-security-policy')).toMatch(/^default-src 'none'.*script-src 'self'/)
    expect(response.headers.get('content-security-policy')).not.toContain('unsafe')
    expect(response.headers.get('x-content-type-options')).toBe('nosniff')
    expect(response.headers.get('referrer-policy')).toBe('no-referrer')
  })

  it('exports metrics, its own requests among them by route', async () => {
    const {server} = await marketServer()
    await server.get('/api/markets')
    await server.get('/nothing/here')
    const text = await (await server.get('/metrics')).text()
    expect(text).toContain('coinpipe_http_requests_total{route="/api/markets",status="2xx"} 1')
    expect(text).toContain('coinpipe_http_requests_total{route="unknown",status="4xx"} 1')
  })

  it('keeps metrics to itself where told to', async () => {
    const server = await startTestServer(new MemoryMarket(), {showMetrics: false})
    expect((await server.get('/metrics')).status).toBe(404)
    expect((await server.get('/healthz')).status).toBe(200)
  })
})

describe('bad requests', () => {
  it.each([
    ['no market', '/api/trades', 400, 'exchange:'],
    ['a symbol that is none', '/api/trades?exchange=upbit&symbol=btc', 400, "such as 'BTC-KRW'"],
    ['an exchange that is none', '/api/book?exchange=..%2F..&symbol=BTC-KRW', 400, "such as 'upbit'"],
    ['a parameter given twice', '/api/ticker?exchange=upbit&exchange=upbit&symbol=BTC-KRW', 400, 'exchange:'],
    ['a limit of 0', '/api/trades?exchange=upbit&symbol=BTC-KRW&limit=0', 400, 'at least 1'],
    ['a limit beyond all bounds', '/api/trades?exchange=upbit&symbol=BTC-KRW&limit=1000000', 400, 'at most 500'],
    ['a limit that is no number', '/api/candles?exchange=upbit&symbol=BTC-KRW&limit=1e2', 400, 'whole number'],
    ['an unknown interval', '/api/candles?exchange=upbit&symbol=BTC-KRW&interval=2m', 400, 'interval:'],
    ['an unknown parameter', '/api/ticker?exchange=upbit&symbol=BTC-KRW&depth=5', 400, 'depth'],
    [
      'a coin without data',
      '/api/trades?exchange=upbit&symbol=DOGE-KRW',
      404,
      'no data of upbit:DOGE-KRW; known: upbit:BTC-KRW, upbit:ETH-KRW',
    ],
    ['a live coin without data', '/events?exchange=upbit&symbol=DOGE-KRW', 404, 'no data of upbit:DOGE-KRW'],
    ['a path that is none', '/api/nothing', 404, 'nothing at GET /api/nothing'],
    ['a path out of the page', '/..%2f..%2fpackage.json', 404, 'nothing at GET'],
    ['a broken escape', '/%E0%A4%A', 400, ''],
  ])('%s', async (_name, path, status, message) => {
    const {server} = await marketServer()
    const response = await server.get(path)
    const {error} = (await response.json()) as {error: {code: string; message: string}}
    expect({status: response.status, message: error.message}).toEqual({status, message: expect.stringContaining(message)})
    expect(response.headers.get('x-content-type-options')).toBe('nosniff')
  })

  it('refuses bodies and other methods', async () => {
    const {server} = await marketServer()
    const response = await fetch(new URL('/api/markets', server.url), {method: 'POST', body: 'x'.repeat(5_000)})
    expect(response.status).toBeGreaterThanOrEqual(400)
    expect(response.status).toBeLessThan(500)
  })
})

describe('a store that is gone', () => {
  it('is a 503 that says so, a health state, and over once it is back', async () => {
    const {server, market} = await marketServer()
    market.gone = true
    const response = await server.get('/api/trades?exchange=upbit&symbol=BTC-KRW')
    expect(response.status).toBe(503)
    expect(response.headers.get('retry-after')).toBe('1')
    expect(await response.json()).toMatchObject({
      error: {code: 'COINPIPE_STORE_UNAVAILABLE', message: expect.stringContaining('not there')},
    })
    const health = await server.get('/healthz')
    expect(health.status).toBe(503)
    expect(await health.json()).toMatchObject({state: 'down', components: {page: {state: 'down', message: 'the store file is not there'}}})
    market.gone = false
    expect((await server.get('/api/trades?exchange=upbit&symbol=BTC-KRW')).status).toBe(200)
    expect((await server.get('/healthz')).status).toBe(200)
  })

  it('answers in bounded time when the store hangs', async () => {
    const market = new MemoryMarket()
    market.markets = () => new Promise(() => undefined)
    const server = await startTestServer(market, {storeDeadlineMs: 50})
    const response = await server.get('/api/markets')
    expect(response.status).toBe(503)
    expect(await response.json()).toMatchObject({error: {message: 'the store cannot be read: no answer within 50 ms'}})
  })

  it('is ready only once every component has started', async () => {
    const {server} = await marketServer()
    expect((await server.get('/readyz')).status).toBe(200)
    server.context.health.set('ingest', 'starting')
    expect((await server.get('/readyz')).status).toBe(503)
    expect((await server.get('/healthz')).status).toBe(200)
    server.context.health.set('ingest', 'degraded', 'spilling')
    expect((await server.get('/readyz')).status).toBe(200)
  })
})

describe('startServer', () => {
  it('says which port is in use and what to type', async () => {
    const other = createServer().listen(0, '127.0.0.1')
    await new Promise((resolve) => other.once('listening', resolve))
    const {port} = other.address() as {port: number}
    const failed = await startTestServer(new MemoryMarket(), {port}).catch((error: unknown) => error)
    other.close()
    expect(failed).toBeInstanceOf(CannotListenError)
    expect(failed).toMatchObject({message: `cannot listen on 127.0.0.1 port ${port}: the port is in use by another process`})
    expect((failed as CannotListenError).remedy.join()).toContain('--port 0')
  })

  it('says that the page was not built', async () => {
    const failed = await startTestServer(new MemoryMarket(), {pageDirectory: new URL('file:///nowhere/page/')}).catch(
      (error: unknown) => error,
    )
    expect(failed).toBeInstanceOf(PageMissingError)
  })

  it('closes twice without a complaint, and frees its port', async () => {
    const server = await startTestServer(new MemoryMarket())
    await server.close()
    await server.close()
    await expect(fetch(server.url)).rejects.toThrow('fetch failed')
  })
})
