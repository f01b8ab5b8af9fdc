import {createConnection} from 'node:net'
import {describe, expect, it} from 'vitest'
import type {Simulator} from '../../src/lib/simulate/simulator.ts'
import {CODES, complete, ledgerKeys, simulator, TRADES, tradeKeys} from '../helpers/simulator.ts'
import {until} from '../helpers/until.ts'
import {connectClient} from '../helpers/upbit-client.ts'

/** The beginning of what comes back for these bytes. */
function rawAnswer(sim: Simulator, bytes: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = createConnection(sim.port, '127.0.0.1', () => socket.write(bytes))
    socket.once('error', reject)
    socket.once('data', (data) => {
      resolve(data.toString())
      socket.destroy()
    })
  })
}

describe('simulator: websocket', () => {
  it.each(['DEFAULT', 'SIMPLE', 'JSON_LIST', 'SIMPLE_LIST'])('sends every trade of the ledger once as %s', async (format) => {
    const sim = await simulator({maxTrades: 1500, tradesPerSecond: 20_000, tradesPerFrame: 20})
    const client = await connectClient(sim.url)
    client.subscribe([TRADES], format)
    await complete(sim, client, 1500)
    expect(tradeKeys(client)).toEqual(ledgerKeys(sim))
    expect(client.binary.every(Boolean)).toBe(true)
    expect(client.frames.every((frame) => frame.startsWith(format.endsWith('LIST') ? '[' : '{'))).toBe(true)
    expect(client.frames[0]).toContain(format.startsWith('SIMPLE') ? '"st":"REALTIME"' : '"stream_type":"REALTIME"')
    expect(sim.stats()).toMatchObject({trades: 1500, running: false, sent: {trade: 1500}})
  })

  it('sends books, tickers and candles for the codes asked for', async () => {
    const sim = await simulator({booksPerSecond: 100, tickersPerSecond: 100})
    const client = await connectClient(sim.url)
    client.subscribe([
      {type: 'orderbook', codes: ['KRW-BTC.15'], level: 10_000},
      {type: 'ticker', codes: ['KRW-ETH']},
      {type: 'candle.1s', codes: ['KRW-XRP']},
    ])
    const first = (type: string) =>
      until(`a ${type}`, () => client.messages().find((message) => message.type === type && message.stream_type === 'REALTIME'))
    const book = (await first('orderbook')) as {code: string; level: number; orderbook_units: {ask_price: number; bid_price: number}[]}
    expect(book).toMatchObject({code: 'KRW-BTC', level: 10_000})
    expect(book.orderbook_units).toHaveLength(15)
    for (const unit of book.orderbook_units) expect([unit.ask_price % 10_000, unit.bid_price % 10_000]).toEqual([0, 0])
    expect(book.orderbook_units[0]!.ask_price).toBeGreaterThan(book.orderbook_units[0]!.bid_price)
    expect(await first('ticker')).toMatchObject({code: 'KRW-ETH', market_state: 'ACTIVE', acc_trade_volume_24h: expect.any(Number)})
    expect(await first('candle.1s')).toMatchObject({
      code: 'KRW-XRP',
      candle_date_time_utc: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:]{8}$/),
    })
    expect(new Set(client.messages().map((message) => message.type))).toEqual(new Set(['orderbook', 'ticker', 'candle.1s']))
  })

  it('begins a subscription with snapshots, and sends nothing else where only those are wanted', async () => {
    const sim = await simulator({maxTrades: 500, tradesPerSecond: 20_000})
    sim.resume()
    await sim.finished
    const client = await connectClient(sim.url)
    client.subscribe(
      [
        {...TRADES, is_only_realtime: false, is_only_snapshot: true},
        {type: 'ticker', codes: CODES, is_only_snapshot: true},
      ],
      'SIMPLE',
    )
    await until('six snapshots', () => client.frames.length >= 6)
    expect(client.messages().map(({ty, cd, st}) => [ty, cd, st])).toEqual(
      ['trade', 'ticker'].flatMap((type) => CODES.map((code) => [type, code, 'SNAPSHOT'])),
    )
    expect(ledgerKeys(sim)).toEqual(expect.arrayContaining(tradeKeys(client)))
  })

  it('goes on without clients, from the first subscription to a pause', async () => {
    const sim = await simulator()
    const first = await connectClient(sim.url)
    expect(sim.stats()).toMatchObject({running: false, trades: 0})
    first.subscribe([TRADES])
    await until('the market moves', () => sim.stats().trades > 0)
    first.ws.terminate()
    await until('the client is gone', () => sim.stats().connections.open === 0)
    const {trades} = sim.stats()
    await until('the market goes on', () => sim.stats().trades > trades + 100)
    sim.pause()
    const paused = sim.stats().trades
    const second = await connectClient(sim.url)
    second.subscribe([{...TRADES, is_only_realtime: false}])
    await until('the snapshot', () => second.frames.length === CODES.length)
    expect(sim.stats()).toMatchObject({running: false, trades: paused})
  })

  it('answers PING and names what is wrong with a request', async () => {
    const sim = await simulator({limits: false})
    const client = await connectClient(sim.url)
    client.ws.send('PING')
    for (const request of ['nonsense', '[{"type":"trade"}]', '[{"ticket":"a"}]', '[{"ticket":"a"},{"type":"trade"}]'])
      client.ws.send(request)
    await until('five answers', () => client.frames.length === 5)
    expect(client.frames[0]).toBe('{"status":"UP"}')
    const names = client
      .messages()
      .slice(1)
      .map((message) => (message.error as {name: string}).name)
    expect(names).toEqual(['WRONG_FORMAT', 'NO_TICKET', 'NO_TYPE', 'NO_CODES'])
  })

  it('holds the documented limits: 5 connections a second, 5 requests a second, one in 10 s with an Origin header', async () => {
    const sim = await simulator()
    const clients = await Promise.all([1, 2, 3, 4].map(() => connectClient(sim.url)))
    await connectClient(sim.url, {headers: {Origin: 'https://example.com'}})
    await expect(connectClient(sim.url)).rejects.toThrow('429')
    for (let i = 0; i < 6; i++) clients[0]!.ws.send('x')
    await until('six answers', () => clients[0]!.frames.length === 6)
    expect(clients[0]!.frames[5]).toContain('TOO_MANY_REQUESTS')
    await until('connections are allowed again', () => connectClient(sim.url).catch(() => null))
    await expect(connectClient(sim.url, {headers: {Origin: 'https://example.com'}})).rejects.toThrow('429')
  })

  it('closes connections on which nothing happens', async () => {
    const sim = await simulator({idleTimeoutMs: 100})
    const client = await connectClient(sim.url)
    expect(await until('the connection closes', () => client.closed())).toBe(1000)
    expect(sim.stats().connections).toMatchObject({idle: 1, open: 0})
  })

  it('cuts a client that reads too slowly', async () => {
    const sim = await simulator({tradesPerSecond: 100_000, maxBufferedBytes: 100_000})
    const client = await connectClient(sim.url)
    client.subscribe([TRADES])
    await until('trades arrive', () => client.frames.length > 0)
    client.ws.pause()
    await until('the client is cut', () => sim.stats().connections.tooSlow === 1, 20_000)
    expect(sim.stats().running).toBe(true)
  })

  it('is marked as simulated in the handshake', async () => {
    const sim = await simulator()
    const key = 'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n'
    const response = await rawAnswer(
      sim,
      `GET /websocket/v1 HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n${key}\r\n`,
    )
    expect(response).toContain('101 Switching Protocols')
    expect(response).toContain('X-Coinpipe-Simulated: true')
  })
})

