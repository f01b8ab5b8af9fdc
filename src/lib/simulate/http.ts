import type {IncomingMessage, ServerResponse} from 'node:http'
import type {Duplex} from 'node:stream'

/** On every answer, the websocket handshake included, so that nobody takes made-up prices for real ones. */
export const SIMULATED_HEADER = 'X-Coinpipe-Simulated'

const MAX_BODY_BYTES = 64 * 1024

const BASE = 'http://localhost'

/** Path and query of a request; those of `/` where the client sent something that is no URL. */
export function requestUrl(request: IncomingMessage): URL {
  return URL.parse(request.url ?? '/', BASE) ?? new URL(BASE)
}

export function sendJson(response: ServerResponse, status: number, body: string, headers: Record<string, string> = {}): void {
  const bytes = Buffer.from(body)
  response.writeHead(status, {
    'Content-Type': 'application/json;charset=UTF-8',
    'Content-Length': bytes.length,
    [SIMULATED_HEADER]: 'true',
    ...headers,
  })
  response.end(bytes)
}

/** Turns a websocket handshake away with an HTTP status. */
export function refuseUpgrade(socket: Duplex, status: string): void {
  socket.end(`HTTP/1.1 ${status}\r\n${SIMULATED_HEADER}: true\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`)
}

/** The request's text; null where it is larger than 64 KiB. */
export async function readBody(request: IncomingMessage): Promise<string | null> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of request) {
    const bytes = Buffer.from(chunk)
    size += bytes.length
    if (size > MAX_BODY_BYTES) return null
    chunks.push(bytes)
  }
  return Buffer.concat(chunks).toString()
}
