import type {DatabaseSync, StatementSync} from 'node:sqlite'
import type {Position, TopicPartition} from '../../core/ports/bus.ts'
import type {RetainResult, StoreBatch, StoreRetention, TradeRow, WriteCounts} from './batch.ts'
import {type MarketRow, MarketTable} from './market-table.ts'
import {Retention} from './retention.ts'
import {openForWriting} from './schema.ts'

const INSERT_TRADE = `
  INSERT INTO trades (market, trade_id, event_us, received_us, price, size, side, sequence, prev, prior_us) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
  ON CONFLICT (trade_id, market) DO NOTHING`
const UPSERT_LATEST = `
  INSERT INTO latest (market, type, event_us, received_us, record) VALUES (?, ?, ?, ?, ?)
  ON CONFLICT (market, type) DO UPDATE
  SET event_us = excluded.event_us, received_us = excluded.received_us, record = excluded.record
  WHERE (excluded.event_us, excluded.received_us) > (latest.event_us, latest.received_us)`
const UPSERT_CANDLE = `
  INSERT INTO candles (market, origin, interval, start_us, received_us, open, high, low, close, volume_base, volume_quote, trades, closed, version)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
  ON CONFLICT (market, origin, interval, start_us) DO UPDATE
  SET received_us = excluded.received_us, open = excluded.open, high = excluded.high, low = excluded.low, close = excluded.close,
    volume_base = excluded.volume_base, volume_quote = excluded.volume_quote, trades = excluded.trades, closed = excluded.closed,
    version = excluded.version
  WHERE excluded.version > candles.version`
const UPSERT_GAP = `
  INSERT INTO gaps (market, channel, from_us, to_us, event_us, received_us, reason, from_id, to_id, state, filled)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
  ON CONFLICT (market, channel, from_us) DO UPDATE
  SET to_us = excluded.to_us, event_us = excluded.event_us, received_us = excluded.received_us, reason = excluded.reason,
    from_id = excluded.from_id, to_id = excluded.to_id, state = excluded.state, filled = excluded.filled
  WHERE excluded.received_us > gaps.received_us
    OR (excluded.received_us = gaps.received_us AND (excluded.state, excluded.filled) <> (gaps.state, gaps.filled))`
const UPSERT_OFFSET = `
  INSERT INTO offsets (grp, topic, part, next) VALUES (?, ?, ?, ?)
  ON CONFLICT (grp, topic, part) DO UPDATE SET next = excluded.next WHERE excluded.next > offsets.next`

/** Writes batches, each with its offsets in one transaction. Synchronous: it lives in the writer thread. Throws what node:sqlite throws. */
export class StoreWriter {
  private readonly database: DatabaseSync
  private readonly markets: MarketTable
  private readonly retention: Retention
  private readonly insertTrade: StatementSync
  private readonly upsertLatest: StatementSync
  private readonly upsertCandle: StatementSync
  private readonly upsertGap: StatementSync
  private readonly upsertOffset: StatementSync
  private readonly selectOffset: StatementSync

  constructor(path: string, busyTimeoutMs: number, retention: StoreRetention) {
    this.database = openForWriting(path, busyTimeoutMs)
    this.markets = new MarketTable(this.database)
    this.retention = new Retention(this.database, retention)
    this.insertTrade = this.database.prepare(INSERT_TRADE)
    this.upsertLatest = this.database.prepare(UPSERT_LATEST)
    this.upsertCandle = this.database.prepare(UPSERT_CANDLE)
    this.upsertGap = this.database.prepare(UPSERT_GAP)
    this.upsertOffset = this.database.prepare(UPSERT_OFFSET)
    this.selectOffset = this.database.prepare('SELECT next FROM offsets WHERE grp = ? AND topic = ? AND part = ?')
  }

  write(batch: StoreBatch): WriteCounts {
    return this.transaction(() => {
      this.markets.begin()
      const markets = batch.markets.map(([exchange, symbol]) => this.markets.resolve(exchange, symbol))
      const trades = this.writeTrades(batch.trades, markets)
      const others =
        upsertAll(this.upsertLatest, batch.latest, markets) +
        upsertAll(this.upsertCandle, batch.candles, markets) +
        upsertAll(this.upsertGap, batch.gaps, markets)
      for (const {topic, partition, offset} of batch.positions) this.upsertOffset.run(batch.group, topic, partition, offset)
      return {trades, others}
    })
  }

  positions(group: string, partitions: readonly TopicPartition[]): Position[] {
    return partitions.flatMap(({topic, partition}) => {
      const row = this.selectOffset.get(group, topic, partition)
      return row ? [{topic, partition, offset: Number(row.next)}] : []
    })
  }

  /** Deletes a bounded number of rows that are over age. */
  retain(nowMs: number): RetainResult {
    return this.transaction(() => this.retention.step(nowMs))
  }

  /** Gives a bounded number of free pages back to the disk, where there are many. */
  shrink(): void {
    this.retention.shrink()
  }

  /** Takes the write lock and lets it go, as every batch does. */
  check(): void {
    this.database.exec('BEGIN IMMEDIATE')
    this.database.exec('ROLLBACK')
  }

  close(): void {
    this.database.close()
  }

  private writeTrades(trades: readonly TradeRow[], markets: readonly MarketRow[]): number {
    const touched = new Set<MarketRow>()
    let written = 0
    for (const [index, tradeId, eventUs, receivedUs, price, size, side, sequence] of trades) {
      const market = at(markets, index)
      const {id, head, maxUs} = market
      const result = this.insertTrade.run(id, tradeId, eventUs, receivedUs, price, size, side, sequence, head, maxUs)
      if (result.changes === 0) continue
      written++
      market.head = Number(result.lastInsertRowid)
      if (eventUs > maxUs) market.maxUs = eventUs
      touched.add(market)
    }
    for (const market of touched) this.markets.saveHead(market)
    return written
  }

  private transaction<T>(work: () => T): T {
    this.database.exec('BEGIN IMMEDIATE')
    try {
      const result = work()
      this.database.exec('COMMIT')
      return result
    } catch (error) {
      // A full disk rolls back by itself.
      if (this.database.isTransaction) this.database.exec('ROLLBACK')
      this.markets.forget()
      throw error
    }
  }
}

type Row = readonly [market: number, ...values: (string | number | null)[]]

function upsertAll(statement: StatementSync, rows: readonly Row[], markets: readonly MarketRow[]): number {
  let changed = 0
  for (const [index, ...values] of rows) changed += Number(statement.run(at(markets, index).id, ...values).changes)
  return changed
}

function at(markets: readonly MarketRow[], index: number): MarketRow {
  const market = markets[index]
  if (!market) throw new RangeError(`row names market ${index} of ${markets.length}`)
  return market
}
