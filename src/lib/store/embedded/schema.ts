import {existsSync} from 'node:fs'
import {dirname} from 'node:path'
import {DatabaseSync} from 'node:sqlite'
import {makeFolder} from '../../core/folder.ts'
import {StoreCorruptError, StoreMissingError, StoreSchemaError} from './errors.ts'

export const SCHEMA_VERSION = 1
/** "coin" in ASCII, so that another program's database is not taken for a store. */
const APPLICATION_ID = 0x636f696e
const CACHE_KIB = 8192
/** Pages of write-ahead log before they are copied into the file: 16 MiB, so that a busy page is copied once for many transactions. */
const CHECKPOINT_PAGES = 4000
const WAL_LIMIT_BYTES = 64 * 1024 * 1024

/**
 * Trades: `seq` is the order of arrival. Both indexes grow at their end, because ids and event times of all markets rise together; an index
 * that starts with the market touches one page per market and transaction, and measured half as fast. So that the newest trades of one market
 * are found without it, each trade points to the one of its market that arrived before it (`prev`), and carries the latest event time of those
 * (`prior_us`); `markets.head` is where the chain begins. See docs/adr/0004-embedded-store.md.
 */
const DDL = `
CREATE TABLE markets (
  id INTEGER PRIMARY KEY, exchange TEXT NOT NULL, symbol TEXT NOT NULL,
  head INTEGER NOT NULL DEFAULT 0, max_us INTEGER NOT NULL DEFAULT 0,
  UNIQUE (exchange, symbol)) STRICT;
CREATE TABLE trades (
  seq INTEGER PRIMARY KEY, market INTEGER NOT NULL, trade_id TEXT NOT NULL, event_us INTEGER NOT NULL, received_us INTEGER NOT NULL,
  price TEXT NOT NULL, size TEXT NOT NULL, side TEXT NOT NULL, sequence TEXT,
  prev INTEGER NOT NULL, prior_us INTEGER NOT NULL) STRICT;
CREATE UNIQUE INDEX trades_by_id ON trades (trade_id, market);
CREATE INDEX trades_by_time ON trades (event_us);
CREATE TABLE trade_marks (seq INTEGER PRIMARY KEY, stored_ms INTEGER NOT NULL) STRICT;
CREATE TABLE latest (
  market INTEGER NOT NULL, type TEXT NOT NULL, event_us INTEGER NOT NULL, received_us INTEGER NOT NULL, record TEXT NOT NULL,
  PRIMARY KEY (market, type)) STRICT;
CREATE TABLE candles (
  market INTEGER NOT NULL, origin TEXT NOT NULL, interval TEXT NOT NULL, start_us INTEGER NOT NULL,
  received_us INTEGER NOT NULL, open TEXT NOT NULL, high TEXT NOT NULL, low TEXT NOT NULL, close TEXT NOT NULL,
  volume_base TEXT NOT NULL, volume_quote TEXT NOT NULL, trades INTEGER, closed INTEGER NOT NULL, version INTEGER NOT NULL,
  PRIMARY KEY (market, origin, interval, start_us)) STRICT, WITHOUT ROWID;
CREATE TABLE gaps (
  market INTEGER NOT NULL, channel TEXT NOT NULL, from_us INTEGER NOT NULL, to_us INTEGER, event_us INTEGER NOT NULL,
  received_us INTEGER NOT NULL, reason TEXT NOT NULL, from_id TEXT, to_id TEXT, state TEXT NOT NULL, filled INTEGER NOT NULL,
  PRIMARY KEY (market, channel, from_us)) STRICT, WITHOUT ROWID;
CREATE TABLE offsets (
  grp TEXT NOT NULL, topic TEXT NOT NULL, part INTEGER NOT NULL, next INTEGER NOT NULL,
  PRIMARY KEY (grp, topic, part)) STRICT, WITHOUT ROWID;
PRAGMA application_id = ${APPLICATION_ID};
PRAGMA user_version = ${SCHEMA_VERSION};
`

/** Opens the store for writing; makes it where there is none. Several processes may do so at once. */
export function openForWriting(path: string, busyTimeoutMs: number): DatabaseSync {
  makeFolder(dirname(path))
  const database = new DatabaseSync(path, {timeout: busyTimeoutMs})
  try {
    // auto_vacuum has to come before the first table, and before the file becomes WAL.
    database.exec('PRAGMA auto_vacuum = INCREMENTAL')
    database.exec('PRAGMA journal_mode = WAL')
    database.exec('PRAGMA synchronous = FULL')
    database.exec(`PRAGMA cache_size = -${CACHE_KIB}`)
    database.exec(`PRAGMA wal_autocheckpoint = ${CHECKPOINT_PAGES}`)
    database.exec(`PRAGMA journal_size_limit = ${WAL_LIMIT_BYTES}`)
    createTables(database, path)
    return database
  } catch (error) {
    database.close()
    throw error
  }
}

/** Opens an existing store read-only. Readers never wait for writers. */
export function openForReading(path: string, busyTimeoutMs: number): DatabaseSync {
  if (!existsSync(path)) throw new StoreMissingError(path)
  const database = new DatabaseSync(path, {readOnly: true, timeout: busyTimeoutMs})
  try {
    // A writer that has only just made the file: there is no store yet.
    if (pragma(database, 'user_version') === 0 && isEmpty(database)) throw new StoreMissingError(path)
    checkVersion(database, path)
    return database
  } catch (error) {
    database.close()
    throw error
  }
}

function createTables(database: DatabaseSync, path: string): void {
  database.exec('BEGIN IMMEDIATE')
  try {
    if (pragma(database, 'user_version') === 0 && isEmpty(database)) database.exec(DDL)
    checkVersion(database, path)
    database.exec('COMMIT')
  } catch (error) {
    if (database.isTransaction) database.exec('ROLLBACK')
    throw error
  }
}

function checkVersion(database: DatabaseSync, path: string): void {
  if (pragma(database, 'application_id') !== APPLICATION_ID) throw new StoreCorruptError(path, 'it is the database of another program')
  const version = pragma(database, 'user_version')
  if (version !== SCHEMA_VERSION) throw new StoreSchemaError(path, version, SCHEMA_VERSION)
}

function isEmpty(database: DatabaseSync): boolean {
  return database.prepare('SELECT 1 FROM sqlite_schema LIMIT 1').get() === undefined
}

/** A pragma that answers with one number. */
export function pragma(database: DatabaseSync, name: string): number {
  const row = database.prepare(`PRAGMA ${name}`).get()
  return Number(row?.[name] ?? 0)
}
