import type {CaptureEntry} from '../../core/capture.ts'
import {EmptyCaptureError} from '../errors.ts'
import {readableEntries} from './readable-entries.ts'

/** What a replay needs to know of a capture before it starts. */
export interface CaptureIndex {
  readonly frames: number
  /** Path and query of the websocket that was recorded first; `/` where the capture does not say. */
  readonly websocketPath: string
  /** Whether the client spoke before the exchange did, with a subscription. */
  readonly subscribes: boolean
  /** Bodies of REST answers by path and query, in the order in which they came. */
  readonly rest: ReadonlyMap<string, readonly string[]>
  readonly unreadable: number
}

/** Reads a capture once through. Rejects with CaptureError where it cannot be read, with EmptyCaptureError where there is nothing to replay. */
export async function indexCapture(path: string): Promise<CaptureIndex> {
  const index: Draft = {frames: 0, websocketPath: null, subscribes: false, rest: new Map(), unreadable: 0}
  for await (const entry of readableEntries(path)) note(index, entry)
  if (index.frames === 0 && index.rest.size === 0) throw new EmptyCaptureError(path)
  return {...index, websocketPath: index.websocketPath ?? '/'}
}

interface Draft {
  frames: number
  websocketPath: string | null
  subscribes: boolean
  readonly rest: Map<string, string[]>
  unreadable: number
}

function note(index: Draft, entry: CaptureEntry): void {
  if (entry.kind === 'frame') index.frames++
  if (entry.kind === 'unreadable') index.unreadable++
  if (entry.kind === 'connect') index.websocketPath ??= pathOf(entry.url)
  if (entry.kind === 'sent' && index.frames === 0) index.subscribes = true
  if (entry.kind !== 'rest') return
  const path = pathOf(entry.url)
  const bodies = index.rest.get(path)
  if (bodies === undefined) index.rest.set(path, [entry.payload])
  else bodies.push(entry.payload)
}

function pathOf(url: string): string {
  if (!URL.canParse(url)) return '/'
  const {pathname, search} = new URL(url)
  return pathname + search
}
