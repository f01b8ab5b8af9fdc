import type {Context} from '../../core/context.ts'
import type {Micros, Trade} from '../../core/records.ts'
import type {Rejection} from '../decoder.ts'
import {RestAnswerError} from '../feed/errors.ts'
import {RateLimiter} from '../feed/rate-limiter.ts'
import {RestClient} from '../feed/rest-client.ts'
import {createUpbitDecoder} from './frames.ts'
import {BLOCKED_WAIT_MS, REST_LIMIT, TRADES_PER_PAGE} from './limits.ts'
import {symbolOfCode} from './symbols.ts'

export interface UpbitMarket {
  /** `KRW-BTC` */
  readonly code: string
  /** `BTC-KRW` */
  readonly symbol: string
  readonly koreanName: string
  readonly englishName: string
}

export interface TradesQuery {
  readonly code: string
  /** 0: the day of the newest trade. */
  readonly daysAgo: number
  /** Id of a trade: only those after it in the answer's order, newest first. */
  readonly cursor?: string
  /** Only trades up to this UTC time of day, `HH:mm:ss`. */
  readonly to?: string
}

export interface TradesPage {
  /** In the answer's order. */
  readonly trades: readonly Trade[]
  readonly rejected: readonly Rejection[]
  /** The answer itself, for what was rejected. */
  readonly body: string
  readonly receivedTime: Micros
}

/** Upbit's public REST quotations: https://docs.upbit.com/kr/reference/rest-api-guide */
export class UpbitRest {
  readonly #baseUrl: string
  readonly #client: RestClient
  readonly #context: Context
  readonly #decoder = createUpbitDecoder()

  constructor(baseUrl: string, context: Context) {
    this.#baseUrl = baseUrl.replace(/\/+$/, '')
    this.#context = context
    const limiter = new RateLimiter(REST_LIMIT, context.clock)
    this.#client = new RestClient({exchange: 'upbit', limiter, blockedWaitMs: BLOCKED_WAIT_MS}, context)
  }

  /** https://docs.upbit.com/kr/reference/list-trading-pairs */
  async markets(signal: AbortSignal): Promise<UpbitMarket[]> {
    const url = `${this.#baseUrl}/v1/market/all?is_details=false`
    return parseMarkets(url, await this.#client.get(url, signal))
  }

  /** https://docs.upbit.com/kr/reference/list-pair-trades: the newest trades first, ids not in their order. */
  async trades(query: TradesQuery, signal: AbortSignal): Promise<TradesPage> {
    const parameters = new URLSearchParams({market: query.code, count: String(TRADES_PER_PAGE)})
    if (query.to !== undefined) parameters.set('to', query.to)
    if (query.cursor !== undefined) parameters.set('cursor', query.cursor)
    if (query.daysAgo > 0) parameters.set('days_ago', String(query.daysAgo))
    const url = `${this.#baseUrl}/v1/trades/ticks?${parameters}`
    const body = await this.#client.get(url, signal)
    const receivedTime = this.#context.clock.nowUs()
    const decoded = this.#decoder.decode(body, receivedTime)
    if (decoded.kind === 'records') {
      const trades = decoded.records.filter((record): record is Trade => record.type === 'trade')
      return {trades, rejected: decoded.rejected, body, receivedTime}
    }
    throw new RestAnswerError(url, decoded.kind === 'rejected' ? decoded.message : `saw a message of kind '${decoded.kind}'`)
  }

  close(): Promise<void> {
    return this.#client.close()
  }
}

/** Every market of Upbit's; codes that are no spot market are left out. */
export async function listMarkets(restUrl: string, context: Context): Promise<UpbitMarket[]> {
  const rest = new UpbitRest(restUrl, context)
  try {
    return await rest.markets(context.signal)
  } finally {
    await rest.close()
  }
}

function parseMarkets(url: string, body: string): UpbitMarket[] {
  let list: unknown
  try {
    list = JSON.parse(body)
  } catch (cause) {
    throw new RestAnswerError(url, 'it is not JSON', {cause})
  }
  if (!Array.isArray(list)) throw new RestAnswerError(url, `saw ${typeof list} where the list of markets should be`)
  return list.flatMap((item: unknown) => {
    const {market, korean_name, english_name} = Object(item) as Record<string, unknown>
    const symbol = typeof market === 'string' ? symbolOfCode(market) : undefined
    if (typeof market !== 'string' || symbol === undefined) return []
    return [{code: market, symbol, koreanName: String(korean_name ?? ''), englishName: String(english_name ?? '')}]
  })
}
