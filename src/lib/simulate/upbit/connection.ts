import type {Duplex} from 'node:stream'
import type {WebSocket} from 'ws'
import {RateLimiter} from '../rate-limiter.ts'
import type {Counters, MessageType} from '../stats.ts'
import type {Audience, Outgoing} from './audience.ts'

/** Data requests a connection may make (docs.upbit.com: rate limits). */
const REQUESTS_PER_SECOND = 5
const REQUESTS_PER_MINUTE = 100

/** One websocket client. Market data goes straight to its socket as ready frames; ws itself does the handshake, control frames and everything read. */
export class Connection {
  readonly ws: WebSocket
  audience: Audience | null = null
  private readonly socket: Duplex
  private readonly counters: Counters
  private readonly maxBufferedBytes: number
  private readonly perSecond = new RateLimiter(REQUESTS_PER_SECOND, 1000)
  private readonly perMinute = new RateLimiter(REQUESTS_PER_MINUTE, 60_000)
  private lastActiveMs: number

  constructor(ws: WebSocket, socket: Duplex, counters: Counters, maxBufferedBytes: number, nowMs: number) {
    this.ws = ws
    this.socket = socket
    this.counters = counters
    this.maxBufferedBytes = maxBufferedBytes
    this.lastActiveMs = nowMs
  }

  /** Takes one of the data requests that the connection may make, or refuses. */
  takeRequest(nowMs: number): boolean {
    return this.perSecond.take(nowMs) && this.perMinute.take(nowMs)
  }

  touch(nowMs: number): void {
    this.lastActiveMs = nowMs
  }

  idleMs(nowMs: number): number {
    return nowMs - this.lastActiveMs
  }

  /** Writes ready frames; cuts a client whose unread bytes pass the limit, as an exchange does. */
  send(out: Outgoing, type: MessageType | null, nowMs: number): void {
    if (this.ws.readyState !== this.ws.OPEN) return
    this.socket.write(out.bytes)
    this.touch(nowMs)
    this.counters.frames += out.frames
    this.counters.bytes += out.bytes.length
    if (type !== null) this.counters.sent[type] += out.messages
    if (this.socket.writableLength <= this.maxBufferedBytes) return
    this.counters.connections.tooSlow++
    this.ws.terminate()
  }

  /** Holds back everything that is to go out, pongs too, or lets it go. */
  setFrozen(frozen: boolean): void {
    if (frozen) this.socket.cork()
    else this.socket.uncork()
  }

  /** A code closes in good order, null cuts the TCP connection. */
  drop(code: number | null): void {
    if (code === null) this.ws.terminate()
    else this.ws.close(code)
  }
}
