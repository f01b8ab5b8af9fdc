import type {DatabaseSync, StatementSync} from 'node:sqlite'
import {pragma} from './schema.ts'

/** A market as the writer works with it: where its chain of trades begins, and the latest event time in it. */
export interface MarketRow {
  readonly id: number
  head: number
  maxUs: number
}

/** Markets by name, kept in memory as long as no other process has written to the file. */
export class MarketTable {
  private readonly database: DatabaseSync
  private readonly rows = new Map<string, MarketRow>()
  private readonly select: StatementSync
  private readonly insert: StatementSync
  private readonly update: StatementSync
  private dataVersion = -1

  constructor(database: DatabaseSync) {
    this.database = database
    this.select = database.prepare('SELECT id, head, max_us FROM markets WHERE exchange = ? AND symbol = ?')
    this.insert = database.prepare('INSERT INTO markets (exchange, symbol) VALUES (?, ?)')
    this.update = database.prepare('UPDATE markets SET head = ?, max_us = ? WHERE id = ?')
  }

  /** Call first thing inside a write transaction: only then can nobody else change the rows. */
  begin(): void {
    const version = pragma(this.database, 'data_version')
    if (version !== this.dataVersion) this.rows.clear()
    this.dataVersion = version
  }

  /** Call after a rollback. */
  forget(): void {
    this.rows.clear()
  }

  resolve(exchange: string, symbol: string): MarketRow {
    const key = `${exchange}:${symbol}`
    let row = this.rows.get(key)
    if (!row) {
      row = this.load(exchange, symbol)
      this.rows.set(key, row)
    }
    return row
  }

  saveHead({id, head, maxUs}: MarketRow): void {
    this.update.run(head, maxUs, id)
  }

  private load(exchange: string, symbol: string): MarketRow {
    const found = this.select.get(exchange, symbol)
    if (found) return {id: Number(found.id), head: Number(found.head), maxUs: Number(found.max_us)}
    return {id: Number(this.insert.run(exchange, symbol).lastInsertRowid), head: 0, maxUs: 0}
  }
}
