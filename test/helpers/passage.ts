import {type AddressInfo, createConnection, createServer, type Socket} from 'node:net'
import {onTestFinished} from 'vitest'

/** Another address of a server, on this machine: a port that passes everything on. It is gone when the test is over. */
export async function passage(address: string): Promise<{readonly port: number; close(): Promise<void>}> {
  const [host, port] = address.split(':')
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    const behind = createConnection({host: String(host), port: Number(port)})
    for (const end of [socket, behind]) sockets.add(end.on('error', () => undefined))
    socket.pipe(behind).pipe(socket)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const close = async () => {
    for (const socket of sockets) socket.destroy()
    await new Promise((resolve) => server.close(resolve))
  }
  onTestFinished(close)
  return {port: (server.address() as AddressInfo).port, close}
}
