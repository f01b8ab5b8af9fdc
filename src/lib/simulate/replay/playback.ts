import type {WebSocket} from 'ws'
import type {Payload} from '../../core/capture-lines.ts'
import type {Clock} from '../../core/context.ts'
import {readableEntries} from './readable-entries.ts'

/** Bytes that may wait for a client to read them. */
const MAX_WAITING_BYTES = 4 * 1024 * 1024
/** Shorter waits are not worth a timer. */
const SHORTEST_WAIT_MS = 1

export interface PlaybackOptions {
  readonly path: string
  /** 1 is the recorded pace, 2 twice as fast; null as fast as the client reads. */
  readonly speed: number | null
  readonly clock: Clock
  readonly onFrame: () => void
}

/** Sends the frames of a capture once through: text as text, binary as binary, byte by byte. Ends early when the client leaves or `signal` aborts. */
export async function playOnce(ws: WebSocket, options: PlaybackOptions, signal: AbortSignal): Promise<void> {
  const {path, speed, clock, onFrame} = options
  let first: {readonly atMs: number; readonly timeUs: number} | null = null
  for await (const entry of readableEntries(path)) {
    if (signal.aborted || ws.readyState !== ws.OPEN) return
    if (entry.kind !== 'frame') continue
    first ??= {atMs: clock.monotonicMs(), timeUs: entry.time}
    const dueMs = speed === null ? 0 : first.atMs + (entry.time - first.timeUs) / 1000 / speed
    const waitMs = dueMs - clock.monotonicMs()
    if (waitMs >= SHORTEST_WAIT_MS) await clock.sleep(waitMs, signal)
    await send(ws, entry.payload)
    onFrame()
  }
}

/** Waits for the client where it has much to read. */
async function send(ws: WebSocket, payload: Payload): Promise<void> {
  const isBehind = ws.bufferedAmount > MAX_WAITING_BYTES
  const written = new Promise<void>((resolve) => {
    // An error here means that the client has left; its 'close' event ends the playback.
    ws.send(payload, {binary: typeof payload !== 'string'}, () => resolve())
  })
  if (isBehind) await written
}
