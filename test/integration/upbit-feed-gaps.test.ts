import {describe, expect, it} from 'vitest'
import type {Trade} from '../../src/lib/core/records.ts'
import {resumePoints} from '../../src/lib/exchanges/feed/resume.ts'
import {seededRandom} from '../../src/lib/simulate/random.ts'
import {simulator} from '../helpers/simulator.ts'
import {until} from '../helpers/until.ts'
import {lastGaps, ledgerIds, QUICK, type RunningFeed, runFeed, settled, tradeIds} from '../helpers/upbit-feed.ts'

function expectFilled(feed: RunningFeed, atLeast: number): void {
  expect(feed.gaps().length).toBeGreaterThanOrEqual(atLeast)
  expect(feed.gaps().map(({state}) => state)).toEqual(feed.gaps().map(() => 'filled'))
}

describe('gaps of the Upbit feed', () => {
  it('loses nothing and repeats nothing over 10 drops at random moments', async () => {
    const random = seededRandom(7)
    const sim = await simulator({tradesPerSecond: 3000, lateShare: 0.3})
    const feed = await runFeed({url: sim.url, depth: 1, channels: ['trade', 'book']})
    for (let drop = 1; drop <= 10; drop++) {
      const after = feed.trades().length + 300 + random() * 2000
      await until('trades come', () => feed.trades().length > after)
      sim.fault({kind: 'drop', code: random() < 0.5 ? null : 1011})
      await until('it reconnects', () => sim.stats().connections.accepted === drop + 1)
    }
    await until('trades come again', () => sim.ledger.count() > 0 && feed.gaps().every(({to}) => to !== null))
    sim.pause()
    await settled(sim, feed)
    expect(tradeIds(feed.trades())).toEqual(ledgerIds(sim))
    expectFilled(feed, 30)
    const found = feed.gaps().reduce((sum, gap) => sum + gap.filled, 0)
    expect(found).toBeGreaterThan(0)
    expect(await feed.context.metrics.text()).toContain(`coinpipe_backfill_trades_total{exchange="upbit"} ${found}`)
    const books = feed.log.filter((record) => record.type === 'gap' && record.channel === 'book')
    expect(books).toHaveLength(30)
    expect(books.every((record) => record.type === 'gap' && record.state === 'unfillable')).toBe(true)
  }, 60_000)

  it('says that a gap is open before any trade that follows it, and that it is filled after all it found', async () => {
    const sim = await simulator({tradesPerSecond: 1000})
    const feed = await runFeed({url: sim.url, symbols: ['BTC-KRW']})
    await until('trades come', () => feed.trades().length > 100)
    sim.fault({kind: 'drop', code: null})
    await until('the gap is closed', () => feed.gaps()[0]?.state === 'filled')
    const [gap] = feed.gaps()
    const states = feed.log.flatMap((record, index) => (record.type === 'gap' ? [{index, state: record.state}] : []))
    const opened = states.find(({state}) => state === 'open')?.index ?? -1
    const filled = states.find(({state}) => state === 'filled')?.index ?? -1
    const isLater = (record: Trade) => record.eventTime > (gap?.from ?? 0)
    const later = feed.log.flatMap((record, index) => (record.type === 'trade' && isLater(record) ? [index] : []))
    expect(Math.min(...later)).toBeGreaterThan(opened)
    const first = feed.log.findIndex((record) => record.type === 'trade' && record.tradeId === gap?.toId)
    const missed = later.filter((index) => (feed.log[index]?.eventTime ?? 0) < (gap?.to ?? 0) - 2_000_000 && index > first)
    expect(missed.every((index) => index < filled)).toBe(true)
    expect(gap).toMatchObject({channel: 'trade', symbol: 'BTC-KRW', reason: 'closed', fromId: expect.any(String)})
  })

  it('goes on through 429 and 500 from REST', async () => {
    const sim = await simulator({tradesPerSecond: 1000})
    const feed = await runFeed({url: sim.url})
    await until('trades come', () => feed.trades().length > 200)
    sim.fault({kind: 'rest', status: 429, count: 2})
    sim.fault({kind: 'drop', code: null})
    await until('429 is answered', () => (sim.stats().rest.byStatus['429'] ?? 0) >= 2, 10_000)
    sim.fault({kind: 'rest', status: 500, count: 3})
    await until('500 is answered', () => (sim.stats().rest.byStatus['500'] ?? 0) >= 3, 15_000)
    sim.pause()
    await settled(sim, feed)
    expect(tradeIds(feed.trades())).toEqual(ledgerIds(sim))
    expectFilled(feed, 3)
  }, 60_000)

  it('finds what an exchange kept back that still takes connections: it no longer answers heartbeats', async () => {
    const sim = await simulator({tradesPerSecond: 1000})
    const feed = await runFeed({url: sim.url, timings: {...QUICK, pingIntervalMs: 200, pongTimeoutMs: 150}})
    await until('heartbeats are answered', () => feed.trades().length > 700)
    sim.fault({kind: 'stall', forMs: 1500})
    await until('the connection is found stale', () => feed.gaps().some(({reason}) => reason === 'stale'))
    await until('it comes back', () => feed.gaps().length >= 3 && feed.gaps().every(({to}) => to !== null), 10_000)
    sim.pause()
    await settled(sim, feed)
    expect(sim.stats().faults.stalled).toBeGreaterThan(100)
    expect(tradeIds(feed.trades())).toEqual(ledgerIds(sim))
    expectFilled(feed, 3)
  })

  it('is not bothered by a market where nothing happens', async () => {
    const sim = await simulator({tradesPerSecond: 1000, booksPerSecond: 0, tickersPerSecond: 0})
    const feed = await runFeed({url: sim.url, timings: {...QUICK, pingIntervalMs: 50, pongTimeoutMs: 40}})
    await until('trades come', () => feed.trades().length > 100)
    sim.pause()
    await until('ten intervals pass', () => sim.stats().frames - sim.ledger.count() >= 10)
    expect(sim.stats().connections.accepted).toBe(1)
    expect(feed.gaps()).toEqual([])
  })

  it('keeps a symbol complete while one of two redundant connections is gone', async () => {
    const sim = await simulator({tradesPerSecond: 1000})
    const feed = await runFeed({url: sim.url, redundancy: 2})
    await until('trades come', () => feed.trades().length > 200)
    sim.fault({kind: 'drop', code: null})
    await until('both are back', () => sim.stats().connections.accepted === 4 && feed.gaps().length === 6)
    await until('all is filled', () => feed.gaps().every(({state}) => state === 'filled'), 20_000)
    sim.pause()
    await settled(sim, feed)
    expect(tradeIds(feed.trades())).toEqual(ledgerIds(sim))
  }, 40_000)

  it('gives a gap up where back-fill is off, and says so', async () => {
    const sim = await simulator({tradesPerSecond: 500})
    const feed = await runFeed({url: sim.url, symbols: ['BTC-KRW'], backfill: false})
    await until('trades come', () => feed.trades().length > 50)
    sim.fault({kind: 'drop', code: null})
    await until('the gap is closed', () => feed.gaps()[0]?.state === 'unfillable')
    expect(feed.gaps()[0]).toMatchObject({reason: 'closed; back-fill is off', filled: 0})
    expect(sim.stats().rest.requests).toBe(0)
  })
})

