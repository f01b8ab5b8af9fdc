import {rm} from 'node:fs/promises'
import {type CaptureWriter, createCapture} from '../core/capture.ts'
import type {Payload} from '../core/capture-lines.ts'
import type {Context} from '../core/context.ts'
import type {Source} from '../core/ports/source.ts'
import {type FeedOptions, findExchange} from '../exchanges/registry.ts'

/** At most this much is missing from the capture of a process that was killed. */
const FLUSH_MS = 1000

type FeedFrame = Parameters<NonNullable<FeedOptions['onFrame']>>[0]

export interface RecordOptions {
  readonly exchange: string
  readonly feed: FeedOptions
  /** File to create; gzipped where it ends in `.gz`. */
  readonly path: string
  /** Stop after so many records. */
  readonly maxRecords?: number | undefined
  /** Called after every delivery. */
  readonly onProgress?: (summary: RecordSummary) => void
}

export interface RecordSummary {
  readonly path: string
  readonly frames: number
  readonly bytes: number
  /** Records that the frames hold, counted as `decode` would. */
  readonly records: number
  /** Times that a connection was opened. */
  readonly connections: number
}

/**
 * Writes what an exchange and its client say to each other to a capture, frame by frame as received, until `signal` aborts or `maxRecords` are there. What
 * was received by then is in the file when this resolves. Rejects with CaptureError where the file exists already or cannot be written. A failure before
 * the first frame leaves no file, so that the same command can be given again.
 */
export async function recordCapture(options: RecordOptions, context: Context): Promise<RecordSummary> {
  const {exchange, path, feed} = options
  const writer = await createCapture(path, exchange)
  const recorder = new Recorder(path, writer)
  try {
    const source = findExchange(exchange).createFeed({...feed, backfill: false, onFrame: (frame) => recorder.take(frame)}, context)
    const flushing = setInterval(() => recorder.flush(), FLUSH_MS)
    try {
      await connected(source, (live) => drain(live, recorder, options, context.signal))
    } finally {
      clearInterval(flushing)
    }
    await recorder.written()
  } catch (error) {
    await writer.close()
    if (recorder.summary().frames === 0) await rm(path, {force: true})
    throw error
  }
  await writer.close()
  return recorder.summary()
}

async function connected(source: Source, use: (source: Source) => Promise<void>): Promise<void> {
  try {
    await source.connect()
    await use(source)
  } finally {
    await source.close()
  }
}

/** Deliveries are only counted; each waits for its frames to be written, which is what slows a too fast exchange down. */
async function drain(source: Source, recorder: Recorder, options: RecordOptions, signal: AbortSignal): Promise<void> {
  const enough = new AbortController()
  for await (const delivery of source.deliveries(AbortSignal.any([signal, enough.signal]))) {
    recorder.records += delivery.items.filter((item) => item.kind === 'record' && item.record.type !== 'gap').length
    await recorder.written()
    await delivery.ack()
    options.onProgress?.(recorder.summary())
    if (options.maxRecords !== undefined && recorder.records >= options.maxRecords) enough.abort()
  }
}

class Recorder {
  records = 0
  private readonly path: string
  private readonly writer: CaptureWriter
  private pending: Promise<void> = Promise.resolve()
  private failure: unknown
  private frames = 0
  private bytes = 0
  private connections = 0

  constructor(path: string, writer: CaptureWriter) {
    this.path = path
    this.writer = writer
  }

  /** Called as things happen; order is kept. */
  take(frame: FeedFrame): void {
    const {url, timeUs: time} = frame
    if (frame.kind === 'opened') {
      this.connections++
      this.write(() => this.writer.write({kind: 'connect', time, url}))
    } else if (frame.kind === 'sent') this.write(() => this.writer.write({kind: 'sent', time, url, payload: frame.data}))
    else this.receive(time, frame.data)
  }

  flush(): void {
    this.write(() => this.writer.flush())
  }

  /** Resolves when all that was taken is handed to the file; rejects where that failed. */
  async written(): Promise<void> {
    await this.pending
    if (this.failure !== undefined) throw this.failure
  }

  summary(): RecordSummary {
    return {path: this.path, frames: this.frames, bytes: this.bytes, records: this.records, connections: this.connections}
  }

  private receive(time: number, payload: Payload): void {
    this.frames++
    this.bytes += payload.length
    this.write(() => this.writer.write({kind: 'frame', time, payload}))
  }

  private write(operation: () => Promise<void>): void {
    this.pending = this.pending.then(operation).catch((error: unknown) => {
      this.failure ??= error
    })
  }
}
