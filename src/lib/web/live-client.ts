import type {ServerResponse} from 'node:http'
import type {CandleInterval} from '../core/records.ts'

export interface LiveClientOptions {
  readonly response: ServerResponse
  readonly interval: CandleInterval
  /** `Last-Event-ID` of a browser that comes back. */
  readonly resumeFrom?: string | undefined
  /** A client whose socket takes nothing for so long is gone. */
  readonly stalledMs: number
}

/**
 * One browser on the event stream. What it can't take now it never gets: at most one write waits in its socket, and once there is room
 * again a fresh snapshot brings it up to date. So a stopped reader costs no memory, however much happens meanwhile.
 */
export class LiveClient {
  readonly interval: CandleInterval
  /** True until a snapshot (or a resume) has brought the client up to date, and again after something was held back. */
  behind = true
  readonly #response: ServerResponse
  readonly #stalledMs: number
  #resumeFrom: string | undefined
  #full = false
  #stallTimer: NodeJS.Timeout | undefined

  constructor({response, interval, resumeFrom, stalledMs}: LiveClientOptions) {
    this.interval = interval
    this.#resumeFrom = resumeFrom
    this.#response = response
    this.#stalledMs = stalledMs
    response.on('drain', () => this.#onDrain())
    response.on('close', () => clearTimeout(this.#stallTimer))
  }

  /** False while the socket is full: whatever happens now is held back. */
  get ready(): boolean {
    return !this.#full && !this.#response.destroyed
  }

  /** Writes whole events; marks the client as behind where there is no room for them. */
  send(text: string): void {
    if (!this.ready) {
      this.behind = true
      return
    }
    if (this.#response.write(text)) return
    this.#full = true
    this.#stallTimer = setTimeout(() => this.#response.destroy(), this.#stalledMs)
    this.#stallTimer.unref()
  }

  /** The id that the browser came back with: good for one attempt, as later events move it on. */
  takeResumeId(): string | undefined {
    const id = this.#resumeFrom
    this.#resumeFrom = undefined
    return id
  }

  /** Keeps proxies from closing a quiet connection. */
  beat(): void {
    if (this.ready) this.send(':\n\n')
  }

  end(): void {
    this.#response.end()
  }

  #onDrain(): void {
    clearTimeout(this.#stallTimer)
    this.#full = false
  }
}