describe('resuming the Upbit feed from the log', () => {
  it('loses no trade over crashes at random moments, those during back-fill included', async () => {
    const random = seededRandom(11)
    const sim = await simulator({tradesPerSecond: 2000, lateShare: 0.3})
    const log: RunningFeed['log'] = []
    for (let run = 0; run < 8; run++) {
      const feed = await runFeed({url: sim.url, lastSeen: resumePoints(log)})
      const enough = 100 + random() * 3000
      await until('some are acked', () => feed.log.length > enough / 2, 10_000)
      if (run % 2 === 0) sim.fault({kind: 'drop', code: null})
      await until('more are acked', () => feed.log.length > enough, 10_000)
      // What is not acked by now is gone, as after kill -9.
      log.push(...feed.log)
      await feed.source.close()
    }
    const feed = await runFeed({url: sim.url, lastSeen: resumePoints(log)})
    await until('every gap is known to end', () => feed.gaps().length >= 3 && feed.gaps().every(({to}) => to !== null))
    sim.pause()
    await until('every gap is closed', () => feed.gaps().every(({state}) => state !== 'open'), 30_000)
    const trades = [...log, ...feed.log].filter((record) => record.type === 'trade')
    expect([...new Set(tradeIds(trades))]).toEqual(ledgerIds(sim))
    const gaps = lastGaps([...log, ...feed.log])
    expect(gaps.some(({reason, filled}) => reason === 'restart' && filled > 0)).toBe(true)
    expect(gaps.map(({state}) => state)).toEqual(gaps.map(() => 'filled'))
  }, 60_000)

  it('opens no gap where there is no log', async () => {
    const sim = await simulator({maxTrades: 300})
    const feed = await runFeed({url: sim.url, lastSeen: resumePoints([])})
    await sim.finished
    await settled(sim, feed)
    expect(feed.gaps()).toEqual([])
  })
})
