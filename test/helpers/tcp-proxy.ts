import {type AddressInfo, connect, createServer, type Server, type Socket} from 'node:net'
import {onTestFinished} from 'vitest'

/** A way to a server that can be cut, blocked and opened again, as if the server itself was killed, paused and started. */
export class TcpProxy {
  readonly #target: {readonly host: string; readonly port: number}
  readonly #sockets = new Set<Socket>()
  #server: Server | undefined
  #port = 0
  #blocked = false

  private constructor(host: string, port: number) {
    this.#target = {host, port}
  }

  /** Closed when the test is over. */
  static async to(host: string, port: number): Promise<TcpProxy> {
    const proxy = new TcpProxy(host, port)
    await proxy.open()
    onTestFinished(() => proxy.cut())
    return proxy
  }

  get port(): number {
    return this.#port
  }

  /** On the same port as before. */
  async open(): Promise<void> {
    this.#blocked = false
    const server = createServer((socket) => this.#join(socket))
    await new Promise<void>((resolve) => server.listen(this.#port, '127.0.0.1', resolve))
    this.#server = server
    this.#port = (server.address() as AddressInfo).port
  }

  /** Ends every connection; new ones are refused. */
  async cut(): Promise<void> {
    const server = this.#server
    this.#server = undefined
    for (const socket of this.#sockets) socket.destroy()
    if (server) await new Promise((resolve) => server.close(resolve))
  }

  /** Connections stay, and new ones are taken, but nothing passes any more. */
  block(): void {
    this.#blocked = true
    for (const socket of this.#sockets) socket.pause()
  }

  unblock(): void {
    this.#blocked = false
    for (const socket of this.#sockets) socket.resume()
  }

  #join(socket: Socket): void {
    const other = connect(this.#target)
    for (const [from, to] of [
      [socket, other],
      [other, socket],
    ] as const) {
      this.#sockets.add(from)
      from.on('error', () => undefined)
      from.on('close', () => {
        this.#sockets.delete(from)
        to.destroy()
      })
      from.on('data', (chunk) => to.write(chunk))
      if (this.#blocked) from.pause()
    }
  }
}
