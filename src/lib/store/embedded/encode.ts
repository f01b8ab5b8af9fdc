import {fitsDecimal} from '../../core/decimal-math.ts'
import {recordId} from '../../core/ids.ts'
import type {RefusedItem, SinkBatch} from '../../core/ports/sink.ts'
import {type Book, CANDLE_INTERVALS, type Candle, type CoinRecord, type Gap, type Ticker, type Trade} from '../../core/records.ts'
import type {CandleRow, GapRow, LatestRow, StoreBatch, TradeRow} from './batch.ts'
import {StoreRecordError} from './errors.ts'

export interface EncodedBatch {
  readonly batch: StoreBatch
  readonly refused: readonly RefusedItem[]
}

/** Turns records into rows, and refuses those that the store cannot hold exactly. */
export function encodeBatch(batch: SinkBatch): EncodedBatch {
  const encoder = new Encoder()
  const refused: RefusedItem[] = []
  for (const [index, {record}] of batch.items.entries()) {
    try {
      encoder.add(record)
    } catch (error) {
      if (!(error instanceof StoreRecordError)) throw error
      refused.push({index, code: error.code, message: error.message})
    }
  }
  return {batch: {group: batch.group, positions: batch.next, ...encoder.rows()}, refused}
}

class Encoder {
  private readonly marketIndexes = new Map<string, number>()
  private readonly markets: [string, string][] = []
  private readonly trades: TradeRow[] = []
  private readonly candles: CandleRow[] = []
  private readonly gaps: GapRow[] = []
  /** Only the newest book and ticker of each market: older ones would be overwritten in the same transaction. */
  private readonly latest = new Map<string, Book | Ticker>()

  add(record: CoinRecord): void {
    if (!('symbol' in record)) throw new StoreRecordError(`the embedded store takes market records, not '${record.type}'`)
    checkTime(record.eventTime, 'eventTime')
    checkTime(record.receivedTime, 'receivedTime')
    switch (record.type) {
      case 'trade':
        this.addTrade(record)
        break
      case 'candle':
        this.addCandle(record)
        break
      case 'gap':
        this.addGap(record)
        break
      default:
        this.addLatest(record)
    }
  }

  rows(): Pick<StoreBatch, 'markets' | 'trades' | 'latest' | 'candles' | 'gaps'> {
    const latest: LatestRow[] = []
    for (const record of this.latest.values()) {
      latest.push([this.market(record), record.type, record.eventTime, record.receivedTime, JSON.stringify(record)])
    }
    return {markets: this.markets, trades: this.trades, latest, candles: this.candles, gaps: this.gaps}
  }

  private addTrade(trade: Trade): void {
    const {exchange, symbol, tradeId, price, size, side} = trade
    if (trade.id !== recordId('trade', exchange, symbol, tradeId)) {
      throw new StoreRecordError(`trade id '${trade.id}' is not made of its exchange, symbol and tradeId '${tradeId}'`)
    }
    if (side !== 'buy' && side !== 'sell') throw new StoreRecordError(`side is '${String(side)}', not buy or sell`)
    checkAmount(price, 'price')
    checkAmount(size, 'size')
    this.trades.push([this.market(trade), tradeId, trade.eventTime, trade.receivedTime, price, size, side, trade.sequence ?? null])
  }

  private addLatest(record: Book | Ticker): void {
    if (record.type === 'book' && record.kind === 'delta') throw new StoreRecordError('the embedded store takes whole books, not deltas')
    const key = `${record.type}:${record.exchange}:${record.symbol}`
    const seen = this.latest.get(key)
    if (!seen || isNewer(record, seen)) this.latest.set(key, record)
  }

  private addCandle(candle: Candle): void {
    const {open, high, low, close, volumeBase, volumeQuote} = candle
    if (!CANDLE_INTERVALS.includes(candle.interval)) throw new StoreRecordError(`candle interval '${candle.interval}' is not known`)
    for (const [name, value] of Object.entries({open, high, low, close, volumeBase, volumeQuote})) checkAmount(value, name)
    checkTime(candle.startTime, 'startTime')
    checkTime(candle.version, 'version')
    this.candles.push([
      this.market(candle),
      candle.origin,
      candle.interval,
      candle.startTime,
      candle.receivedTime,
      open,
      high,
      low,
      close,
      volumeBase,
      volumeQuote,
      candle.trades,
      candle.closed ? 1 : 0,
      candle.version,
    ])
  }

  private addGap(gap: Gap): void {
    checkTime(gap.from, 'from')
    if (gap.to !== null) checkTime(gap.to, 'to')
    this.gaps.push([
      this.market(gap),
      gap.channel,
      gap.from,
      gap.to,
      gap.eventTime,
      gap.receivedTime,
      gap.reason,
      gap.fromId ?? null,
      gap.toId ?? null,
      gap.state,
      gap.filled,
    ])
  }

  private market({exchange, symbol}: {readonly exchange: string; readonly symbol: string}): number {
    const key = `${exchange}:${symbol}`
    let index = this.marketIndexes.get(key)
    if (index === undefined) {
      index = this.markets.push([exchange, symbol]) - 1
      this.marketIndexes.set(key, index)
    }
    return index
  }
}

/** Later event time, then later arrival; of equals the later written. */
function isNewer(a: Book | Ticker, b: Book | Ticker): boolean {
  return a.eventTime !== b.eventTime ? a.eventTime > b.eventTime : a.receivedTime >= b.receivedTime
}

function checkAmount(value: string, name: string): void {
  if (typeof value === 'string' && fitsDecimal(value) && !value.startsWith('-')) return
  throw new StoreRecordError(`${name} is '${String(value).slice(0, 80)}': not a decimal of at most 20 digits before and 18 after the point`)
}

/** SQLite keeps 64-bit integers, JavaScript hands over 53 bits exactly. */
function checkTime(value: number, name: string): void {
  if (Number.isSafeInteger(value) && value >= 0) return
  throw new StoreRecordError(`${name} is ${String(value)}: not an integer from 0 to 2^53`)
}
