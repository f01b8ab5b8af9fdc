import type {ServerResponse} from 'node:http'
import {describe, expect, it} from 'vitest'
import {systemClock} from '../../src/lib/core/clock.ts'
import type {Clock} from '../../src/lib/core/context.ts'
import {testContext} from '../helpers/context.ts'
import {until} from '../helpers/until.ts'
import {QUICK, type RunningFeed, restTrade, runFeed, scriptedExchange, tradeFrame} from '../helpers/upbit-feed.ts'

interface Traded {
  readonly id: number
  readonly timeMs: number
}

const DAY_MS = 86_400_000

/** How a cursor is understood: as a place in the list, or as an id that all others must be below. */
type CursorMeaning = 'place' | 'id'

interface Market {
  /** Newest first. */
  readonly trades: Traded[]
  readonly cursor: CursorMeaning
  readonly pageSize: number
  readonly nowMs: () => number
  /** Queries answered. */
  readonly queries: URLSearchParams[]
}

/** Upbit's trades/ticks over a list of trades. */
function answer(market: Market, url: URL, response: ServerResponse): void {
  const query = url.searchParams
  market.queries.push(query)
  const daysAgo = Number(query.get('days_ago') ?? 0)
  const cursor = query.get('cursor')
  const day = Math.floor(market.nowMs() / DAY_MS) - daysAgo
  const ofDay = market.trades.filter(({timeMs}) => Math.floor(timeMs / DAY_MS) === day && timeMs % DAY_MS < timeOfDayMs(query.get('to')))
  const place = ofDay.findIndex(({id}) => String(id) === cursor)
  const after = cursor === null ? ofDay : market.cursor === 'place' ? ofDay.slice(place + 1) : ofDay.filter(({id}) => id < Number(cursor))
  const page = after.slice(0, Math.min(market.pageSize, Number(query.get('count'))))
  response.end(`[${page.map(({id, timeMs}) => restTrade('KRW-BTC', id, timeMs)).join(',')}]`)
}

function timeOfDayMs(text: string | null): number {
  const [hours = 24, minutes = 0, seconds = 0] = text === null ? [] : text.split(':').map(Number)
  return ((hours * 60 + minutes) * 60 + seconds) * 1000
}

/** Runs a feed that sees `before`, is dropped and sees `after`, while REST has all trades. */
async function dropBetween(
  before: Traded,
  after: Traded,
  options: Partial<Market> & {readonly trades: Traded[]; readonly clock?: Clock; rest?: (url: URL, response: ServerResponse) => boolean},
): Promise<{feed: RunningFeed; market: Market}> {
  const clock = options.clock ?? systemClock
  const market: Market = {cursor: 'id', pageSize: 500, nowMs: () => clock.nowUs() / 1000, queries: [], ...options}
  let subscriptions = 0
  const exchange = await scriptedExchange({
    rest: (url, response) => {
      if (!options.rest?.(url, response)) answer(market, url, response)
    },
    onSubscribe: (socket) => {
      const {id, timeMs} = ++subscriptions === 1 ? before : after
      socket.send(tradeFrame('KRW-BTC', id, timeMs), () => {
        if (subscriptions === 1) setImmediate(() => socket.terminate())
      })
    },
  })
  const feed = await runFeed({url: exchange.url, symbols: ['BTC-KRW'], timings: {...QUICK, settleMs: 10}}, {...testContext(), clock})
  await until('the gap is closed', () => feed.gaps()[0] && feed.gaps()[0]?.state !== 'open', 20_000)
  return {feed, market}
}

/** Trades with ids `from` down to `to`, `stepMs` apart, the last one at `endMs`. */
function falling(from: number, to: number, endMs: number, stepMs: number): Traded[] {
  return Array.from({length: from - to + 1}, (_, index) => ({id: from - index, timeMs: endMs - index * stepMs}))
}

function ids(feed: RunningFeed): number[] {
  return feed.trades().map(({tradeId}) => Number(tradeId))
}

const range = (from: number, to: number) => Array.from({length: to - from + 1}, (_, index) => from + index)

