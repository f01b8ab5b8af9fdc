import {CoinpipeError, type ErrorDetails, EXIT} from '../../core/errors.ts'

/** Another process holds the write lock for longer than the busy timeout. */
export class StoreLockedError extends CoinpipeError {
  readonly code = 'COINPIPE_STORE_LOCKED'
  constructor(path: string, details: ErrorDetails = {}) {
    super(`the store ${path} stayed locked by another process`, {
      retry: {kind: 'later'},
      remedy: [`find who holds it: lsof ${path}`],
      ...details,
    })
  }
}

/** The file is damaged, or no store at all. */
export class StoreCorruptError extends CoinpipeError {
  readonly code = 'COINPIPE_STORE_CORRUPT'
  /** What is wrong with it. */
  readonly seen: string
  constructor(path: string, seen: string, details: ErrorDetails = {}) {
    super(`the store ${path} cannot be read as one: ${seen}`, {
      remedy: [`move it away (mv ${path} ${path}.bad) and start again: a new store is filled from the log, as far back as the log keeps`],
      ...details,
    })
    this.seen = seen
  }
}

/** The disk of the store is full. What was to be written is not in the store. */
/** The disk of the store is full. The batch is not in it; it is tried again. */
export class StoreDiskFullError extends CoinpipeError {
  readonly code = 'COINPIPE_STORE_DISK_FULL'
  constructor(path: string, details: ErrorDetails = {}) {
    super(`no room left on the disk to write to the store ${path}`, {
      retry: {kind: 'later', afterMs: 5000},
      remedy: [`make room on the disk: df -h ${path}`, 'or keep trades for a shorter time (retention of the store sink)'],
      ...details,
    })
  }
}

/** The file could not be opened, read or written for another reason: permissions, a missing folder, an I/O error. */
export class StoreIoError extends CoinpipeError {
  readonly code = 'COINPIPE_STORE_IO'
  constructor(path: string, seen: string, details: ErrorDetails = {}) {
    super(`the store ${path} could not be used: ${seen}`, {
      retry: {kind: 'later'},
      remedy: [`check the folder and its permissions: ls -la ${path}`],
      ...details,
    })
  }
}

/** The store was made by another version of coinpipe. */
export class StoreSchemaError extends CoinpipeError {
  readonly code = 'COINPIPE_STORE_SCHEMA'
  /** Version found in the file. */
  readonly found: number
  constructor(path: string, found: number, known: number, details: ErrorDetails = {}) {
    super(`the store ${path} has schema version ${found}; this coinpipe knows version ${known}`, {
      remedy: ['use the coinpipe that made it, or another --data-dir'],
      ...details,
    })
    this.found = found
  }
}

/** There is no store at this path yet. */
export class StoreMissingError extends CoinpipeError {
  readonly code = 'COINPIPE_STORE_MISSING'
  constructor(path: string, details: ErrorDetails = {}) {
    super(`there is no store at ${path}`, {
      retry: {kind: 'later'},
      remedy: ['coinpipe up', 'or: coinpipe sink store', 'is it kept elsewhere? name its folder: --data-dir DIR'],
      ...details,
    })
  }
}

/** The writer thread ended; the next call starts another one. */
export class StoreWriterError extends CoinpipeError {
  readonly code = 'COINPIPE_STORE_WRITER'
  constructor(path: string, seen: string, details: ErrorDetails = {}) {
    super(`the writer thread of the store ${path} ended: ${seen}`, {
      retry: {kind: 'later'},
      remedy: ['run it again; if it ends again, please report it with this message'],
      ...details,
    })
  }
}

/** A record that this store does not take for what it is. */
export class StoreRecordError extends CoinpipeError {
  readonly code = 'COINPIPE_STORE_RECORD'
  constructor(message: string, details: ErrorDetails = {}) {
    super(message, {exitCode: EXIT.wrong, remedy: ['the record is kept in the dead-letter topic, with this reason'], ...details})
  }
}

/** Primary result codes, https://sqlite.org/rescode.html */
const SQLITE = {busy: 5, locked: 6, ioError: 10, corrupt: 11, full: 13, notADatabase: 26} as const

/** SQLite's (extended) result code of an error that node:sqlite threw, or the like one for an error of the file system. */
export function sqliteCode(error: unknown): number | undefined {
  if (!(error instanceof Error)) return undefined
  if ('errcode' in error && typeof error.errcode === 'number') return error.errcode
  if (!('syscall' in error && 'code' in error)) return undefined
  return error.code === 'ENOSPC' ? SQLITE.full : SQLITE.ioError
}

/** The typed error for what SQLite reported on the store at `path`; anything else comes back as it is. */
export function storeError(path: string, error: unknown, errcode = sqliteCode(error)): unknown {
  if (errcode === undefined) return error
  const details = {cause: error}
  const seen = error instanceof Error ? error.message : String(error)
  switch (errcode & 0xff) {
    case SQLITE.busy:
    case SQLITE.locked:
      return new StoreLockedError(path, details)
    case SQLITE.full:
      return new StoreDiskFullError(path, details)
    case SQLITE.corrupt:
    case SQLITE.notADatabase:
      return new StoreCorruptError(path, seen, details)
    default:
      return new StoreIoError(path, seen, details)
  }
}
