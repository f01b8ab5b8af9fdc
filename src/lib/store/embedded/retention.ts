import type {DatabaseSync, StatementSync} from 'node:sqlite'
import type {RetainResult, StoreRetention} from './batch.ts'
import {pragma} from './schema.ts'

/** Rows deleted in one transaction: a few milliseconds, so that batches wait no longer than that. */
const CHUNK_ROWS = 2000
const CHUNK_MARKETS = 50
const SHRINK_PAGES = 500
/** Free pages are used again by the next trades; only a surplus goes back to the disk. */
const FREE_SHARE_KEPT = 0.2
const MARK_EVERY_MS = 60_000
const MARKS_PER_RETENTION = 20

/**
 * Deletes what is over age, a chunk at a time. When a trade was stored is not kept per trade: every minute at most, a mark says which `seq` had
 * been reached by then.
 */
export class Retention {
  private readonly database: DatabaseSync
  private readonly limits: StoreRetention
  private readonly markEveryMs: number
  private readonly statements: ReturnType<typeof prepare>
  /** The candles of markets up to this id have been looked at in this round. */
  private marketsDone = 0

  constructor(database: DatabaseSync, limits: StoreRetention) {
    this.database = database
    this.limits = limits
    this.markEveryMs = Math.min(MARK_EVERY_MS, limits.tradesMs / MARKS_PER_RETENTION)
    this.statements = prepare(database)
  }

  /** One chunk of every kind. Call it inside a transaction. */
  step(nowMs: number): RetainResult {
    this.mark(nowMs)
    const trades = this.deleteTrades(nowMs)
    const gaps = this.deleted(this.statements.deleteGaps, (nowMs - this.limits.gapsMs) * 1000)
    const candles = this.deleteCandles()
    return {deleted: trades + gaps + candles, more: trades === CHUNK_ROWS || this.marketsDone > 0}
  }

  /** Gives a bounded number of free pages back to the disk, where there are many. */
  shrink(): void {
    const free = pragma(this.database, 'freelist_count')
    if (free > SHRINK_PAGES && free > pragma(this.database, 'page_count') * FREE_SHARE_KEPT) {
      this.database.exec(`PRAGMA incremental_vacuum(${SHRINK_PAGES})`)
    }
  }

  private mark(nowMs: number): void {
    const {lastMark, addMark} = this.statements
    const last = lastMark.get()
    if (last && nowMs - Number(last.stored_ms) < this.markEveryMs) return
    addMark.run(Math.floor(nowMs), Number(last?.seq ?? 0))
  }

  private deleteTrades(nowMs: number): number {
    const {span, markAt, deleteTrades, deleteMarks} = this.statements
    const {first, last} = span.get() ?? {}
    if (typeof first !== 'number' || typeof last !== 'number') return 0
    const overAge = Number(markAt.get(Math.floor(nowMs - this.limits.tradesMs))?.seq ?? 0)
    // The last trade stays: `seq` must never start again, because readers use it as their cursor.
    const end = Math.min(Math.max(overAge, last - this.limits.maxTrades), last - 1, first + CHUNK_ROWS - 1)
    if (end < first) return 0
    const deleted = this.deleted(deleteTrades, end)
    deleteMarks.run(end)
    return deleted
  }

  private deleteCandles(): number {
    const {someMarkets, deleteCandles} = this.statements
    const ids = someMarkets.all(this.marketsDone).map((row) => Number(row.id))
    let deleted = 0
    for (const id of ids) {
      for (const origin of ['ours', 'exchange']) {
        for (const [interval, keepMs] of Object.entries(this.limits.candlesMs)) {
          deleted += this.deleted(deleteCandles, id, origin, interval, keepMs * 1000)
        }
      }
    }
    this.marketsDone = ids.length < CHUNK_MARKETS ? 0 : (ids.at(-1) ?? 0)
    return deleted
  }

  private deleted(statement: StatementSync, ...values: (string | number)[]): number {
    return Number(statement.run(...values).changes)
  }
}

function prepare(database: DatabaseSync) {
  return {
    lastMark: database.prepare('SELECT seq, stored_ms FROM trade_marks ORDER BY seq DESC LIMIT 1'),
    addMark: database.prepare(
      'INSERT INTO trade_marks (seq, stored_ms) SELECT seq, ?1 FROM (SELECT max(seq) AS seq FROM trades) WHERE seq > ?2',
    ),
    markAt: database.prepare('SELECT max(seq) AS seq FROM trade_marks WHERE stored_ms <= ?'),
    span: database.prepare('SELECT (SELECT min(seq) FROM trades) AS first, (SELECT max(seq) FROM trades) AS last'),
    deleteTrades: database.prepare('DELETE FROM trades WHERE seq <= ?'),
    deleteMarks: database.prepare('DELETE FROM trade_marks WHERE seq <= ?'),
    deleteGaps: database.prepare('DELETE FROM gaps WHERE received_us < ?'),
    someMarkets: database.prepare(`SELECT id FROM markets WHERE id > ? ORDER BY id LIMIT ${CHUNK_MARKETS}`),
    deleteCandles: database.prepare(`DELETE FROM candles WHERE market = ?1 AND origin = ?2 AND interval = ?3 AND start_us <
      (SELECT max(start_us) FROM candles WHERE market = ?1 AND origin = ?2 AND interval = ?3) - ?4`),
  }
}
