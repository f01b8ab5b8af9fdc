import {dirname} from 'node:path'
import type {DatabaseSync} from 'node:sqlite'
import {CoinpipeError} from '../../core/errors.ts'
import {BusLockedError, CorruptLogError, DiskFullError, LogUnwritableError, LogVersionError, NotALogError} from '../errors.ts'

/** SQLite's primary result codes (sqlite.org/rescode.html). */
const BUSY = 5
const LOCKED = 6
const READONLY = 8
const IOERR = 10
const CORRUPT = 11
const FULL = 13
const CANTOPEN = 14
const NOTADB = 26

/** The primary SQLite result code of an error by node:sqlite; null for any other error. */
function resultCode(error: unknown): number | null {
  if (!(error instanceof Error) || !('errcode' in error) || typeof error.errcode !== 'number') return null
  return error.errcode & 0xff
}

export function isBusy(error: unknown): boolean {
  const code = resultCode(error)
  return code === BUSY || code === LOCKED
}

/** Whether the whole file is in trouble, so that trying each write alone is of no use. */
export function concernsWholeLog(error: unknown): boolean {
  return !(error instanceof CoinpipeError) && resultCode(error) !== null
}

/** What an error by node:sqlite means to the person who runs this; other errors stay as they are. `damage` says what is wrong with a damaged file. */
export function translateSqliteError(error: unknown, path: string, busyTimeoutMs: number, damage?: () => string): unknown {
  const code = resultCode(error)
  const cause = error
  switch (code) {
    case BUSY:
    case LOCKED:
      return new BusLockedError(`the log ${path} was locked by another process for more than ${busyTimeoutMs / 1000} s`, {
        cause,
        retry: {kind: 'later', afterMs: 1000},
        remedy: [
          `see which process holds it: fuser -v ${path} (macOS: lsof ${path}); a stuck one must be ended`,
          'nothing was written; it is tried again',
        ],
      })
    case FULL:
      return new DiskFullError(`the disk that holds the log ${path} is full`, {
        cause,
        retry: {kind: 'later', afterMs: 1000},
        remedy: [
          `free space there (df -h ${dirname(path)}), or shorten topics.<name>.retention in coinpipe.yaml`,
          'nothing was written; it is tried again',
        ],
      })
    case READONLY:
    case CANTOPEN:
    case IOERR:
      return unwritable(path, error)
    case CORRUPT:
      return corrupt(path, error, damage?.() ?? messageOf(error))
    case NOTADB:
      return notALog(path, 'it is not an SQLite file', error)
    default:
      return error
  }
}

export function unwritable(path: string, cause: unknown): LogUnwritableError {
  return new LogUnwritableError(`the log ${path} cannot be opened or written: ${messageOf(cause)}`, {
    cause,
    retry: {kind: 'later', afterMs: 1000},
    remedy: [`see who may write there: ls -ld ${dirname(path)} ${path}`, 'or put the log elsewhere with --data-dir'],
  })
}

export function notALog(path: string, seen: string, cause?: unknown): NotALogError {
  return new NotALogError(`${path} is not a coinpipe log: ${seen}`, {
    ...(cause === undefined ? {} : {cause}),
    remedy: ['it was left untouched; move it away, or choose another folder with --data-dir'],
  })
}

export function newerVersion(path: string, found: number, known: number): LogVersionError {
  return new LogVersionError(`the log ${path} has format ${found}; this coinpipe knows formats up to ${known}`, {
    remedy: ['use the newer coinpipe that wrote it, or another folder with --data-dir'],
  })
}

function corrupt(path: string, cause: unknown, seen: string): CorruptLogError {
  const folder = dirname(path)
  return new CorruptLogError(`the log ${path} is damaged: ${seen}`, {
    cause,
    remedy: [
      `set it aside and go on with an empty log: mkdir ${folder}/damaged && mv ${path}* ${folder}/damaged/`,
      `what can be read of it: sqlite3 ${folder}/damaged/coinpipe-log.sqlite .recover`,
    ],
  })
}

/** The first lines of SQLite's own check. Reads the whole file where nothing is wrong with it. */
export function integrity(db: DatabaseSync): string {
  try {
    return db
      .prepare('PRAGMA quick_check(3)')
      .all()
      .flatMap((row) => Object.values(row))
      .join('; ')
  } catch (error) {
    return messageOf(error)
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
