import type {Duplex} from 'node:stream'
import type {WebSocket} from 'ws'
import type {Logger} from '../../core/context.ts'
import {closed} from '../closing.ts'
import {binaryFrames} from '../frame-buffer.ts'
import type {Counters, MessageType} from '../stats.ts'
import {Audience, type Outgoing} from './audience.ts'
import {Connection} from './connection.ts'
import type {Exchange, TradeBatch} from './exchange.ts'
import {errorText, parseRequest, type Subscription} from './subscription.ts'

const GOING_AWAY = 1001
const STATUS_UP = '{"status":"UP"}'

export interface HubOptions {
  readonly exchange: Exchange
  readonly counters: Counters
  readonly logger: Logger
  readonly tradesPerFrame: number
  readonly maxBufferedBytes: number
  readonly idleTimeoutMs: number
  /** Whether the documented limits hold. */
  readonly limits: boolean
  /** A valid subscription came in. */
  readonly onSubscribed: () => void
  readonly nowMs: () => number
}

/** The connected clients, grouped by what they asked for. */
export class Hub {
  private readonly options: HubOptions
  private readonly connections = new Set<Connection>()
  private readonly audiences = new Map<string, {readonly audience: Audience; readonly members: Set<Connection>}>()
  private stalled = false
  private frozen = false

  constructor(options: HubOptions) {
    this.options = options
  }

  /** The styles of trade text that somebody listens to. */
  get styles(): {full: boolean; short: boolean} {
    const wanting = [...this.audiences.values()].filter(({audience}) => audience.wantsTrades)
    return {
      full: wanting.some(({audience}) => audience.subscription.fullNames),
      short: wanting.some(({audience}) => !audience.subscription.fullNames),
    }
  }

  add(ws: WebSocket, socket: Duplex): void {
    const {counters, maxBufferedBytes, logger, nowMs} = this.options
    const connection = new Connection(ws, socket, counters, maxBufferedBytes, nowMs())
    this.connections.add(connection)
    if (this.frozen) connection.setFrozen(true)
    counters.connections.accepted++
    counters.connections.open = this.connections.size
    ws.on('message', (data) => this.receive(connection, data.toString()))
    ws.on('ping', () => connection.touch(nowMs()))
    ws.on('error', (error) => logger.debug({err: error}, 'a client broke the websocket protocol or its connection'))
    ws.on('close', () => this.remove(connection))
  }

  sendTrades(batch: TradeBatch): void {
    this.sendAll('trade', (audience) => audience.trades(batch))
  }

  sendBooks(indexes: readonly number[]): void {
    this.sendAll('orderbook', (audience) => audience.books(indexes))
  }

  sendTickers(indexes: readonly number[]): void {
    this.sendAll('ticker', (audience) => audience.tickers(indexes, this.options.nowMs()))
  }

  sendCandles(): void {
    this.sendAll('candle', (audience) => audience.candles(this.options.nowMs()))
  }

  /** A frame of our choice to everybody. */
  sendText(textFor: (fullNames: boolean) => string): void {
    for (const connection of this.connections) this.sendOne(connection, textFor(connection.audience?.subscription.fullNames ?? true))
  }

  sendError(name: string): void {
    this.sendText(() => errorText(name))
  }

  /** While stalled nothing is sent or answered on any websocket, and what would have been is lost; only the protocol's own pings are answered. */
  setStalled(stalled: boolean): void {
    this.stalled = stalled
  }

  /** While frozen nothing leaves on any websocket, pongs and new ones included; it waits, within the limit of what a client may leave unread. */
  setFrozen(frozen: boolean): void {
    this.frozen = frozen
    for (const connection of this.connections) connection.setFrozen(frozen)
  }

  dropAll(code: number | null): void {
    this.options.counters.connections.dropped += this.connections.size
    for (const connection of this.connections) connection.drop(code)
  }

  /** Closes every connection in good order, behind what is still on its way; resolves when all are gone or `withinMs` has passed. */
  async closeAll(withinMs: number): Promise<void> {
    for (const connection of this.connections) connection.drop(GOING_AWAY)
    await closed(
      [...this.connections].map(({ws}) => ws),
      withinMs,
    )
  }

  closeIdle(): void {
    const {idleTimeoutMs, counters, nowMs} = this.options
    for (const connection of this.connections) {
      if (connection.idleMs(nowMs()) < idleTimeoutMs) continue
      counters.connections.idle++
      connection.drop(1000)
    }
  }

  private sendAll(type: MessageType, make: (audience: Audience) => Outgoing | null): void {
    const {counters, nowMs} = this.options
    for (const {audience, members} of this.audiences.values()) {
      const out = make(audience)
      if (out === null) continue
      if (this.stalled) counters.faults.stalled += out.messages * members.size
      else for (const connection of members) connection.send(out, type, nowMs())
    }
  }

  private sendOne(connection: Connection, text: string): void {
    if (this.stalled) return
    connection.send({bytes: binaryFrames([text]), messages: 1, frames: 1}, null, this.options.nowMs())
  }

  private receive(connection: Connection, text: string): void {
    const now = this.options.nowMs()
    connection.touch(now)
    if (text === 'PING') this.sendOne(connection, STATUS_UP)
    else if (this.options.limits && !connection.takeRequest(now)) this.sendOne(connection, errorText('TOO_MANY_REQUESTS'))
    else this.answer(connection, text)
  }

  private answer(connection: Connection, text: string): void {
    const request = parseRequest(text)
    if (request.ok) this.subscribe(connection, request.subscription)
    else this.sendOne(connection, errorText(request.error))
  }

  /** A new request replaces the one before. */
  private subscribe(connection: Connection, subscription: Subscription): void {
    this.leave(connection)
    const key = JSON.stringify([subscription.fullNames, subscription.list, subscription.wants])
    const entry = this.audiences.get(key) ?? {
      audience: new Audience(subscription, this.options.exchange, this.options.tradesPerFrame),
      members: new Set<Connection>(),
    }
    this.audiences.set(key, entry)
    entry.members.add(connection)
    connection.audience = entry.audience
    this.sendSnapshot(connection, entry.audience)
    this.options.onSubscribed()
  }

  private sendSnapshot(connection: Connection, audience: Audience): void {
    if (this.stalled) return
    const now = this.options.nowMs()
    for (const [type, out] of Object.entries(audience.snapshot(now)) as [MessageType, Outgoing | null][]) {
      if (out !== null) connection.send(out, type, now)
    }
  }

  private remove(connection: Connection): void {
    this.leave(connection)
    this.connections.delete(connection)
    this.options.counters.connections.open = this.connections.size
  }

  private leave(connection: Connection): void {
    for (const [key, {audience, members}] of this.audiences) {
      if (audience !== connection.audience) continue
      members.delete(connection)
      if (members.size === 0) this.audiences.delete(key)
    }
    connection.audience = null
  }
}
