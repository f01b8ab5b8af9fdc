import type {LogReader} from './reader.ts'

const MIN_POLL_MS = 1
const MAX_POLL_MS = 20

/**
 * Tells listeners when the log has changed. Commits of this process are reported to it at once; those of others are found by polling, every
 * millisecond after a change and less often the longer nothing happens.
 */
export class LogWatcher {
  readonly #reader: LogReader
  readonly #onError: (error: unknown) => void
  readonly #listeners = new Set<() => void>()
  #version: number | null = null
  #timer: NodeJS.Timeout | null = null
  #pollMs = MIN_POLL_MS

  constructor(reader: LogReader, onError: (error: unknown) => void) {
    this.#reader = reader
    this.#onError = onError
  }

  listen(listener: () => void): () => void {
    this.#listeners.add(listener)
    this.#schedule()
    return () => this.#listeners.delete(listener)
  }

  /** The log has changed, and whoever calls this knows. */
  notify(): void {
    for (const listener of this.#listeners) listener()
  }

  /** Calls the listeners once more: who waits for a change learns that none will come. */
  close(): void {
    this.notify()
    this.#listeners.clear()
    if (this.#timer !== null) clearTimeout(this.#timer)
  }

  #schedule(): void {
    if (this.#timer !== null || this.#listeners.size === 0) return
    this.#timer = setTimeout(() => {
      this.#timer = null
      this.#poll()
      this.#schedule()
    }, this.#pollMs)
  }

  #poll(): void {
    try {
      const version = this.#reader.dataVersion()
      const changed = version !== null && version !== this.#version
      this.#pollMs = changed ? MIN_POLL_MS : Math.min(this.#pollMs * 2, MAX_POLL_MS)
      if (version !== null) this.#version = version
      if (changed) this.notify()
    } catch (error) {
      this.#pollMs = MAX_POLL_MS
      this.#onError(error)
    }
  }
}
