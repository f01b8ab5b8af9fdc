import type {IncomingMessage, ServerResponse} from 'node:http'
import {type WebSocket, WebSocketServer} from 'ws'
import type {Context} from '../../core/context.ts'
import {AbortedError} from '../../core/errors.ts'
import {closed} from '../closing.ts'
import {requestUrl, sendJson} from '../http.ts'
import {Listener} from '../listener.ts'
import {type CaptureIndex, indexCapture} from './capture-index.ts'
import {playOnce} from './playback.ts'

const MAX_REQUEST_BYTES = 1024 * 1024
const STATUS_UP = '{"status":"UP"}'
const CLOSE_WAIT_MS = 5000

export interface ReplayOptions {
  /** A capture of either format, gzipped or plain. */
  readonly path: string
  /** Default 0: any free port. */
  readonly port?: number
  /** Default `127.0.0.1`. */
  readonly host?: string
  /** 1 (default) is the recorded pace, 2 twice as fast; null as fast as the client reads. */
  readonly speed?: number | null
  /** Begin again at the end, for ever. */
  readonly loop?: boolean
  /** Stop after this many frames, all clients together; null (default) for no limit. */
  readonly maxFrames?: number | null
}

export interface ReplayStats {
  readonly url: string
  /** Frames in the capture, and lines of it that could not be read. */
  readonly captured: number
  readonly unreadable: number
  /** Frames sent, all clients together. */
  readonly sent: number
  readonly clients: number
  readonly restRequests: number
}

/** A capture on the air. */
export interface Replay {
  /** Where the recorded websocket now is, for example `ws://127.0.0.1:9002/websocket/v1`. */
  readonly url: string
  readonly port: number
  /** Resolves when the last client has had the whole capture, or `maxFrames` are sent; rejects where the capture cannot be read to its end. */
  readonly finished: Promise<void>
  stats(): ReplayStats
  close(): Promise<void>
}

/**
 * Serves a capture as a real websocket server, with the REST answers in it at their paths. Each client gets it from the start, once it has sent its first
 * message (what it says is not looked at), or at once where the recorded client sent nothing. Rejects with CaptureError, EmptyCaptureError or ListenError.
 */
export async function startReplay(options: ReplayOptions, context: Pick<Context, 'clock' | 'logger'>): Promise<Replay> {
  const replay = new CaptureReplay(options, await indexCapture(options.path), context)
  await replay.listen()
  return replay
}

class CaptureReplay implements Replay {
  readonly finished: Promise<void>
  private readonly options: ReplayOptions
  private readonly index: CaptureIndex
  private readonly context: Pick<Context, 'clock' | 'logger'>
  private readonly listener: Listener
  private readonly websockets = new WebSocketServer({noServer: true, perMessageDeflate: false, maxPayload: MAX_REQUEST_BYTES})
  private readonly playing = new Set<WebSocket>()
  private readonly stop = new AbortController()
  private readonly end = Promise.withResolvers<void>()
  /** Answers given so far, by path. */
  private readonly answered = new Map<string, number>()
  /** Whether somebody has had the whole capture. */
  private isServed = false
  private readonly counts = {sent: 0, clients: 0, restRequests: 0}

  constructor(options: ReplayOptions, index: CaptureIndex, context: Pick<Context, 'clock' | 'logger'>) {
    this.options = options
    this.index = index
    this.context = context
    this.finished = this.end.promise
    // Nobody has to wait for the end; without this a failure would be an unhandled rejection there.
    this.finished.catch((error: unknown) => context.logger.error({err: error}, 'the replay broke off'))
    this.listener = new Listener({
      host: options.host ?? '127.0.0.1',
      port: options.port ?? 0,
      onRequest: (request, response) => this.answer(request, response),
      onUpgrade: (request, socket, head) => this.websockets.handleUpgrade(request, socket, head, (ws) => this.welcome(ws)),
    })
  }

  get url(): string {
    return `ws://${this.listener.authority}${this.index.websocketPath}`
  }

  get port(): number {
    return this.listener.port
  }

  async listen(): Promise<void> {
    await this.listener.listen()
    this.context.logger.info({url: this.url, frames: this.index.frames, simulated: true}, 'REPLAY is listening: what it sends was recorded')
  }

  stats(): ReplayStats {
    return {url: this.url, captured: this.index.frames, unreadable: this.index.unreadable, ...this.counts}
  }

  async close(): Promise<void> {
    this.stop.abort()
    for (const ws of this.websockets.clients) ws.close(1001)
    await closed([...this.websockets.clients], CLOSE_WAIT_MS)
    await this.listener.close()
  }

  private welcome(ws: WebSocket): void {
    this.counts.clients++
    // 'close' follows, and ends the playback.
    ws.on('error', (error) => this.context.logger.debug({err: error}, 'a client broke the websocket protocol or its connection'))
    let isPlaying = !this.index.subscribes
    if (isPlaying) this.play(ws)
    ws.on('message', (data) => {
      // A keep-alive is no subscription, and a client may take its silence for a dead connection (docs.upbit.com: websocket guide).
      if (data.toString() === 'PING') ws.send(STATUS_UP)
      else if (!isPlaying) {
        isPlaying = true
        this.play(ws)
      }
    })
  }

  private play(ws: WebSocket): void {
    this.playing.add(ws)
    this.playAll(ws)
      .then(() => this.leave(ws))
      .catch((error: unknown) => {
        if (!(error instanceof AbortedError)) this.end.reject(error)
      })
      .finally(() => {
        this.playing.delete(ws)
        if (this.isServed && this.playing.size === 0) this.end.resolve()
      })
  }

  /** Lets a client that has had everything read the rest. */
  private async leave(ws: WebSocket): Promise<void> {
    if (ws.readyState !== ws.OPEN) return
    ws.close(1000)
    await closed([ws], CLOSE_WAIT_MS)
    this.isServed = true
  }

  private async playAll(ws: WebSocket): Promise<void> {
    const {path, speed = 1, loop = false, maxFrames = null} = this.options
    const gone = new AbortController()
    ws.once('close', () => gone.abort())
    const signal = AbortSignal.any([this.stop.signal, gone.signal])
    const onFrame = (): void => {
      if (++this.counts.sent === maxFrames) this.stop.abort()
    }
    do await playOnce(ws, {path, speed, clock: this.context.clock, onFrame}, signal)
    while (loop && this.index.frames > 0 && ws.readyState === ws.OPEN && !signal.aborted)
  }

  /** The recorded answers of a path one after the other, the last one from then on. */
  private answer(request: IncomingMessage, response: ServerResponse): void {
    this.counts.restRequests++
    const {pathname, search} = requestUrl(request)
    const {rest} = this.index
    const path = rest.has(pathname + search) ? pathname + search : pathname
    const bodies = rest.get(path) ?? []
    const at = Math.min(this.answered.get(path) ?? 0, bodies.length - 1)
    if (bodies.length > 0) this.answered.set(path, at + 1)
    const body = bodies[at]
    if (body === undefined) sendJson(response, 404, JSON.stringify({error: {name: 404, message: 'not in the capture'}}))
    else sendJson(response, 200, body)
  }
}
