import {readFile} from 'node:fs/promises'
import {createServer as createHttpsServer} from 'node:https'
import {createServer, type Socket} from 'node:net'
import {describe, expect, it, onTestFinished} from 'vitest'
import {CoinpipeError} from '../../src/lib/core/errors.ts'
import {createUpbitFeed} from '../../src/lib/exchanges/upbit/feed.ts'
import type {UpbitFeedOptions} from '../../src/lib/exchanges/upbit/feed-options.ts'
import {testContext} from '../helpers/context.ts'
import {simulator} from '../helpers/simulator.ts'
import {until} from '../helpers/until.ts'
import {QUICK, runFeed, scriptedExchange, tradeFrame} from '../helpers/upbit-feed.ts'

/** The error that connecting ends with. */
async function connectFailure(options: Partial<UpbitFeedOptions>): Promise<CoinpipeError> {
  const timings = {...QUICK, connectTimeoutMs: 300}
  const feed = createUpbitFeed({channels: ['trade'], symbols: ['BTC-KRW'], timings, ...options}, testContext())
  onTestFinished(() => feed.close())
  const error: unknown = await feed.connect().then(
    () => undefined,
    (reason: unknown) => reason,
  )
  if (error instanceof CoinpipeError) return error
  throw new Error(`expected a CoinpipeError, saw ${error}`)
}

