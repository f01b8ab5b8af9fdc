import {dirname} from 'node:path'
import {DatabaseSync} from 'node:sqlite'
import {CoinpipeError, type ErrorDetails, EXIT} from './errors.ts'
import {makeFolder} from './folder.ts'

/** Something that one process at a time may do is being done by another one. */
export class AlreadyRunningError extends CoinpipeError {
  readonly code = 'COINPIPE_ALREADY_RUNNING'
  constructor(what: string, path: string, details: ErrorDetails = {}) {
    super(`${what} is running already: another process holds ${path}`, {
      exitCode: EXIT.usage,
      remedy: [`stop that process first (who it is: lsof ${path}), or give this one a name of its own with --name`],
      ...details,
    })
  }
}

/** The lock's file cannot be made or opened: rights, a read-only mount, a full disk. */
export class LockUnusableError extends CoinpipeError {
  readonly code = 'COINPIPE_LOCK_UNUSABLE'
  constructor(what: string, path: string, details: ErrorDetails & {readonly cause: unknown}) {
    super(`${what} cannot take its lock ${path}: ${details.cause instanceof Error ? details.cause.message : String(details.cause)}`, {
      remedy: [`make the folder writable and see that the disk has room: ls -la ${dirname(path)}; df -h ${dirname(path)}`],
      ...details,
    })
  }
}

/** https://sqlite.org/rescode.html#busy */
const SQLITE_BUSY = 5

/**
 * Takes a lock for this process; the answer releases it. The lock is the operating system's, on a file that stays, taken through SQLite because Node has
 * no call for it: so it is gone with its process however that ends, and of two that race for it one wins. Keep the answer for as long: a connection that
 * is garbage lets go of its locks. Rejects with AlreadyRunningError or LockUnusableError.
 */
export async function takeLock(path: string, what: string): Promise<() => Promise<void>> {
  let db: DatabaseSync | undefined
  try {
    makeFolder(dirname(path))
    const opened = new DatabaseSync(path, {timeout: 0})
    db = opened
    opened.exec('BEGIN EXCLUSIVE')
    return async () => opened.close()
  } catch (cause) {
    db?.close()
    if (cause instanceof Error && 'errcode' in cause && cause.errcode === SQLITE_BUSY) throw new AlreadyRunningError(what, path, {cause})
    throw new LockUnusableError(what, path, {cause})
  }
}
