import {dirname} from 'node:path'
import {DatabaseSync} from 'node:sqlite'
import {setTimeout as delay} from 'node:timers/promises'
import {NotConnectedError} from '../../core/errors.ts'
import {makeFolder} from '../../core/folder.ts'
import type {Checkpoints, Versioned} from '../../core/ports/checkpoints.ts'
import {StoreLockedError, storeError} from '../embedded/errors.ts'

export interface EmbeddedCheckpointsOptions {
  /** A file of its own; it and its folder are made where missing. */
  readonly path: string
  /** How long to wait for another process's lock; default 5 s. */
  readonly busyTimeoutMs?: number
}

const RETRY_MS = 5
const SELECT = 'SELECT value, version FROM checkpoints WHERE name = ?'
const CREATE = 'CREATE TABLE IF NOT EXISTS checkpoints (name TEXT PRIMARY KEY, value TEXT NOT NULL, version INTEGER NOT NULL) STRICT'
const PUT = `INSERT INTO checkpoints (name, value, version) VALUES (:key, :value, 1)
  ON CONFLICT (name) DO UPDATE SET value = excluded.value, version = version + 1 RETURNING version`
/** The one statement decides and writes, so that no other process can come in between. No row: the version was another. */
const PUT_NEXT = 'UPDATE checkpoints SET value = :value, version = version + 1 WHERE name = :key AND version = :version RETURNING version'
const PUT_FIRST = 'INSERT INTO checkpoints (name, value, version) VALUES (:key, :value, 1) ON CONFLICT DO NOTHING RETURNING version'

/**
 * Checkpoints in a SQLite file that several processes may use. Small and rare, so they are written on the calling thread; a lock of another process is
 * waited for without blocking it.
 */
export class EmbeddedCheckpoints implements Checkpoints {
  readonly #options: EmbeddedCheckpointsOptions
  #database: DatabaseSync | undefined

  constructor(options: EmbeddedCheckpointsOptions) {
    this.#options = options
  }

  async connect(): Promise<void> {
    if (this.#database) return
    this.#database = await this.#attempt(() => openDatabase(this.#options.path))
  }

  async check(): Promise<void> {
    await this.get('')
  }

  async close(): Promise<void> {
    this.#database?.close()
    this.#database = undefined
  }

  async get(key: string): Promise<Versioned | null> {
    const row = await this.#attempt(() => this.#open().prepare(SELECT).get(key))
    return row ? {value: String(row.value), version: Number(row.version)} : null
  }

  async put(key: string, value: string): Promise<number> {
    return this.#attempt(() => Number(this.#open().prepare(PUT).get({key, value})?.version))
  }

  async putIfVersion(key: string, value: string, version: number): Promise<{readonly ok: boolean; readonly version: number}> {
    const put = () =>
      version === 0 ? this.#open().prepare(PUT_FIRST).get({key, value}) : this.#open().prepare(PUT_NEXT).get({key, value, version})
    const row = await this.#attempt(put)
    if (row) return {ok: true, version: Number(row.version)}
    return {ok: false, version: (await this.get(key))?.version ?? 0}
  }

  #open(): DatabaseSync {
    if (this.#database) return this.#database
    throw new NotConnectedError(`the checkpoints in ${this.#options.path} are not open`)
  }

  async #attempt<T>(work: () => T): Promise<T> {
    const deadline = performance.now() + (this.#options.busyTimeoutMs ?? 5000)
    for (;;) {
      try {
        return work()
      } catch (cause) {
        const error = storeError(this.#options.path, cause)
        if (!(error instanceof StoreLockedError) || performance.now() > deadline) throw error
        await delay(RETRY_MS)
      }
    }
  }
}

function openDatabase(path: string): DatabaseSync {
  makeFolder(dirname(path))
  const database = new DatabaseSync(path, {timeout: 0})
  try {
    database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL')
    // fsync on macOS leaves data in the drive's cache; only F_FULLFSYNC survives a power loss there.
    if (process.platform === 'darwin') database.exec('PRAGMA fullfsync = 1; PRAGMA checkpoint_fullfsync = 1')
    database.exec(CREATE)
    return database
  } catch (error) {
    database.close()
    throw error
  }
}
