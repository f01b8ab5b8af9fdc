import {onTestFinished} from 'vitest'
import {WebSocket} from 'ws'
import {until} from './until.ts'

/** A websocket client that keeps what it gets. */
export interface TestClient {
  readonly ws: WebSocket
  /** Frames as text, in the order of arrival. */
  readonly frames: string[]
  /** Whether each frame came as a binary one. */
  readonly binary: boolean[]
  /** Frames as JSON, arrays opened. */
  messages(): Record<string, unknown>[]
  /** Sends a subscription for these parts; the format comes last. */
  subscribe(parts: readonly object[], format?: string): void
  /** Close code, once closed. */
  closed(): number | null
}

/** Connects, and is closed when the test is over. */
export async function connectClient(url: string, options: {headers?: Record<string, string>} = {}): Promise<TestClient> {
  const ws = new WebSocket(url, {perMessageDeflate: false, ...options})
  const frames: string[] = []
  const binary: boolean[] = []
  let code: number | null = null
  let failure: Error | null = null
  ws.on('message', (data, isBinary) => {
    frames.push(data.toString())
    binary.push(isBinary)
  })
  ws.on('error', (error) => {
    failure = error
  })
  ws.on('close', (closeCode) => {
    code = closeCode
  })
  onTestFinished(() => ws.terminate())
  await until('the websocket opens', () => {
    if (failure !== null) throw failure
    return ws.readyState === WebSocket.OPEN
  })
  return {
    ws,
    frames,
    binary,
    messages: () => frames.flatMap((frame) => JSON.parse(frame)),
    subscribe: (parts, format) => ws.send(JSON.stringify([{ticket: 'test'}, ...parts, ...(format === undefined ? [] : [{format}])])),
    closed: () => code,
  }
}