describe('back-fill of the Upbit feed', () => {
  it.each([
    ['a place', 'place', 500],
    ['an id', 'id', 500],
    ['a place on pages smaller than asked for', 'place', 50],
    ['an id on pages smaller than asked for', 'id', 50],
  ] as const)('pages back to the last trade seen where a cursor means %s', async (_name, cursor, pageSize) => {
    const nowMs = Date.now()
    const trades = falling(2000, 1, nowMs, 20)
    const last = trades[1500] ?? {id: 0, timeMs: 0}
    const {feed} = await dropBetween(last, {id: 2000, timeMs: nowMs}, {trades, cursor, pageSize})
    expect(feed.gaps()[0]).toMatchObject({state: 'filled', fromId: '500', toId: '2000'})
    // Trades within 5 s before the last one seen may have come late, and are looked for as well.
    expect(ids(feed).sort((a, b) => a - b)).toEqual(range(250, 2000))
    expect(feed.gaps()[0]?.filled).toBe(1749)
  })

  it('gives every trade back that REST has in any order of ids', async () => {
    const nowMs = Date.now()
    const trades = falling(1200, 1, nowMs, 10)
    // Within 2 s ids are in no order.
    const shuffled = trades.map((trade, index) => ({...trade, id: 10_000 + trade.id - (index % 200) + (199 - ((index * 37) % 200))}))
    const sortedById = [...shuffled].sort((a, b) => b.id - a.id)
    const last = shuffled[900] ?? {id: 0, timeMs: 0}
    const {feed} = await dropBetween(last, shuffled[0] ?? last, {trades: sortedById})
    const wanted = shuffled.filter(({timeMs}) => timeMs >= last.timeMs - 5000).map(({id}) => id)
    expect(new Set(ids(feed))).toEqual(new Set(wanted))
    expect(feed.trades()).toHaveLength(wanted.length)
  })

  it('goes through more trades of one moment than a page holds', async () => {
    const nowMs = Date.now()
    const trades = [...falling(3000, 2901, nowMs, 0), ...falling(2900, 1001, nowMs - 1000, 0), ...falling(1000, 1, nowMs - 60_000, 1)]
    const {feed} = await dropBetween({id: 1000, timeMs: nowMs - 60_000}, {id: 3000, timeMs: nowMs}, {trades, cursor: 'place'})
    expect(feed.gaps()[0]).toMatchObject({state: 'filled', filled: 2998})
  })

  it('gives up, and does not ask for ever, where pages do not move on', async () => {
    const nowMs = Date.now()
    const page = falling(2000, 1501, nowMs, 0)
    const {feed, market} = await dropBetween(
      {id: 1, timeMs: nowMs - 60_000},
      {id: 2000, timeMs: nowMs},
      {
        trades: [],
        rest: (_url, response) => {
          response.end(`[${page.map(({id, timeMs}) => restTrade('KRW-BTC', id, timeMs)).join(',')}]`)
          return true
        },
      },
    )
    expect(feed.gaps()[0]).toMatchObject({state: 'unfillable', filled: 499})
    expect(market.queries).toHaveLength(0)
  })

  it('asks for the days before where the gap crosses midnight UTC', async () => {
    const midnightMs = Math.floor(Date.now() / DAY_MS) * DAY_MS
    const offsetUs = (midnightMs + 120_000) * 1000 - systemClock.nowUs()
    // Two minutes past midnight by this clock, whatever the hour of the test.
    const clock: Clock = {...systemClock, nowUs: () => systemClock.nowUs() + offsetUs}
    const trades = falling(1000, 1, midnightMs + 100_000, 1000)
    const {feed, market} = await dropBetween({id: 200, timeMs: midnightMs - 700_000}, trades[0] ?? {id: 0, timeMs: 0}, {trades, clock})
    expect(feed.gaps()[0]).toMatchObject({state: 'filled'})
    expect(ids(feed).sort((a, b) => a - b)).toEqual(range(195, 1000))
    expect(market.queries.some((query) => query.get('days_ago') === '1')).toBe(true)
  })

  it('says unfillable where history begins after the last trade seen, and keeps what there is', async () => {
    const nowMs = Date.now()
    const trades = falling(1000, 901, nowMs, 10)
    const {feed} = await dropBetween({id: 1, timeMs: nowMs - 3_600_000}, {id: 1000, timeMs: nowMs}, {trades})
    expect(feed.gaps()[0]).toMatchObject({state: 'unfillable', reason: 'closed; the history of REST begins later', filled: 99})
    expect(ids(feed)).toHaveLength(101)
  })

  it('says unfillable where the gap is older than REST goes back', async () => {
    const nowMs = Date.now()
    const trades = falling(1000, 991, nowMs, 10)
    const {feed} = await dropBetween({id: 1, timeMs: nowMs - 9 * DAY_MS}, {id: 1000, timeMs: nowMs}, {trades})
    expect(feed.gaps()[0]).toMatchObject({state: 'unfillable', reason: 'closed; REST goes back 7 days', filled: 9})
  }, 30_000)

  it('says unfillable where the market is gone', async () => {
    const {feed} = await dropBetween(
      {id: 1, timeMs: Date.now() - 1000},
      {id: 2, timeMs: Date.now()},
      {
        trades: [],
        rest: (_url, response) => {
          response.writeHead(404).end('{"error":{"name":404,"message":"Code not found"}}')
          return true
        },
      },
    )
    expect(feed.gaps()[0]?.state).toBe('unfillable')
    expect(feed.gaps()[0]?.reason).toContain('HTTP 404')
  })

  it('waits until REST shows the first trade after the gap', async () => {
    const nowMs = Date.now()
    const trades = falling(1000, 1, nowMs, 100)
    const behind = trades.slice(100)
    let requests = 0
    const {feed} = await dropBetween(
      {id: 500, timeMs: nowMs - 50_000},
      {id: 1000, timeMs: nowMs},
      {
        trades,
        rest: (url, response) => {
          if (++requests > 2) return false
          answer({trades: behind, cursor: 'id', pageSize: 500, nowMs: Date.now, queries: []}, url, response)
          return true
        },
      },
    )
    expect(ids(feed).sort((a, b) => a - b)).toEqual(range(450, 1000))
  })

  it('sets aside what it cannot read of an answer, and takes the rest', async () => {
    const nowMs = Date.now()
    let isFirst = true
    const {feed} = await dropBetween(
      {id: 1, timeMs: nowMs - 1000},
      {id: 4, timeMs: nowMs},
      {
        trades: falling(4, 1, nowMs, 300),
        rest: (_url, response) => {
          if (!isFirst) return false
          isFirst = false
          response.end(`[${restTrade('KRW-BTC', 4, nowMs)},{"market":"KRW-BTC","sequential_id":9},${restTrade('KRW-BTC', 3, nowMs - 300)}]`)
          return true
        },
      },
    )
    expect(ids(feed).sort()).toEqual([1, 2, 3, 4])
    expect(feed.rejected.map(({code}) => code)).toEqual(['COINPIPE_FRAME_INVALID_FIELD'])
  })

  it('says unfillable where nothing of an answer can be read, and sets it aside', async () => {
    const nowMs = Date.now()
    const {feed} = await dropBetween(
      {id: 1, timeMs: nowMs - 1000},
      {id: 4, timeMs: nowMs},
      {
        trades: [],
        rest: (_url, response) => {
          response.end('[{"market":"KRW-BTC","sequential_id":9}]')
          return true
        },
      },
    )
    expect(feed.gaps()[0]?.state).toBe('unfillable')
    expect(feed.rejected.length).toBeGreaterThan(0)
  })

  it('waits as long as a 418 says, and does not ask meanwhile', async () => {
    const nowMs = Date.now()
    const asked: number[] = []
    const {feed} = await dropBetween(
      {id: 1, timeMs: nowMs - 1000},
      {id: 3, timeMs: nowMs},
      {
        trades: falling(3, 1, nowMs, 500),
        rest: (_url, response) => {
          if (asked.push(performance.now()) > 1) return false
          response.writeHead(418, {'retry-after': '1'}).end('{}')
          return true
        },
      },
    )
    expect(feed.gaps()[0]?.state).toBe('filled')
    expect((asked[1] ?? 0) - (asked[0] ?? 0)).toBeGreaterThanOrEqual(1000)
  })
})
