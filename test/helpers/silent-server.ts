import {type AddressInfo, createServer, type Socket} from 'node:net'
import {onTestFinished} from 'vitest'

/** Takes connections and says nothing, as a paused process does, or always the same. Returns its address; it is gone when the test is over. */
export async function silentServer({answer}: {readonly answer?: Buffer} = {}): Promise<string> {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket.on('error', () => undefined))
    socket.on('data', () => answer !== undefined && socket.write(answer))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(async () => {
    for (const socket of sockets) socket.destroy()
    await new Promise((resolve) => server.close(resolve))
  })
  return `127.0.0.1:${(server.address() as AddressInfo).port}`
}
