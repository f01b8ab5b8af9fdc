import {describe, expect, it} from 'vitest'
import {listMarkets} from '../../src/lib/exchanges/upbit/rest.ts'
import {testContext} from '../helpers/context.ts'
import {simulator} from '../helpers/simulator.ts'
import {until} from '../helpers/until.ts'
import {ledgerIds, runFeed, scriptedExchange, settled, tradeFrame, tradeIds} from '../helpers/upbit-feed.ts'

describe('the Upbit feed against a local exchange', () => {
  it('delivers every trade once, with books and tickers beside them', async () => {
    const sim = await simulator({tradesPerSecond: 5000, maxTrades: 10_000})
    const feed = await runFeed({url: sim.url, channels: ['trade', 'book', 'ticker'], depth: 5})
    await sim.finished
    await settled(sim, feed)
    expect(tradeIds(feed.trades())).toEqual(ledgerIds(sim))
    const books = feed.log.filter((record) => record.type === 'book')
    expect(books.length).toBeGreaterThan(0)
    expect(books.every((book) => book.bids.length === 5 && book.asks.length === 5)).toBe(true)
    expect(feed.log.some((record) => record.type === 'ticker')).toBe(true)
    expect(feed.gaps()).toEqual([])
  })

  it.each(['DEFAULT', 'SIMPLE', 'JSON_LIST', 'SIMPLE_LIST'] as const)('reads format %s', async (format) => {
    const sim = await simulator({maxTrades: 500})
    const feed = await runFeed({url: sim.url, format})
    await sim.finished
    await settled(sim, feed)
    expect(tradeIds(feed.trades())).toEqual(ledgerIds(sim))
  })

  it('spreads the symbols of the market list over connections', async () => {
    const symbols = ['BTC-KRW', 'ETH-KRW', 'XRP-KRW', 'SOL-KRW', 'ETH-BTC', 'BTC-USDT']
    const sim = await simulator({symbols, maxTrades: 2000})
    sim.pause()
    const feed = await runFeed({url: sim.url, symbols: 'all', quotes: ['KRW', 'USDT'], connections: 3, channels: ['trade', 'book']})
    await until('every market answers', () => feed.log.length + feed.rejected.length >= 5)
    sim.resume()
    await sim.finished
    const wanted = ledgerIds(sim).filter((id) => !id.startsWith('ETH-BTC'))
    await until('all trades come', () => feed.trades().length >= wanted.length)
    expect(tradeIds(feed.trades())).toEqual(wanted)
    expect(sim.stats().connections.accepted).toBe(3)
    expect(await feed.context.metrics.text()).toContain('coinpipe_feed_connections{exchange="upbit"} 3')
  })

  it('lists markets by both their names', async () => {
    const sim = await simulator()
    const markets = await listMarkets(sim.restUrl, testContext())
    expect(markets[0]).toEqual({code: 'KRW-BTC', symbol: 'BTC-KRW', koreanName: '비트코인', englishName: 'Bitcoin'})
    expect(markets).toHaveLength(3)
  })

  it('takes trades that come twice, or over redundant connections, once', async () => {
    const sim = await simulator({tradesPerSecond: 3000, maxTrades: 9000})
    const feed = await runFeed({url: sim.url, redundancy: 2})
    await until('trades come', () => feed.trades().length > 500)
    sim.fault({kind: 'duplicate', count: 500})
    await sim.finished
    await settled(sim, feed)
    expect(tradeIds(feed.trades())).toEqual(ledgerIds(sim))
    await feed.stop()
    const duplicates = await feed.context.metrics.text()
    expect(Number(/coinpipe_duplicates_total\{component="upbit"\} (\d+)/.exec(duplicates)?.[1])).toBeGreaterThan(9000)
  })

  it('slows the exchange down while nothing is acked, holds a bounded number of records and then catches up', async () => {
    const sim = await simulator({tradesPerSecond: 20_000, maxTrades: 60_000})
    const feed = await runFeed({url: sim.url, queue: {maxRecords: 2000}})
    await until('trades come', () => feed.trades().length > 1000)
    feed.hold = true
    await sim.finished
    feed.hold = false
    let most = 0
    await until(
      'all trades come',
      async () => {
        const queued = /coinpipe_component_queue_records\{component="upbit"\} (\d+)/.exec(await feed.context.metrics.text())
        most = Math.max(most, Number(queued?.[1]))
        return feed.trades().length >= 60_000
      },
      20_000,
    )
    expect(tradeIds(feed.trades())).toEqual(ledgerIds(sim))
    // One read of a socket is at most 64 KiB: some 250 trades.
    expect(most).toBeLessThan(2000 + 500)
  })

  it('hands on what it had received when it is stopped', async () => {
    const sim = await simulator({tradesPerSecond: 5000})
    const feed = await runFeed({url: sim.url, queue: {lingerMs: 10_000, batchRecords: 100_000}})
    await until('trades are made', () => sim.ledger.count() > 2000)
    expect(feed.trades()).toEqual([])
    await feed.stop()
    expect(feed.trades().length).toBeGreaterThan(1000)
    expect(feed.failure()).toBeUndefined()
  })

  it('sets frames aside that it cannot read, and loses no other', async () => {
    const sim = await simulator({tradesPerSecond: 2000, maxTrades: 6000})
    const feed = await runFeed({url: sim.url})
    await until('trades come', () => feed.trades().length > 100)
    for (const what of ['malformed', 'unknown', 'missing', 'huge', 'nan', 'negative'] as const) sim.fault({kind: 'garbage', what})
    await sim.finished
    await settled(sim, feed)
    expect(tradeIds(feed.trades())).toEqual(ledgerIds(sim))
    expect(feed.rejected.map(({code}) => code).sort()).toEqual([
      'COINPIPE_FRAME_INVALID_FIELD',
      'COINPIPE_FRAME_INVALID_FIELD',
      'COINPIPE_FRAME_MALFORMED',
      'COINPIPE_FRAME_MALFORMED',
      'COINPIPE_FRAME_TOO_LARGE',
      'COINPIPE_FRAME_UNKNOWN_TYPE',
    ])
    expect(feed.rejected.find(({code}) => code === 'COINPIPE_FRAME_TOO_LARGE')?.frame.length).toBeGreaterThan(8 * 1024 * 1024)
  })

  it('shows every frame to the hook that records', async () => {
    const sim = await simulator({maxTrades: 200})
    const kinds = {opened: 0, sent: 0, received: 0}
    const feed = await runFeed({url: sim.url, onFrame: ({kind}) => kinds[kind]++})
    await sim.finished
    await settled(sim, feed)
    expect(kinds).toEqual({opened: 1, sent: 1, received: 200})
  })

  it('never sends an Origin header, over websocket or REST', async () => {
    const rest = (_url: URL, response: {end(body: string): void}) => response.end('[{"market":"KRW-BTC","english_name":"Bitcoin"}]')
    const exchange = await scriptedExchange({rest, onSubscribe: (socket) => socket.send(tradeFrame('KRW-BTC', 1, Date.now()))})
    const feed = await runFeed({url: exchange.url, symbols: 'all'})
    await until('a trade comes', () => feed.trades().length === 1)
    expect(exchange.requests).toHaveLength(2)
    for (const {headers} of exchange.requests) expect(headers.origin).toBeUndefined()
  })
})