describe('simulator: REST', () => {
  const getJson = async (sim: Simulator, path: string) => {
    const response = await fetch(`${sim.restUrl}${path}`)
    return {status: response.status, headers: response.headers, text: await response.text()}
  }

  it.each([0, 0.2])('pages through every trade of the ledger, with a share of %d dated back', async (lateShare) => {
    const sim = await simulator({maxTrades: 4000, tradesPerSecond: 1300, limits: false, lateShare})
    sim.resume()
    await sim.finished
    for (const market of CODES) {
      const found: string[] = []
      for (let cursor = ''; ; ) {
        const {text} = await getJson(sim, `/v1/trades/ticks?market=${market}&count=500${cursor}`)
        const page = [...text.matchAll(/"trade_price":([^,]+).*?"sequential_id":(\d+)/g)].map(([, price, id]) => ({
          id,
          price: Number(price),
        }))
        if (page.length === 0) break
        found.push(...page.map(({id, price}) => `${market} ${id} ${price}`))
        cursor = `&cursor=${page.at(-1)?.id}`
      }
      const sent = [...sim.ledger.trades(market)].map((trade) => `${market} ${trade.sequentialId} ${Number(trade.price)}`)
      // Ids of a day; a run that crosses midnight UTC has to ask for the day before as well.
      const days = new Set([...sim.ledger.trades(market)].map((trade) => Math.floor(trade.timestampMs / 86_400_000)))
      if (days.size === 1) expect(found.toSorted()).toEqual(sent.toSorted())
    }
  })

  it('has trades with the fields of the exchange, and gives a day and a time of day', async () => {
    const sim = await simulator({maxTrades: 50, tradesPerSecond: 20_000})
    sim.resume()
    await sim.finished
    const [newest] = JSON.parse((await getJson(sim, '/v1/trades/ticks?market=KRW-BTC&count=1')).text)
    expect(Object.keys(newest)).toEqual([
      'market',
      'trade_date_utc',
      'trade_time_utc',
      'timestamp',
      'trade_price',
      'trade_volume',
      'prev_closing_price',
      'change_price',
      'ask_bid',
      'sequential_id',
    ])
    expect(JSON.parse((await getJson(sim, '/v1/trades/ticks?market=KRW-BTC&days_ago=1')).text)).toEqual([])
    expect(JSON.parse((await getJson(sim, '/v1/trades/ticks?market=KRW-BTC&to=00:00:00')).text)).toEqual([])
    expect(JSON.parse((await getJson(sim, '/v1/trades/ticks?market=KRW-BTC&to=235959')).text)).toHaveLength(1)
  })

  it('answers markets, tickers, books and candles', async () => {
    const sim = await simulator({maxTrades: 500, tradesPerSecond: 20_000})
    sim.resume()
    await sim.finished
    const get = async (path: string) => JSON.parse((await getJson(sim, path)).text)
    expect((await get('/v1/market/all')).map(({market}: {market: string}) => market)).toEqual(CODES)
    expect(await get('/v1/ticker?markets=KRW-BTC,KRW-XRP')).toMatchObject([{market: 'KRW-BTC'}, {market: 'KRW-XRP'}])
    const [book] = await get('/v1/orderbook?markets=KRW-ETH&count=5')
    expect(book).toMatchObject({market: 'KRW-ETH', level: 0, orderbook_units: Array(5).fill({ask_price: expect.any(Number)})})
    const candles = await get('/v1/candles/seconds?market=KRW-BTC&count=200')
    const volume = [...sim.ledger.trades('KRW-BTC')].reduce((sum, trade) => sum + Number(trade.volume), 0)
    const inCandles = candles.reduce((sum: number, candle: {candle_acc_trade_volume: number}) => sum + candle.candle_acc_trade_volume, 0)
    expect(inCandles).toBeCloseTo(volume, 6)
    expect(await get('/v1/candles/minutes/240?market=KRW-BTC')).toMatchObject([{market: 'KRW-BTC', unit: 240}])
  })

  it.each([
    [404, '/v1/nothing'],
    [404, '/v1/trades/ticks?market=KRW-NONE'],
    [400, '/v1/trades/ticks?market=KRW-BTC&count=501'],
    [400, '/v1/trades/ticks?market=KRW-BTC&days_ago=8'],
    [400, '/v1/trades/ticks?market=KRW-BTC&to=25:00:00'],
    [400, '/v1/trades/ticks?market=KRW-BTC&cursor=x'],
    [400, '/v1/ticker'],
    [404, '/v1/orderbook?markets=KRW-BTC,KRW-NONE'],
    [400, '/v1/orderbook?markets=KRW-BTC&level=3'],
    [404, '/v1/candles/minutes/2?market=KRW-BTC'],
    [400, '/v1/candles/seconds?market=KRW-BTC&to=soon'],
  ])('answers %i to %s', async (status, path) => {
    expect(await getJson(await simulator(), path)).toMatchObject({status, text: expect.stringContaining('"error"')})
  })

  it('survives a request for what is no URL', async () => {
    const sim = await simulator()
    expect(await rawAnswer(sim, 'GET // HTTP/1.1\r\nHost: x\r\n\r\n')).toContain('404 Not Found')
    expect(await rawAnswer(sim, 'GET //[ HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n')).toContain(
      '404 Not Found',
    )
  })

  it('counts requests down and answers 429 past ten a second', async () => {
    const sim = await simulator()
    const answers = []
    for (let i = 0; i < 11; i++) answers.push(await getJson(sim, '/v1/market/all'))
    expect(answers[0]?.headers.get('remaining-req')).toBe('group=market; min=600; sec=9')
    expect(answers[0]?.headers.get('x-coinpipe-simulated')).toBe('true')
    expect(answers.map(({status}) => status)).toEqual([...Array(10).fill(200), 429])
    expect((await getJson(sim, '/v1/trades/ticks?market=KRW-BTC')).status).toBe(200)
  })
})
