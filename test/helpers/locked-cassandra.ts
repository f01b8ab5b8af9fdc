import {type AddressInfo, createServer, type Socket} from 'node:net'
import {onTestFinished} from 'vitest'

/** Opcodes of the CQL binary protocol, version 4, section 2.4. */
const OPCODES = {error: 0x00, startup: 0x01, authenticate: 0x03, options: 0x05, supported: 0x06, authResponse: 0x0f} as const
const RESPONSE_V4 = 0x84
const BAD_CREDENTIALS = 0x0100
const HEADER_BYTES = 9

/**
 * Stands in for a node with PasswordAuthenticator, in what it says before it lets anybody in: it asks for user and password, and refuses them in that node's
 * words. Returns the port, on 127.0.0.1; it is gone when the test is over.
 */
export async function lockedCassandra(): Promise<number> {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket.on('error', () => undefined))
    let received: Buffer = Buffer.alloc(0)
    socket.on('data', (chunk: Buffer) => {
      received = Buffer.concat([received, chunk])
      while (received.length >= HEADER_BYTES && received.length >= HEADER_BYTES + received.readInt32BE(5)) {
        const answer = answerTo(received)
        received = received.subarray(HEADER_BYTES + received.readInt32BE(5))
        if (answer) socket.write(answer)
      }
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(async () => {
    for (const socket of sockets) socket.destroy()
    await new Promise((resolve) => server.close(resolve))
  })
  return (server.address() as AddressInfo).port
}

function answerTo(request: Buffer): Buffer | null {
  const stream = request.subarray(2, 4)
  const version = request.readUInt8(0)
  // Newer versions have another framing; clients then ask again with the one they are told.
  if (version > 4) return frame(stream, OPCODES.error, [int32(0x000a), string('Invalid or unsupported protocol version (5)')])
  switch (request.readUInt8(4)) {
    case OPCODES.options:
      return frame(stream, OPCODES.supported, [int16(0)])
    case OPCODES.startup:
      return frame(stream, OPCODES.authenticate, [string('org.apache.cassandra.auth.PasswordAuthenticator')])
    case OPCODES.authResponse:
      return frame(stream, OPCODES.error, [int32(BAD_CREDENTIALS), string('Provided username mallory and/or password are incorrect')])
    default:
      return null
  }
}

function frame(stream: Buffer, opcode: number, parts: readonly Buffer[]): Buffer {
  const body = Buffer.concat(parts)
  return Buffer.concat([Buffer.from([RESPONSE_V4, 0]), stream, Buffer.from([opcode]), int32(body.length), body])
}

function int16(value: number): Buffer {
  const bytes = Buffer.alloc(2)
  bytes.writeInt16BE(value)
  return bytes
}

function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32BE(value)
  return bytes
}

function string(text: string): Buffer {
  return Buffer.concat([int16(Buffer.byteLength(text)), Buffer.from(text)])
}
