import type {IncomingMessage} from 'node:http'
import {createServer as createHttpServer, type Server as HttpServer, type RequestListener} from 'node:http'
import {type AddressInfo, createServer, type Server, type Socket} from 'node:net'
import type {Duplex} from 'node:stream'
import {ListenError} from './errors.ts'

export interface ListenerOptions {
  readonly host: string
  /** 0 for any free one. */
  readonly port: number
  readonly onRequest: RequestListener
  readonly onUpgrade: (request: IncomingMessage, socket: Duplex, head: Buffer) => void
}

/** One port for HTTP and websockets that can be told to hang (accept and never answer) or to refuse (not listen at all) for a while. */
export class Listener {
  private readonly options: ListenerOptions
  private readonly http: HttpServer
  private readonly sockets = new Set<Socket>()
  private server: Server
  private hanging = false
  private boundPort = 0
  private closed = false

  constructor(options: ListenerOptions) {
    this.options = options
    this.http = createHttpServer(options.onRequest)
    this.http.on('upgrade', options.onUpgrade)
    this.server = this.makeServer()
  }

  get port(): number {
    return this.boundPort
  }

  /** Host and port as a URL has them. */
  get authority(): string {
    const {host} = this.options
    return `${host.includes(':') ? `[${host}]` : host}:${this.boundPort}`
  }

  get isHanging(): boolean {
    return this.hanging
  }

  /** Rejects with ListenError. */
  async listen(): Promise<void> {
    await this.bind(this.options.port)
    this.boundPort = (this.server.address() as AddressInfo).port
  }

  /** Sockets that come in while hanging stay open without an answer; they are cut when it ends. */
  setHanging(hanging: boolean): void {
    this.hanging = hanging
  }

  /** Stops listening; connections that are open stay. */
  refuse(): void {
    this.server.close()
  }

  /** Listens again on the same port, after `refuse`. */
  async accept(): Promise<void> {
    if (this.closed || this.server.listening) return
    this.server = this.makeServer()
    await this.bind(this.boundPort)
  }

  async close(): Promise<void> {
    if (this.closed) return
    this.closed = true
    const stopped = this.server.listening ? new Promise<void>((resolve) => this.server.close(() => resolve())) : Promise.resolve()
    for (const socket of this.sockets) socket.destroy()
    await stopped
  }

  /** A plain TCP server in front of the HTTP server, which takes connections over by its `connection` event. */
  private makeServer(): Server {
    return createServer({noDelay: true}, (socket) => {
      this.sockets.add(socket)
      socket.on('close', () => this.sockets.delete(socket))
      // A client that goes away mid-frame is no trouble of ours: 'close' follows.
      socket.on('error', () => socket.destroy())
      if (!this.hanging) this.http.emit('connection', socket)
    })
  }

  private bind(port: number): Promise<void> {
    const {host} = this.options
    return new Promise((resolve, reject) => {
      const onError = (error: NodeJS.ErrnoException): void => reject(new ListenError(`${host}:${port}`, error.code ?? error.message, error))
      this.server.once('error', onError)
      this.server.listen(port, host, () => {
        this.server.removeListener('error', onError)
        resolve()
      })
    })
  }
}
