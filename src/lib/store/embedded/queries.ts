import type {DatabaseSync, SQLOutputValue, StatementSync} from 'node:sqlite'
import {InvalidInputError} from '../../core/errors.ts'
import {recordId} from '../../core/ids.ts'
import type {CandlesQuery, MarketId, TradesPage, TradesQuery} from '../../core/ports/market-reader.ts'
import type {Candle, Trade} from '../../core/records.ts'

type Row = Record<string, SQLOutputValue>

interface MarketRow {
  readonly id: number
  readonly head: number
}

const TRADE_COLUMNS = 'seq, event_us, received_us, price, size, side, trade_id, sequence, prev, prior_us'
/** Follows the chain of one market back from trade ?1, ?2 trades long. */
const CHAIN = `
  WITH RECURSIVE chain AS (
    SELECT ${TRADE_COLUMNS} FROM trades WHERE seq = ?1
    UNION ALL
    SELECT ${TRADE_COLUMNS.replace(/\w+/g, 'older.$&')} FROM chain JOIN trades AS older ON older.seq = chain.prev
    LIMIT ?2)
  SELECT * FROM chain`
const FAR_FUTURE_US = Number.MAX_SAFE_INTEGER

/** The short reads of a store, on statements prepared once. */
export class StoreQueries {
  private readonly database: DatabaseSync
  private readonly selectMarket: StatementSync
  private readonly selectMarkets: StatementSync
  private readonly selectChain: StatementSync
  private readonly selectAfter: StatementSync
  private readonly selectLast: StatementSync
  private readonly selectLatest: StatementSync
  private readonly selectCandlesFrom: StatementSync
  private readonly selectCandlesBefore: StatementSync

  constructor(database: DatabaseSync) {
    this.database = database
    const candles = 'SELECT * FROM candles WHERE market = ? AND origin = ? AND interval = ? AND start_us >= ? AND start_us < ?'
    this.selectMarket = database.prepare('SELECT id, head FROM markets WHERE exchange = ? AND symbol = ?')
    this.selectMarkets = database.prepare('SELECT exchange, symbol FROM markets ORDER BY exchange, symbol')
    this.selectChain = database.prepare(CHAIN)
    this.selectAfter = database.prepare(
      `SELECT ${TRADE_COLUMNS} FROM trades WHERE seq > ? AND seq <= ? AND market = ? ORDER BY seq LIMIT ?`,
    )
    this.selectLast = database.prepare('SELECT coalesce(max(seq), 0) AS seq FROM trades')
    this.selectLatest = database.prepare('SELECT record FROM latest WHERE market = ? AND type = ?')
    this.selectCandlesFrom = database.prepare(`${candles} ORDER BY start_us LIMIT ?`)
    this.selectCandlesBefore = database.prepare(`${candles} ORDER BY start_us DESC LIMIT ?`)
  }

  markets(): MarketId[] {
    return this.selectMarkets.all().map((row) => ({exchange: String(row.exchange), symbol: String(row.symbol)}))
  }

  trades(query: TradesQuery): TradesPage {
    // One snapshot: a trade that arrives in between must not be both in the answer and after its cursor.
    this.database.exec('BEGIN')
    try {
      return this.readTrades(query)
    } finally {
      this.database.exec('COMMIT')
    }
  }

  private readTrades(query: TradesQuery): TradesPage {
    const after = query.after === undefined ? undefined : cursorOf(query.after)
    const last = Number(this.selectLast.get()?.seq ?? 0)
    const market = this.market(query)
    if (!market) return {trades: [], cursor: String(Math.max(last, after ?? 0))}
    return after === undefined ? this.newestTrades(query, market, last) : this.tradesAfter(query, market, after, last)
  }

  /** A book or ticker as it was written. */
  latest<T>(query: MarketId, type: 'book' | 'ticker'): T | null {
    const market = this.market(query)
    const row = market && this.selectLatest.get(market.id, type)
    return row ? (JSON.parse(String(row.record)) as T) : null
  }

