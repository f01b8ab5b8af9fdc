import {parseId} from '../trade-ids.ts'
import {candlesFrom} from './candles.ts'
import {type Exchange, ledgerTrade, type MarketState} from './exchange.ts'
import {restBookText, restCandleText, restTickerText} from './messages.ts'
import {eightDecimals, utcDate, utcTime} from './number-text.ts'
import {BOOK_LEVELS, DEFAULT_DEPTH} from './order-book.ts'

/** Requests of one group share a limit (docs.upbit.com: rate limits). */
export type RestGroup = 'market' | 'trade' | 'ticker' | 'orderbook' | 'candle'

export interface RestAnswer {
  readonly status: number
  readonly body: string
}

const DAY_MS = 86_400_000
const MAX_TRADES = 500
const MAX_CANDLES = 200
const MAX_DAYS_AGO = 7
const CANDLE_MINUTES: ReadonlySet<number> = new Set([1, 3, 5, 10, 15, 30, 60, 240])

/** The group of a path; null for a path that the exchange does not have. */
export function restGroup(path: string): RestGroup | null {
  if (path === '/v1/market/all') return 'market'
  if (path === '/v1/trades/ticks') return 'trade'
  if (path === '/v1/ticker') return 'ticker'
  if (path === '/v1/orderbook') return 'orderbook'
  return path.startsWith('/v1/candles/') ? 'candle' : null
}

export function restError(status: number, name: string | number, message: string): RestAnswer {
  return {status, body: JSON.stringify({error: {name, message}})}
}

/** Answers a quotation request; `path` must have a group. */
export function answerRest(exchange: Exchange, path: string, query: URLSearchParams, nowMs: number): RestAnswer {
  switch (restGroup(path)) {
    case 'market':
      return allMarkets(exchange)
    case 'trade':
      return tradeTicks(exchange, query)
    case 'ticker':
      return perMarket(exchange, query, (state) => (state.history.count === 0 ? null : restTickerText(state.walk, nowMs)))
    case 'orderbook':
      return orderbooks(exchange, query)
    case 'candle':
      return candles(exchange, path, query, nowMs)
    default:
      return restError(404, 404, 'no such path')
  }
}

const badParameter = (message: string): RestAnswer => restError(400, 400, message)
const unknownMarket = (): RestAnswer => restError(404, 404, 'Code not found')

function ok(objects: readonly string[]): RestAnswer {
  return {status: 200, body: `[${objects.join(',')}]`}
}

function allMarkets(exchange: Exchange): RestAnswer {
  return ok(
    exchange.states.map(({market}) =>
      JSON.stringify({market: market.code, korean_name: market.koreanName, english_name: market.englishName}),
    ),
  )
}

/** Whole number within bounds; the default where absent, null where wrong. */
function intParam(query: URLSearchParams, name: string, fallback: number, min: number, max: number): number | null {
  const text = query.get(name)
  if (text === null || text === '') return fallback
  const value = /^\d{1,9}$/.test(text) ? Number(text) : -1
  return value >= min && value <= max ? value : null
}

/**
 * Recent trades by falling id. `days_ago` picks a UTC day counted from that of the newest trade, `to` ends it at a time of day (exclusive), `cursor`
 * is the last id of the page before.
 */
function tradeTicks(exchange: Exchange, query: URLSearchParams): RestAnswer {
  const state = exchange.stateOf(query.get('market') ?? '')
  if (state === undefined) return unknownMarket()
  const count = intParam(query, 'count', 1, 1, MAX_TRADES)
  const daysAgo = intParam(query, query.has('daysAgo') ? 'daysAgo' : 'days_ago', 0, 1, MAX_DAYS_AGO)
  const dayMs = timeOfDayMs(query.get('to'))
  const cursor = query.get('cursor')
  const before = cursor === null || cursor === '' ? null : parseId(cursor)
  if (count === null) return badParameter(`count must be 1 to ${MAX_TRADES}`)
  if (daysAgo === null) return badParameter(`days_ago must be 1 to ${MAX_DAYS_AGO}`)
  if (dayMs === null) return badParameter('to must be HHmmss or HH:mm:ss')
  if (cursor !== null && cursor !== '' && before === null) return badParameter('cursor must be a sequential_id')
  const newestMs = state.walk.lastEventMs
  const fromMs = newestMs - (newestMs % DAY_MS) - daysAgo * DAY_MS
  return ok(
    state.history.page({count, before, fromMs, untilMs: fromMs + dayMs}).map((trade) => tradeText(state, ledgerTrade(state.market, trade))),
  )
}

