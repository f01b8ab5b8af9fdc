import {NotConnectedError} from '../../core/errors.ts'
import type {Checkpoints, Versioned} from '../../core/ports/checkpoints.ts'

/** Checkpoints that last as long as `states`, which several instances may share. For tests. */
export class MemoryCheckpoints implements Checkpoints {
  readonly #states: Map<string, Versioned>
  #open = false

  constructor(states = new Map<string, Versioned>()) {
    this.#states = states
  }

  async connect(): Promise<void> {
    this.#open = true
  }

  async check(): Promise<void> {
    this.#opened()
  }

  async close(): Promise<void> {
    this.#open = false
  }

  async get(key: string): Promise<Versioned | null> {
    return this.#opened().get(key) ?? null
  }

  async put(key: string, value: string): Promise<number> {
    const version = (this.#opened().get(key)?.version ?? 0) + 1
    this.#states.set(key, {value, version})
    return version
  }

  async putIfVersion(key: string, value: string, version: number): Promise<{readonly ok: boolean; readonly version: number}> {
    const found = this.#opened().get(key)?.version ?? 0
    if (found !== version) return {ok: false, version: found}
    return {ok: true, version: await this.put(key, value)}
  }

  #opened(): Map<string, Versioned> {
    if (this.#open) return this.#states
    throw new NotConnectedError('the checkpoints in memory are not open')
  }
}
