import type {WebSocket} from 'ws'
import type {Context} from '../../core/context.ts'
import {AbortedError, CoinpipeError} from '../../core/errors.ts'
import {type Backoff, backoffMs} from './backoff.ts'
import type {RateLimiter} from './rate-limiter.ts'
import {openSocket} from './socket.ts'

/** Why a connection ended: the server closed it or the network broke, it no longer answered, or it was dropped on purpose. */
export type DropReason = 'closed' | 'stale' | 'refused'

export interface ConnectionTimings {
  readonly connectTimeoutMs: number
  /** Keep-alive; well below the idle time-out of the exchange. */
  readonly pingIntervalMs: number
  /** A ping without any frame after it for this long: the connection is stale. */
  readonly pongTimeoutMs: number
  readonly backoff: Backoff
  /** A connection that lived this long starts the back-off anew. */
  readonly stableMs: number
}

export interface ConnectionOptions {
  readonly url: string
  readonly timings: ConnectionTimings
  readonly limiter: RateLimiter
  /** The request to send on a new connection. */
  readonly greeting: () => string
  /** A text that the exchange itself answers, sent beside each ping: a pong only shows that its web server lives. */
  readonly heartbeat: string
  readonly onOpen: (greeting: string) => void
  /** Called for every data frame, in the same tick as the others of one read. */
  readonly onFrame: (frame: Buffer) => void
  readonly onDrop: (reason: DropReason) => void
}

/** One websocket that is kept open: connects, subscribes, pings, notices a dead peer, and starts again with back-off until the signal aborts. */
export class Connection {
  readonly #options: ConnectionOptions
  readonly #context: Context
  #socket: WebSocket | undefined
  #paused = false
  /** Anything heard since the last ping. A paused socket hears nothing and is not to blame. */
  #heard = false
  /** A message since the last ping; pongs don't count. */
  #hasMessage = false
  /** Whether the exchange is known to answer heartbeats. Only then is their silence held against it. */
  #heartbeats: 'unknown' | 'sent' | 'answered' | 'off' = 'unknown'
  #dropReason: DropReason = 'closed'

  constructor(options: ConnectionOptions, context: Context) {
    this.#options = options
    this.#context = context
  }

  get isOpen(): boolean {
    return this.#socket !== undefined
  }

  /** Resolves once the first connection is open; rejects with a typed error where it cannot be. */
  async open(signal: AbortSignal): Promise<void> {
    const {url, limiter, timings} = this.#options
    await limiter.acquire(signal)
    await openSocket(url, timings.connectTimeoutMs, signal, (socket) => this.#opened(socket))
  }

  /** Keeps the connection that `open` made; returns when `signal` aborts. */
  async keep(signal: AbortSignal): Promise<void> {
    for (let attempt = 0; ; ) {
      const startedMs = this.#context.clock.monotonicMs()
      await this.#serve(signal)
      if (signal.aborted) return
      if (this.#context.clock.monotonicMs() - startedMs >= this.#options.timings.stableMs) attempt = 0
      attempt = await this.#reopen(attempt, signal)
      if (signal.aborted) return
    }
  }

  pause(): void {
    this.#paused = true
    this.#socket?.pause()
  }

  resume(): void {
    this.#paused = false
    this.#heard = true
    this.#hasMessage = true
    this.#socket?.resume()
  }

  /** The exchange answered a heartbeat. */
  heartbeatAnswered(): void {
    this.#heartbeats = 'answered'
  }

  /** Whether an error frame may be about a heartbeat, which this exchange then does not know: no more are sent. */
  heartbeatRefused(): boolean {
    if (this.#heartbeats !== 'sent') return false
    this.#heartbeats = 'off'
    return true
  }

  /** Ends the present connection; `keep` opens another. */
  drop(reason: DropReason): void {
    this.#dropReason = reason
    this.#socket?.terminate()
  }

  #opened(socket: WebSocket): void {
    const {onFrame, onOpen, greeting} = this.#options
    this.#socket = socket
    this.#dropReason = 'closed'
    socket.on('message', (data) => {
      this.#heard = true
      this.#hasMessage = true
      // With the default binaryType every message is one Buffer.
      onFrame(data as Buffer)
    })
    socket.on('pong', () => {
      this.#heard = true
    })
    // `close` follows and says the rest.
    socket.on('error', (error) => this.#context.logger.debug({url: this.#options.url, reason: error.message}, 'websocket error'))
    if (this.#paused) socket.pause()
    const text = greeting()
    onOpen(text)
    socket.send(text)
  }

  /** Returns when the connection is gone. */
  async #serve(signal: AbortSignal): Promise<void> {
    const socket = this.#socket
    if (!socket) return
    const stopWatching = this.#watch(socket)
    const onAbort = () => socket.terminate()
    signal.addEventListener('abort', onAbort, {once: true})
    await new Promise<void>((resolve) => {
      socket.once('close', () => resolve())
      if (signal.aborted || socket.readyState !== socket.OPEN) socket.terminate()
      if (socket.readyState === socket.CLOSED) resolve()
    })
    signal.removeEventListener('abort', onAbort)
    stopWatching()
    this.#socket = undefined
    if (!signal.aborted) this.#options.onDrop(this.#dropReason)
  }

  /** Pings at once and then regularly. Silence is only suspicious after a ping: a quiet market answers it, a dead peer does not. */
  #watch(socket: WebSocket): () => void {
    const {pingIntervalMs, pongTimeoutMs} = this.#options.timings
    let deadline: NodeJS.Timeout | undefined
    const ping = () => {
      this.#heard = this.#paused
      this.#hasMessage = this.#paused
      if (socket.readyState === socket.OPEN) socket.ping()
      clearTimeout(deadline)
      deadline = setTimeout(() => this.#staleUnless(this.#heard), pongTimeoutMs)
    }
    const tick = () => {
      if (this.#heartbeats === 'answered') this.#staleUnless(this.#hasMessage)
      // Before the first message an error is about the subscription; later it would be about this.
      if (this.#hasMessage || this.#heartbeats === 'answered') this.#beat(socket)
      ping()
    }
    ping()
    const timer = setInterval(tick, pingIntervalMs)
    return () => {
      clearInterval(timer)
      clearTimeout(deadline)
    }
  }

  #staleUnless(isAlive: boolean): void {
    if (!isAlive && !this.#paused) this.drop('stale')
  }

  #beat(socket: WebSocket): void {
    if (this.#heartbeats === 'off' || socket.readyState !== socket.OPEN) return
    if (this.#heartbeats === 'unknown') this.#heartbeats = 'sent'
    socket.send(this.#options.heartbeat)
  }

  /** Tries until a connection is open; returns the attempts made since the last stable connection. */
  async #reopen(since: number, signal: AbortSignal): Promise<number> {
    for (let attempt = since; ; attempt++) {
      try {
        await this.#context.clock.sleep(backoffMs(attempt, this.#options.timings.backoff, this.#context.random), signal)
        await this.open(signal)
        return attempt + 1
      } catch (error) {
        if (error instanceof AbortedError) return attempt
        this.#reportFailure(error, attempt)
      }
    }
  }

  #reportFailure(error: unknown, attempt: number): void {
    const reason = error instanceof Error ? error.message : String(error)
    const remedy = attempt === 0 && error instanceof CoinpipeError ? {remedy: error.remedy} : {}
    this.#context.logger.warn({url: this.#options.url, attempt, reason, ...remedy}, 'cannot reconnect, trying again')
  }
}