function tradeText({walk}: MarketState, trade: ReturnType<typeof ledgerTrade>): string {
  const change = eightDecimals(Number(trade.price) - Number(walk.prevCloseText))
  return (
    `{"market":"${trade.market}","trade_date_utc":"${utcDate(trade.timestampMs)}","trade_time_utc":"${utcTime(trade.timestampMs)}",` +
    `"timestamp":${trade.timestampMs},"trade_price":${trade.price},"trade_volume":${trade.volume},"prev_closing_price":${walk.prevCloseText},` +
    `"change_price":${change},"ask_bid":"${trade.askBid}","sequential_id":${trade.sequentialId}}`
  )
}

/** Milliseconds into the day; a whole day without a text, null for a wrong one. */
function timeOfDayMs(text: string | null): number | null {
  if (text === null || text === '') return DAY_MS
  const [, hours, minutes, seconds] = /^([01]\d|2[0-3]):?([0-5]\d):?([0-5]\d)$/.exec(text) ?? []
  return hours === undefined ? null : (Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds)) * 1000
}

function perMarket(exchange: Exchange, query: URLSearchParams, text: (state: MarketState) => string | null): RestAnswer {
  const codes = (query.get('markets') ?? '').split(',').filter((code) => code !== '')
  if (codes.length === 0) return badParameter('markets is missing')
  const states = codes.map((code) => exchange.stateOf(code))
  const known = states.filter((state) => state !== undefined)
  if (known.length < states.length) return unknownMarket()
  return ok(known.map(text).filter((object) => object !== null))
}

function orderbooks(exchange: Exchange, query: URLSearchParams): RestAnswer {
  const depth = intParam(query, 'count', DEFAULT_DEPTH, 1, DEFAULT_DEPTH)
  const level = Number(query.get('level') ?? 0)
  if (depth === null) return badParameter(`count must be 1 to ${DEFAULT_DEPTH}`)
  if (level !== 0 && !BOOK_LEVELS.has(level)) return badParameter('level is not supported')
  return perMarket(exchange, query, ({market, book}) => restBookText(book, {code: market.code, depth, level}))
}

/** `/v1/candles/seconds` and `/v1/candles/minutes/{unit}`, newest first; `to` is exclusive. */
function candles(exchange: Exchange, path: string, query: URLSearchParams, nowMs: number): RestAnswer {
  const unit = path === '/v1/candles/seconds' ? null : Number(/^\/v1\/candles\/minutes\/(\d{1,3})$/.exec(path)?.[1] ?? Number.NaN)
  if (unit !== null && !CANDLE_MINUTES.has(unit)) return restError(404, 404, 'no candles of this unit')
  const state = exchange.stateOf(query.get('market') ?? '')
  if (state === undefined) return unknownMarket()
  const count = intParam(query, 'count', 1, 1, MAX_CANDLES)
  if (count === null) return badParameter(`count must be 1 to ${MAX_CANDLES}`)
  const untilMs = candleEndMs(query.get('to'), nowMs)
  if (untilMs === null) return badParameter('to must be a time such as 2026-01-31T10:00:00Z')
  const found = candlesFrom(state.history, unit === null ? 1000 : unit * 60_000, state.market.decimals, untilMs, count)
  return ok(found.map((candle) => restCandleText(state.market.code, candle, unit)))
}

/** A time without a zone is UTC. */
function candleEndMs(text: string | null, nowMs: number): number | null {
  if (text === null || text === '') return nowMs + 1
  const hasZone = /(Z|[+-]\d\d:?\d\d)$/.test(text)
  const timeMs = Date.parse(hasZone ? text : `${text.replace(' ', 'T')}Z`)
  return Number.isNaN(timeMs) ? null : timeMs
}