/** A TCP server that does with a connection what the test says. */
async function tcpServer(onConnection: (socket: Socket) => void): Promise<number> {
  const sockets: Socket[] = []
  const server = createServer((socket) => {
    sockets.push(socket)
    socket.on('error', () => undefined)
    onConnection(socket)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  const address = server.address()
  return typeof address === 'object' && address ? address.port : 0
}

describe('connecting to Upbit fails with an error that says what was seen', () => {
  it('a name that does not resolve', async () => {
    const error = await connectFailure({url: 'wss://no-such-exchange.invalid/websocket/v1', timings: {...QUICK, connectTimeoutMs: 5000}})
    expect(error.code).toBe('COINPIPE_FEED_DNS')
    expect(error.message).toContain("cannot resolve 'no-such-exchange.invalid'")
    expect(error.retry.kind).toBe('later')
    expect(error.remedy.join(' ')).toContain('--url')
  })

  it('nobody listens', async () => {
    const error = await connectFailure({url: 'ws://127.0.0.1:1/websocket/v1'})
    expect(error.code).toBe('COINPIPE_FEED_UNREACHABLE')
    expect(error.message).toContain('ECONNREFUSED')
  })

  it('TLS with a server that speaks none', async () => {
    const port = await tcpServer((socket) => socket.on('data', () => socket.write('HTTP/1.1 400 Bad Request\r\n\r\n')))
    const error = await connectFailure({url: `wss://127.0.0.1:${port}/websocket/v1`})
    expect(error.code).toBe('COINPIPE_FEED_TLS')
    expect(error.remedy.join(' ')).toContain('ws://')
  })

  it('TLS with a certificate that nobody vouches for', async () => {
    const pem = (name: string) => readFile(new URL(`../fixtures/tls/${name}.pem`, import.meta.url))
    const server = createHttpsServer({key: await pem('key'), cert: await pem('cert')})
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    onTestFinished(() => void server.close())
    const address = server.address()
    const error = await connectFailure({url: `wss://127.0.0.1:${typeof address === 'object' ? address?.port : 0}/websocket/v1`})
    expect(error.code).toBe('COINPIPE_FEED_TLS')
    expect(error.message).toContain('DEPTH_ZERO_SELF_SIGNED_CERT')
    expect(error.retry.kind).toBe('later')
    expect(error.remedy.join(' ')).toContain('NODE_EXTRA_CA_CERTS')
  })

  it('a server that takes the connection and never answers', async () => {
    const port = await tcpServer(() => undefined)
    const error = await connectFailure({url: `ws://127.0.0.1:${port}/websocket/v1`})
    expect(error.code).toBe('COINPIPE_FEED_UNREACHABLE')
    expect(error.message).toContain('no answer in 0.3 s')
  })

  it.each([404, 429, 503])('HTTP %i in place of a websocket', async (status) => {
    const port = await tcpServer((socket) => socket.on('data', () => socket.end(`HTTP/1.1 ${status} No\r\nContent-Length: 0\r\n\r\n`)))
    const error = await connectFailure({url: `ws://127.0.0.1:${port}/websocket/v1`})
    expect(error.code).toBe('COINPIPE_FEED_REFUSED')
    expect(error.message).toContain(`HTTP ${status}`)
  })

  it('a market list that cannot be had', async () => {
    const {url} = await scriptedExchange({rest: (_url, response) => response.writeHead(403).end('{"error":{"name":403}}')})
    const error = await connectFailure({url, symbols: 'all'})
    expect(error.code).toBe('COINPIPE_REST_STATUS')
    expect(error.message).toContain('/v1/market/all')
    expect(error.message).toContain('HTTP 403')
  })

  it.each(['not json', '{"markets":[]}'])('a market list that is %s', async (body) => {
    const {url} = await scriptedExchange({rest: (_url, response) => response.end(body)})
    expect((await connectFailure({url, symbols: 'all'})).code).toBe('COINPIPE_REST_ANSWER')
  })

  it('a symbol that is none', async () => {
    const error = await connectFailure({url: 'ws://127.0.0.1:1', symbols: ['KRW/BTC']})
    expect(error.code).toBe('COINPIPE_INVALID_INPUT')
    expect(error.message).toContain("'KRW/BTC'")
  })

  it('no symbol at all', async () => {
    expect((await connectFailure({url: 'ws://127.0.0.1:1', symbols: []})).message).toContain('no symbol')
    const {url} = await scriptedExchange({rest: (_url, response) => response.end('[{"market":"BTC-ETH"}]')})
    expect((await connectFailure({url, symbols: 'all', quotes: ['KRW']})).message).toBe('upbit lists no market in KRW')
  })

  it.each(['http://127.0.0.1', 'upbit'])('%s, which is no websocket URL', (url) => {
    expect(() => createUpbitFeed({channels: ['trade'], symbols: [], url}, testContext())).toThrow('is not the URL of a websocket')
  })

  it('can be tried again on the same feed', async () => {
    const sim = await simulator({tradesPerSecond: 500})
    sim.fault({kind: 'refuse', forMs: 400})
    const feed = createUpbitFeed({channels: ['trade'], symbols: ['BTC-KRW'], url: sim.url, timings: QUICK}, testContext())
    onTestFinished(() => feed.close())
    await expect(feed.connect()).rejects.toThrow('ECONNREFUSED')
    await until('the port is open again', () =>
      feed.connect().then(
        () => true,
        () => false,
      ),
    )
    await expect(feed.check()).resolves.toBeUndefined()
  })
})

describe('an Upbit feed in trouble', () => {
  it('ends with an error that names what was asked for when the exchange refuses it', async () => {
    const refusal = '{"error":{"name":"INVALID_PARAM","message":"unsupported code"}}'
    const {url} = await scriptedExchange({onSubscribe: (socket) => socket.send(refusal)})
    const feed = await runFeed({url, symbols: ['NOPE-KRW', 'BTC-KRW']})
    const error = await until('the feed ends', () => feed.failure())
    expect(error).toMatchObject({code: 'COINPIPE_FEED_SUBSCRIPTION_REFUSED', retry: {kind: 'never'}})
    expect(String(error)).toContain('INVALID_PARAM (unsupported code); asked for KRW-NOPE, KRW-BTC')
  })

  it('connects again after an error that may pass', async () => {
    let count = 0
    const {url, sockets} = await scriptedExchange({
      onSubscribe: (socket) =>
        socket.send(++count === 1 ? '{"error":{"name":"BUSY","message":"later"}}' : tradeFrame('KRW-BTC', 1, Date.now())),
    })
    const feed = await runFeed({url, symbols: ['BTC-KRW']})
    await until('a trade comes', () => feed.trades().length === 1)
    expect(sockets).toHaveLength(2)
    expect(await feed.context.metrics.text()).toContain('coinpipe_feed_reconnects_total{exchange="upbit",reason="refused"} 1')
  })

  it('stops sending heartbeats to an exchange that takes them for an error, and stays connected', async () => {
    const timings = {...QUICK, pingIntervalMs: 30, pongTimeoutMs: 25}
    const exchange = await scriptedExchange({
      onSubscribe: (socket) => {
        socket.send(tradeFrame('KRW-BTC', 1, Date.now()))
        socket.on('message', () => socket.send('{"error":{"name":"WRONG_FORMAT","message":"no array"}}'))
      },
    })
    const feed = await runFeed({url: exchange.url, symbols: ['BTC-KRW'], timings})
    await until('a heartbeat is refused', () => exchange.received.includes('PING'))
    let pings = 0
    exchange.sockets[0]?.on('ping', () => pings++)
    await until('ten intervals pass', () => pings >= 10)
    expect(exchange.received.filter((text) => text === 'PING')).toHaveLength(1)
    expect(exchange.sockets).toHaveLength(1)
    expect(feed.failure()).toBeUndefined()
  })

  it('leaves a peer that does not even answer pings', async () => {
    const exchange = await scriptedExchange({
      onSubscribe: (socket) => {
        socket.send(tradeFrame('KRW-BTC', exchange.sockets.length, Date.now()))
        socket.pause()
      },
    })
    const feed = await runFeed({
      url: exchange.url,
      symbols: ['BTC-KRW'],
      timings: {...QUICK, pingIntervalMs: 100, pongTimeoutMs: 60},
      backfill: false,
    })
    await until('it connects anew', () => exchange.sockets.length >= 2 && feed.gaps().length >= 1)
    expect(feed.gaps()[0]?.reason).toMatch(/^stale/)
  })

  it('does not blame the exchange for its own pause', async () => {
    const sim = await simulator({tradesPerSecond: 5000})
    const timings = {...QUICK, pingIntervalMs: 50, pongTimeoutMs: 30}
    const feed = await runFeed({url: sim.url, timings, queue: {maxRecords: 500}})
    await until('trades come', () => feed.trades().length > 500)
    feed.hold = true
    const made = sim.ledger.count()
    await until('many intervals pass', () => sim.ledger.count() > made + 4000)
    feed.hold = false
    sim.pause()
    await until('all trades come', () => feed.trades().length === sim.ledger.count())
    expect(feed.gaps()).toEqual([])
  })

  it('tries again, ever more slowly, while an exchange is gone, with one gap for all that time', async () => {
    const sim = await simulator({tradesPerSecond: 500})
    const feed = await runFeed({url: sim.url, symbols: ['BTC-KRW']})
    await until('trades come', () => feed.trades().length > 100)
    sim.fault({kind: 'refuse', forMs: 800})
    sim.fault({kind: 'drop', code: null})
    await until('the gap is filled', () => feed.gaps()[0]?.state === 'filled', 10_000)
    expect(feed.gaps()).toHaveLength(1)
  })

  it('checks an exchange that it is not connected to with a connection of its own', async () => {
    const sim = await simulator()
    const good = createUpbitFeed({channels: ['trade'], symbols: ['BTC-KRW'], url: sim.url, timings: QUICK}, testContext())
    onTestFinished(() => good.close())
    await expect(good.check()).resolves.toBeUndefined()
    const bad = createUpbitFeed({channels: ['trade'], symbols: ['BTC-KRW'], url: 'ws://127.0.0.1:1', timings: QUICK}, testContext())
    onTestFinished(() => bad.close())
    await expect(bad.check()).rejects.toThrow('ECONNREFUSED')
  })

  it('closes twice without harm', async () => {
    const sim = await simulator()
    const feed = await runFeed({url: sim.url})
    await feed.source.close()
    await expect(feed.source.close()).resolves.toBeUndefined()
    await until('the connection is gone', () => sim.stats().connections.open === 0)
  })
})
