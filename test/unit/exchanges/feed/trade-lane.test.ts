import {describe, expect, it} from 'vitest'
import type {Trade} from '../../../../src/lib/core/records.ts'
import {idKey} from '../../../../src/lib/exchanges/feed/seen-ids.ts'
import {gapRecord} from '../../../../src/lib/exchanges/feed/trade-gap.ts'
import {TradeLane, TradeMarket} from '../../../../src/lib/exchanges/feed/trade-lane.ts'

const SECOND = 1_000_000
const START = 1_700_000_000 * SECOND

function trade(tradeId: string, seconds: number): Trade {
  const eventTime = START + seconds * SECOND
  const common = {exchange: 'upbit', symbol: 'BTC-KRW', price: '1', size: '1', side: 'buy', receivedTime: eventTime} as const
  return {type: 'trade', id: `trade:upbit:BTC-KRW:${tradeId}`, tradeId, eventTime, ...common}
}

function market(): TradeMarket {
  return new TradeMarket({exchange: 'upbit', symbol: 'BTC-KRW', windowUs: 6 * SECOND, maxIds: 1000})
}

describe('TradeLane', () => {
  it('opens no gap where no trade was expected yet', () => {
    expect(new TradeLane(market()).lost('closed', START)).toBeNull()
  })

  it('opens a gap from the moment of the subscription where no trade was seen', () => {
    const lane = new TradeLane(market())
    lane.subscribed(START)
    expect(lane.lost('closed', START)?.record('open', START + 1)).toMatchObject({
      id: `gap:upbit:BTC-KRW:trade:${START}`,
      type: 'gap',
      eventTime: START,
      from: START,
      to: null,
      state: 'open',
      filled: 0,
      reason: 'closed',
    })
  })

  it('opens a gap from the newest event time, which is not always the last one received', () => {
    const lane = new TradeLane(market())
    for (const one of [trade('1', 1), trade('2', 3), trade('3', 2)]) lane.take(one)
    expect(lane.lost('closed', START)?.record('open', START)).toMatchObject({from: START + 3 * SECOND, fromId: '2'})
  })

  it('keeps one gap over several failed connections and closes it with the first trade of the new subscription', () => {
    const lane = new TradeLane(market())
    lane.take(trade('1', 1))
    const gap = lane.lost('closed', START)
    expect(lane.lost('stale', START)).toBeNull()
    const first = trade('9', 20)
    lane.take(first)
    expect(lane.live(START, first)).toEqual([gap])
    expect(lane.live(START, first)).toEqual([])
    expect(gap?.record('open', START)).toMatchObject({to: START + 20 * SECOND, toId: '9'})
  })

  it('trusts the event time of a trade more than our own clock, however far apart', () => {
    const lane = new TradeLane(market())
    lane.subscribed(START + 3600 * SECOND)
    lane.take(trade('1', 1))
    expect(lane.lost('closed', START)?.from).toBe(START + SECOND)
  })

  it.each([
    ['the same trade after a calm while', 7, '1', true],
    ['the same trade right after it', 3, '1', false],
    ['another trade', 7, '2', false],
  ])('knows whether nothing can be missing: %s', (_name, lostAfter, firstId, isEmpty) => {
    const lane = new TradeLane(market())
    lane.take(trade('1', 0))
    const gap = lane.lost('closed', START + lostAfter * SECOND)
    lane.live(START, trade(firstId, 0))
    expect(gap?.isEmpty).toBe(isEmpty)
  })

  it('resumes with a gap from the newest event time of the log', () => {
    const lane = new TradeLane(market())
    expect(lane.resume({eventTime: START, lastId: '5', ids: new Set(['4', '5']), gaps: []})).toEqual([])
    expect(lane.pending.map((gap) => gap.record('open', START))).toMatchObject([{from: START, fromId: '5', reason: 'restart', to: null}])
    expect(lane.pending[0]?.has(idKey('4'))).toBe(true)
    expect(lane.lost('closed', START)).toBeNull()
  })

  it('resumes with the gaps that were left open: those with an end at once, the other with the next trade', () => {
    const lane = new TradeLane(market())
    const old = {
      exchange: 'upbit',
      symbol: 'BTC-KRW',
      channel: 'trade',
      reason: 'closed',
      state: 'open',
      filled: 3,
      receivedTime: START,
    } as const
    const ended = gapRecord({...old, from: START, to: START + 2 * SECOND, toId: '7'})
    const endless = gapRecord({...old, from: START + 9 * SECOND, to: null})
    const ready = lane.resume({eventTime: START + 10 * SECOND, ids: new Set(), gaps: [ended, endless]})
    expect(ready.map((gap) => gap.record('open', START))).toEqual([ended])
    expect(lane.pending.map((gap) => gap.record('open', START))).toEqual([endless])
  })

  it('does not bound a gap by our own clock where the new subscription is quiet', () => {
    const lane = new TradeLane(market())
    lane.take(trade('1', 1))
    const gap = lane.lost('closed', START)
    lane.live(START + 30 * SECOND)
    expect(gap?.to).toBe(START + 30 * SECOND)
    expect(gap?.ceiling).toBe(Number.POSITIVE_INFINITY)
  })

  it('tells apart two gaps after the same trade', () => {
    const lane = new TradeLane(market())
    lane.take(trade('1', 1))
    const first = lane.lost('closed', START)
    lane.live(START)
    const second = lane.lost('closed', START)
    expect(second?.from).toBe((first?.from ?? 0) - 1)
  })

  it('knows in a gap what was seen before it and around its end, over moves of the window', () => {
    const one = market()
    const lane = new TradeLane(one)
    lane.take(trade('1', 0))
    const gap = lane.lost('closed', START)
    for (let second = 10; second < 60; second++) lane.take(trade(String(second), second))
    const first = trade('10', 10)
    lane.live(START, first)
    expect(['1', '10', '14'].map((id) => gap?.has(idKey(id)))).toEqual([true, true, true])
    expect(one.seen.has(idKey('1'))).toBe(false)
  })

  it('takes a late trade once, and refuses it from then on as a live one', () => {
    const one = market()
    const lane = new TradeLane(one)
    lane.take(trade('1', 0))
    const gap = lane.lost('closed', START)
    if (!gap) throw new Error('no gap')
    expect(one.takeLate([gap], trade('1', 0))).toBeUndefined()
    expect(one.takeLate([gap], trade('2', 1))).toBe(gap)
    expect(one.takeLate([gap], trade('2', 1))).toBeUndefined()
    expect(one.takeLate([gap], trade('3', -6))).toBeUndefined()
    expect(lane.take(trade('2', 1))).toBe(false)
  })

  it('shares what was seen between redundant connections, but not how far each got', () => {
    const one = market()
    const [first, second] = [new TradeLane(one), new TradeLane(one)]
    expect([first.take(trade('1', 1)), second.take(trade('1', 1))]).toEqual([true, false])
    first.take(trade('2', 2))
    expect(second.lost('stale', START)?.from).toBe(START + SECOND)
  })
})
