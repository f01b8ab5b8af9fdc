import {statSync} from 'node:fs'
import {dirname} from 'node:path'
import {DatabaseSync} from 'node:sqlite'
import {makeFolder} from '../../core/folder.ts'
import {isBusy, newerVersion, notALog, unwritable} from './sqlite-errors.ts'

/** 'coin' in ASCII; in the file's header, so that `file` and we know our own. */
const APPLICATION_ID = 0x636f696e
const VERSION = 1

/**
 * One table per partition, `log_<id>`, keyed by offset: every append goes to the end of a B-tree. An id is never used twice, so that a statement
 * prepared for a deleted topic can't read a later one.
 */
const SCHEMA = `
  CREATE TABLE topics (
    name TEXT PRIMARY KEY, partitions INTEGER NOT NULL, retention_ms INTEGER, retention_bytes INTEGER
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE partitions (
    id INTEGER PRIMARY KEY AUTOINCREMENT, topic TEXT NOT NULL, partition INTEGER NOT NULL,
    earliest INTEGER NOT NULL DEFAULT 0, next INTEGER NOT NULL DEFAULT 0,
    last_ms INTEGER NOT NULL DEFAULT 0, bytes INTEGER NOT NULL DEFAULT 0,
    UNIQUE (topic, partition)
  ) STRICT;
  CREATE TABLE dropped (id INTEGER PRIMARY KEY) STRICT;
  CREATE TABLE groups (name TEXT PRIMARY KEY, generation INTEGER NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TABLE members (
    grp TEXT NOT NULL, id TEXT NOT NULL, instance_id TEXT, topics TEXT NOT NULL,
    pid INTEGER NOT NULL, pid_start TEXT NOT NULL, pid_scope TEXT NOT NULL, lease_until_ms INTEGER NOT NULL,
    PRIMARY KEY (grp, id)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE holdings (
    grp TEXT NOT NULL, topic TEXT NOT NULL, partition INTEGER NOT NULL,
    owner TEXT NOT NULL, target TEXT NOT NULL, epoch INTEGER NOT NULL, release_by_ms INTEGER,
    PRIMARY KEY (grp, topic, partition)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE offsets (
    grp TEXT NOT NULL, topic TEXT NOT NULL, partition INTEGER NOT NULL, next INTEGER NOT NULL,
    PRIMARY KEY (grp, topic, partition)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE transactions (id TEXT PRIMARY KEY, epoch INTEGER NOT NULL) STRICT, WITHOUT ROWID;
  PRAGMA application_id = ${APPLICATION_ID};
  PRAGMA user_version = ${VERSION};
`

/** Opens the log for writing and creates what is missing. Several processes may do so at once. Blocks for up to `busyTimeoutMs`. */
export function openForWriting(path: string, busyTimeoutMs: number): DatabaseSync {
  try {
    makeFolder(dirname(path))
  } catch (error) {
    throw unwritable(path, error)
  }
  const db = new DatabaseSync(path, {timeout: busyTimeoutMs})
  try {
    prepareFile(db, path, busyTimeoutMs)
    return db
  } catch (error) {
    db.close()
    throw error
  }
}

/** Never waits for a lock: this connection is used on the main thread. */
export function openForReading(path: string): DatabaseSync {
  return new DatabaseSync(path, {readOnly: true, timeout: 0})
}

function prepareFile(db: DatabaseSync, path: string, busyTimeoutMs: number): void {
  checkOwner(db, path)
  // The first three count only for a file that is still empty; 8 KiB pages take a third less time per row than 4 KiB ones.
  db.exec('PRAGMA page_size = 8192; PRAGMA auto_vacuum = INCREMENTAL')
  switchToWal(db, busyTimeoutMs)
  db.exec('PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 2000; PRAGMA journal_size_limit = 67108864')
  // fsync on macOS leaves data in the drive's cache; only F_FULLFSYNC survives a power loss there.
  if (process.platform === 'darwin') db.exec('PRAGMA fullfsync = 1; PRAGMA checkpoint_fullfsync = 1')
  db.exec('BEGIN IMMEDIATE')
  try {
    if (checkOwner(db, path) === 0) db.exec(SCHEMA)
    db.exec('COMMIT')
  } catch (error) {
    if (db.isTransaction) db.exec('ROLLBACK')
    throw error
  }
}

/** SQLite does not use the busy timeout for this switch when another process makes it at the same moment. */
function switchToWal(db: DatabaseSync, busyTimeoutMs: number): void {
  const deadline = performance.now() + busyTimeoutMs
  for (;;) {
    try {
      db.exec('PRAGMA journal_mode = WAL')
      return
    } catch (error) {
      if (!isBusy(error) || performance.now() > deadline) throw error
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 10)
    }
  }
}

/** Refuses files that are not ours. Returns the version found, 0 for an empty file. */
function checkOwner(db: DatabaseSync, path: string): number {
  const [owner, version] = [Number(readPragma(db, 'application_id')), Number(readPragma(db, 'user_version'))]
  const tables = Number(db.prepare('SELECT count(*) AS n FROM sqlite_schema').get()?.n)
  if (owner !== APPLICATION_ID && (owner !== 0 || tables > 0)) throw notALog(path, 'another program made this SQLite file')
  if (version > VERSION) throw newerVersion(path, version, VERSION)
  return version
}

/** The value of a pragma of this connection, as SQLite puts it. */
export function readPragma(db: DatabaseSync, name: string): string {
  return String(Object.values(db.prepare(`PRAGMA ${name}`).get() ?? {})[0])
}

/** Bytes that the log takes on the disk. */
export function logBytes(path: string): number {
  const wal = statSync(`${path}-wal`, {throwIfNoEntry: false})
  return statSync(path).size + (wal?.size ?? 0)
}
