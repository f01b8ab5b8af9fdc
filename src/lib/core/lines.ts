/** Lines of a file or a stream, gzipped or plain, one at a time: memory stays at one line and one chunk. */
import {pipeline, Readable} from 'node:stream'
import {createGunzip} from 'node:zlib'

export interface Line {
  /** From 1. */
  readonly number: number
  /** Without its end; undefined where the line is longer than allowed: it is skipped, not kept. */
  readonly text: string | undefined
}

const LINE_FEED = 0x0a
const CARRIAGE_RETURN = 0x0d

/** Splits at line feeds; a carriage return before one belongs to the line's end. */
export async function* readLines(chunks: AsyncIterable<Uint8Array>, maxBytes: number): AsyncGenerator<Line> {
  const pending = new PendingLine(maxBytes)
  let number = 0
  for await (const chunk of chunks) {
    const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength)
    let start = 0
    for (let end = bytes.indexOf(LINE_FEED); end >= 0; end = bytes.indexOf(LINE_FEED, start)) {
      pending.add(bytes.subarray(start, end))
      yield {number: ++number, text: pending.take()}
      start = end + 1
    }
    pending.add(bytes.subarray(start))
  }
  if (!pending.empty) yield {number: ++number, text: pending.take()}
}

/** A line that is still coming in. */
class PendingLine {
  private parts: Buffer[] = []
  private size = 0
  private readonly maxBytes: number

  constructor(maxBytes: number) {
    this.maxBytes = maxBytes
  }

  get empty(): boolean {
    return this.size === 0
  }

  add(part: Buffer): void {
    this.size += part.length
    if (this.size > this.maxBytes) this.parts = []
    else if (part.length > 0) this.parts.push(part)
  }

  take(): string | undefined {
    const {size, parts} = this
    this.size = 0
    this.parts = []
    if (size > this.maxBytes) return undefined
    const bytes = parts.length === 1 ? (parts[0] as Buffer) : Buffer.concat(parts)
    return bytes.toString('utf8', 0, bytes.at(-1) === CARRIAGE_RETURN ? bytes.length - 1 : bytes.length)
  }
}

/** The chunks as they are, or unpacked where they start with gzip's magic number. Closes the source when the reader stops early. */
export async function* unpacked(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const chunks = source[Symbol.asyncIterator]()
  const head = await firstBytes(chunks)
  const whole = Readable.from(prepend(head, chunks), {objectMode: false})
  // The error, if any, reaches whoever reads the gunzipped stream.
  yield* isGzip(head) ? pipeline(whole, createGunzip(), () => undefined) : whole
}

function isGzip(head: Uint8Array): boolean {
  return head[0] === 0x1f && head[1] === 0x8b
}

async function firstBytes(chunks: AsyncIterator<Uint8Array>): Promise<Uint8Array> {
  let head: Uint8Array = new Uint8Array()
  while (head.length < 2) {
    const next = await chunks.next()
    if (next.done) break
    head = head.length === 0 ? next.value : Buffer.concat([head, next.value])
  }
  return head
}

async function* prepend(head: Uint8Array, rest: AsyncIterator<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    if (head.length > 0) yield head
    for (let next = await rest.next(); !next.done; next = await rest.next()) yield next.value
  } finally {
    await rest.return?.()
  }
}