  candles(query: CandlesQuery): Candle[] {
    const {interval, from, to = FAR_FUTURE_US, limit, origin = 'ours'} = query
    const market = this.market(query)
    if (!market) return []
    if (from !== undefined)
      return this.selectCandlesFrom.all(market.id, origin, interval, from, to, limit).map((row) => toCandle(query, row))
    return this.selectCandlesBefore
      .all(market.id, origin, interval, 0, to, limit)
      .map((row) => toCandle(query, row))
      .reverse()
  }

  /**
   * The newest by event time. Trades lie in the order of arrival and some arrive late (a back-fill: much later), so the walk goes on for as long
   * as an older arrival may still be newer than the last one of the answer.
   */
  private newestTrades(query: TradesQuery, {head}: MarketRow, cursor: number): TradesPage {
    const rows: Row[] = []
    let next = head
    let wanted = query.limit
    while (next > 0 && rows.length < wanted) {
      const chain = this.selectChain.all(next, wanted - rows.length)
      rows.push(...chain)
      rows.sort(newestFirst)
      const end = chain.at(-1)
      next = Number(end?.prev ?? 0)
      const last = rows[query.limit - 1]
      if (end && last && Number(end.prior_us) > Number(last.event_us)) wanted = rows.length * 2
    }
    const trades = rows.slice(0, query.limit)
    return {trades: trades.map((row) => toTrade(query, row)), cursor: String(cursor)}
  }

  private tradesAfter(query: TradesQuery, {id}: MarketRow, after: number, last: number): TradesPage {
    const rows = this.selectAfter.all(after, last, id, query.limit)
    const end = rows.length === query.limit ? Number(rows.at(-1)?.seq ?? after) : Math.max(last, after)
    return {trades: rows.map((row) => toTrade(query, row)), cursor: String(end)}
  }

  private market({exchange, symbol}: MarketId): MarketRow | undefined {
    const row = this.selectMarket.get(exchange, symbol)
    return row && {id: Number(row.id), head: Number(row.head)}
  }
}

function newestFirst(a: Row, b: Row): number {
  return Number(b.event_us) - Number(a.event_us) || Number(b.seq) - Number(a.seq)
}

function cursorOf(text: string): number {
  const seq = Number(text)
  if (/^\d+$/.test(text) && Number.isSafeInteger(seq)) return seq
  throw new InvalidInputError(`'${text}' is not a cursor of this store`, {remedy: ['leave the cursor out to start from the newest trades']})
}

function toTrade({exchange, symbol}: MarketId, row: Row): Trade {
  const tradeId = String(row.trade_id)
  return {
    type: 'trade',
    id: recordId('trade', exchange, symbol, tradeId),
    eventTime: Number(row.event_us),
    receivedTime: Number(row.received_us),
    exchange,
    symbol,
    price: String(row.price),
    size: String(row.size),
    side: row.side === 'buy' ? 'buy' : 'sell',
    tradeId,
    ...(row.sequence === null ? {} : {sequence: String(row.sequence)}),
  }
}

function toCandle({exchange, symbol, interval, origin = 'ours'}: CandlesQuery, row: Row): Candle {
  const startTime = Number(row.start_us)
  const key = `${interval}:${startTime}${origin === 'exchange' ? ':exchange' : ''}`
  return {
    type: 'candle',
    id: recordId('candle', exchange, symbol, key),
    eventTime: startTime,
    receivedTime: Number(row.received_us),
    exchange,
    symbol,
    interval,
    startTime,
    open: String(row.open),
    high: String(row.high),
    low: String(row.low),
    close: String(row.close),
    volumeBase: String(row.volume_base),
    volumeQuote: String(row.volume_quote),
    trades: row.trades === null ? null : Number(row.trades),
    closed: row.closed === 1,
    version: Number(row.version),
    origin,
  }
}
