import type {IncomingMessage, ServerResponse} from 'node:http'
import type {Duplex} from 'node:stream'
import {WebSocketServer} from 'ws'
import type {Clock, Logger} from '../core/context.ts'
import type {FaultState} from './fault-state.ts'
import {refuseUpgrade, requestUrl, SIMULATED_HEADER, sendJson} from './http.ts'
import {Listener} from './listener.ts'
import {RateLimiter} from './rate-limiter.ts'
import type {Counters} from './stats.ts'
import type {Exchange} from './upbit/exchange.ts'
import type {Hub} from './upbit/hub.ts'
import {answerRest, type RestAnswer, type RestGroup, restError, restGroup} from './upbit/rest.ts'

export const WEBSOCKET_PATH = '/websocket/v1'

/** Limits that Upbit documents (docs.upbit.com: rate limits): a second's worth of REST requests a group, a second's worth of new websockets. */
const REST_PER_SECOND = 10
const CONNECTS_PER_SECOND = 5
/** Requests with an Origin header: one in this time. */
const ORIGIN_WINDOW_MS = 10_000
const MAX_REQUEST_BYTES = 1024 * 1024

export interface ServerOptions {
  readonly host: string
  readonly port: number
  readonly limits: boolean
  readonly exchange: Exchange
  readonly hub: Hub
  readonly faults: FaultState
  readonly counters: Counters
  readonly clock: Clock
  readonly logger: Logger
  readonly nowMs: () => number
  /** Answers paths below `/sim/`. */
  readonly onControl: (request: IncomingMessage, response: ServerResponse, url: URL) => Promise<void>
}

/** The port: websocket handshakes, REST and the simulator's own `/sim/` paths, with the exchange's limits and the faults of the moment. */
export class SimulatorServer {
  readonly listener: Listener
  private readonly options: ServerOptions
  private readonly websockets = new WebSocketServer({noServer: true, perMessageDeflate: false, maxPayload: MAX_REQUEST_BYTES})
  private readonly groups = new Map<RestGroup, RateLimiter>()
  private readonly connects = new RateLimiter(CONNECTS_PER_SECOND, 1000)
  private readonly withOrigin = new RateLimiter(1, ORIGIN_WINDOW_MS)

  constructor(options: ServerOptions) {
    this.options = options
    this.websockets.on('headers', (headers) => headers.push(`${SIMULATED_HEADER}: true`))
    this.listener = new Listener({
      host: options.host,
      port: options.port,
      onRequest: (request, response) => this.request(request, response),
      onUpgrade: (request, socket, head) => this.upgrade(request, socket, head),
    })
  }

  private request(request: IncomingMessage, response: ServerResponse): void {
    const url = requestUrl(request)
    const answering = url.pathname.startsWith('/sim/') ? this.options.onControl(request, response, url) : this.rest(request, response, url)
    answering.catch((error: unknown) => {
      this.options.logger.error({err: error, path: url.pathname}, 'the simulator could not answer a request')
      response.destroy()
    })
  }

  private async rest(request: IncomingMessage, response: ServerResponse, url: URL): Promise<void> {
    const {faults, counters, clock} = this.options
    // Without an answer: the client's own deadline has to help it.
    if (this.listener.isHanging) return
    counters.rest.requests++
    const delayMs = faults.nextDelayMs()
    if (delayMs > 0) await clock.sleep(delayMs)
    const group = restGroup(url.pathname)
    const {status, body} = this.restAnswer(request, url, group)
    counters.rest.byStatus[status] = (counters.rest.byStatus[status] ?? 0) + 1
    const left = group === null ? 0 : this.limiter(group).remaining(clock.monotonicMs())
    sendJson(response, status, body, group === null ? {} : {'Remaining-Req': `group=${group}; min=${REST_PER_SECOND * 60}; sec=${left}`})
  }

  private restAnswer(request: IncomingMessage, url: URL, group: RestGroup | null): RestAnswer {
    const {faults, limits, exchange, clock, nowMs} = this.options
    const forced = faults.nextStatus()
    if (forced !== null) return restError(forced, statusName(forced), 'a status on demand')
    if (group === null) return restError(404, 404, 'no such path')
    const now = clock.monotonicMs()
    const isAllowed = !limits || (this.limiter(group).take(now) && (request.headers.origin === undefined || this.withOrigin.take(now)))
    if (!isAllowed) return restError(429, 'too_many_requests', 'too many API requests')
    return answerRest(exchange, url.pathname, url.searchParams, nowMs())
  }

  private limiter(group: RestGroup): RateLimiter {
    const limiter = this.groups.get(group) ?? new RateLimiter(REST_PER_SECOND, 1000)
    this.groups.set(group, limiter)
    return limiter
  }

  private upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const {counters, limits, hub, clock} = this.options
    if (this.listener.isHanging) return
    const path = requestUrl(request).pathname
    const now = clock.monotonicMs()
    const isAllowed = !limits || (this.connects.take(now) && (request.headers.origin === undefined || this.withOrigin.take(now)))
    if (path !== WEBSOCKET_PATH) refuseUpgrade(socket, '404 Not Found')
    else if (isAllowed) this.websockets.handleUpgrade(request, socket, head, (ws) => hub.add(ws, socket))
    else {
      counters.connections.limited++
      refuseUpgrade(socket, '429 Too Many Requests')
    }
  }
}

function statusName(status: number): string | number {
  return status === 429 || status === 418 ? 'too_many_requests' : status
}
