import {mkdirSync} from 'node:fs'
import {dirname} from 'node:path'
import {DatabaseSync} from 'node:sqlite'
import {NotConnectedError} from '../../core/errors.ts'
import type {Checkpoints, Versioned} from '../../core/ports/checkpoints.ts'
import {storeError} from '../embedded/errors.ts'

export interface EmbeddedCheckpointsOptions {
  /** A file of its own; it and its folder are made where missing. */
  readonly path: string
  /** How long to wait for another process's lock; default 5 s. */
  readonly busyTimeoutMs?: number
}

const PUT = `INSERT INTO checkpoints (name, value, version) VALUES (:key, :value, 1)
  ON CONFLICT (name) DO UPDATE SET value = excluded.value, version = version + 1 RETURNING version`

/** Checkpoints in a SQLite file that several processes may use. */
export class EmbeddedCheckpoints implements Checkpoints {
  readonly #options: EmbeddedCheckpointsOptions
  #database: DatabaseSync | undefined

  constructor(options: EmbeddedCheckpointsOptions) {
    this.#options = options
  }

  async connect(): Promise<void> {
    if (this.#database) return
    const {path, busyTimeoutMs = 5000} = this.#options
    this.#database = this.#attempt(() => {
      mkdirSync(dirname(path), {recursive: true})
      const database = new DatabaseSync(path, {timeout: busyTimeoutMs})
      database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL')
      database.exec('CREATE TABLE IF NOT EXISTS checkpoints (name TEXT PRIMARY KEY, value TEXT NOT NULL, version INTEGER NOT NULL) STRICT')
      return database
    })
  }

  async check(): Promise<void> {
    await this.get('')
  }

  async close(): Promise<void> {
    this.#database?.close()
    this.#database = undefined
  }

  async get(key: string): Promise<Versioned | null> {
    const row = this.#attempt(() => this.#open().prepare('SELECT value, version FROM checkpoints WHERE name = ?').get(key))
    return row ? {value: String(row.value), version: Number(row.version)} : null
  }

  async put(key: string, value: string): Promise<number> {
    return this.#attempt(() => Number(this.#open().prepare(PUT).get({key, value})?.version))
  }

  async putIfVersion(key: string, value: string, version: number): Promise<{readonly ok: boolean; readonly version: number}> {
    return this.#attempt(() => {
      const database = this.#open()
      database.exec('BEGIN IMMEDIATE')
      try {
        const found = Number(database.prepare('SELECT version FROM checkpoints WHERE name = ?').get(key)?.version ?? 0)
        const ok = found === version
        const stored = ok ? Number(database.prepare(PUT).get({key, value})?.version) : found
        database.exec('COMMIT')
        return {ok, version: stored}
      } catch (error) {
        database.exec('ROLLBACK')
        throw error
      }
    })
  }

  #open(): DatabaseSync {
    if (this.#database) return this.#database
    throw new NotConnectedError(`the checkpoints in ${this.#options.path} are not open`)
  }

  #attempt<T>(work: () => T): T {
    try {
      return work()
    } catch (error) {
      throw storeError(this.#options.path, error)
    }
  }
}
