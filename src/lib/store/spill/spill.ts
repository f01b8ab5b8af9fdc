import {type FileHandle, open, readdir, rm, writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {crc32} from 'node:zlib'
import type {Context} from '../../core/context.ts'
import {CoinpipeError} from '../../core/errors.ts'
import {makeFolder} from '../../core/folder.ts'
import type {OutgoingRecord} from '../../core/ports/bus.ts'
import {decodeBatch, encodeBatch} from './batch.ts'
import {SpillFailedError} from './errors.ts'

const SEGMENT_BYTES = 64 * 1024 * 1024
const RETRY_MS = 1000
const HEADER_BYTES = 8
const SEGMENT_NAME = /^(\d{10})\.spill$/
const CURSOR = 'cursor.json'

export interface SpillOptions {
  /** Folder of its own; made where it is missing. */
  readonly directory: string
  /** Most bytes on disk; `append` waits while its batch would pass it. A single larger batch is taken when nothing else is there. */
  readonly maxBytes: number
  /** Size at which a new segment file begins; default 64 MiB. */
  readonly segmentBytes?: number
}

interface Cursor {
  readonly segment: number
  readonly offset: number
}

/** The oldest batches, in the order in which they were appended. `done` moves past them. */
export interface SpilledBatches {
  readonly batches: readonly (readonly OutgoingRecord[])[]
  done(): Promise<void>
}

interface Pending {
  readonly bytes: number
  readonly buffers: readonly Buffer[]
  readonly written: PromiseWithResolvers<void>
}

/**
 * First in, first out on disk, for records that the bus cannot take now. Segments of length, CRC-32 and batch; a torn tail (a crash in the
 * middle of a write, whose batches were never acknowledged) is cut off when it is opened. The reading position survives in a cursor file, written after
 * each group of batches, so a crash repeats one group at the most. One process at a time; `append` and `next` may be called side by side.
 */
export class Spill {
  readonly #options: SpillOptions
  readonly #context: Context
  readonly #segmentBytes: number
  #segments: number[] = []
  #sizes = new Map<number, number>()
  #cursor: Cursor = {segment: 1, offset: 0}
  #writer: FileHandle | undefined
  #reader: {segment: number; file: FileHandle} | undefined
  readonly #pending: Pending[] = []
  readonly #closing = new AbortController()
  /** Writing and dropping segments take turns. */
  #turn: Promise<unknown> = Promise.resolve()
  #writing: Promise<void> | undefined
  #onRoom: (() => void) | undefined

  private constructor(options: SpillOptions, context: Context) {
    this.#options = options
    this.#context = context
    this.#segmentBytes = options.segmentBytes ?? SEGMENT_BYTES
  }

  static async open(options: SpillOptions, context: Context): Promise<Spill> {
    const spill = new Spill(options, context)
    await attempt(options.directory, 'open', () => spill.#load())
    return spill
  }

  /** Bytes that are not yet read back. */
  get bytes(): number {
    let total = -this.#cursor.offset
    for (const segment of this.#segments) total += this.#sizes.get(segment) ?? 0
    return Math.max(0, total)
  }

  get isEmpty(): boolean {
    return this.bytes === 0
  }

  /** True while a batch waits for room. */
  get isFull(): boolean {
    return this.#onRoom !== undefined
  }

  /**
   * Resolves once the batch is on disk. Batches get there in the order of the calls: one that does not fit, or a disk that fails (tried again
   * every second), makes all later ones wait. Rejects with SpillFailedError when the spill is closed before that.
   */
  append(records: readonly OutgoingRecord[]): Promise<void> {
    const payload = encodeBatch(records)
    const header = Buffer.alloc(HEADER_BYTES)
    header.writeUInt32LE(payload.length, 0)
    header.writeUInt32LE(crc32(payload), 4)
    const written = Promise.withResolvers<void>()
    this.#pending.push({bytes: HEADER_BYTES + payload.length, buffers: [header, payload], written})
    this.#startWriting()
    return written.promise
  }

  /** The oldest batches up to about `maxRecords`, or null where nothing waits. Call `done` before the next call. */
  async next(maxRecords: number): Promise<SpilledBatches | null> {
    await this.#turn
    if (this.isEmpty) return null
    return attempt(this.#options.directory, 'read', () => this.#read(maxRecords))
  }

  /** Writes what it can of what waits, and closes. */
  async close(): Promise<void> {
    this.#closing.abort()
    this.#onRoom?.()
    await this.#writing
    await this.#turn
    for (const {written} of this.#pending.splice(0)) {
      written.reject(new SpillFailedError(`the spill in ${this.#options.directory} was closed before it had room or could be written`))
    }
    await this.#writer?.close()
    await this.#reader?.file.close()
    this.#writer = undefined
    this.#reader = undefined
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#turn.then(work)
    this.#turn = turn.catch(() => undefined)
    return turn
  }

  async #load(): Promise<void> {
    makeFolder(this.#options.directory)
    const names = (await readdir(this.#options.directory)).map((name) => SEGMENT_NAME.exec(name)?.[1])
    this.#segments = names.flatMap((digits) => (digits ? [Number(digits)] : [])).sort((a, b) => a - b)
    this.#cursor = await this.#loadCursor()
    for (const segment of this.#segments) this.#sizes.set(segment, await this.#cutTornTail(segment))
    await this.#dropReadSegments()
  }

  async #loadCursor(): Promise<Cursor> {
    const first = {segment: this.#segments[0] ?? 1, offset: 0}
    const file = await open(join(this.#options.directory, CURSOR)).catch(() => undefined)
    if (!file) return first
    try {
      const {segment, offset} = JSON.parse(await file.readFile('utf8')) as Cursor
      return segment >= first.segment ? {segment, offset} : first
    } catch (error) {
      this.#context.logger.warn(
        {directory: this.#options.directory, reason: String(error)},
        'spill cursor unreadable, reading from the start',
      )
      return first
    } finally {
      await file.close()
    }
  }

  async #cutTornTail(segment: number): Promise<number> {
    const file = await open(this.#path(segment), 'r+')
    try {
      const {size} = await file.stat()
      let good = 0
      for (;;) {
        const entry = await readEntry(file, good, size)
        if (!entry) break
        good = entry.end
      }
      if (good < size) {
        this.#context.logger.warn({segment, cutBytes: size - good}, 'spill ended in a torn batch that was never acknowledged')
        await file.truncate(good)
      }
      return good
    } finally {
      await file.close()
    }
  }

  #startWriting(): void {
    this.#writing ??= this.#writeAll().finally(() => {
      this.#writing = undefined
      if (this.#pending.length > 0 && !this.#closing.signal.aborted) this.#startWriting()
    })
  }

  /** Writes pending batches, as many at a time as fit, until none is left or the spill closes. */
  async #writeAll(): Promise<void> {
    while (this.#pending.length > 0) {
      const count = this.#fitting()
      const isClosing = this.#closing.signal.aborted
      if (count === 0 && isClosing) return
      if (count === 0) await this.#room()
      else if (!(await this.#inTurn(() => this.#tryWrite(count))) && isClosing) return
    }
  }

  #fitting(): number {
    let bytes = this.bytes
    const over = this.#pending.findIndex((pending) => {
      bytes += pending.bytes
      return bytes > this.#options.maxBytes && bytes > pending.bytes
    })
    return over < 0 ? this.#pending.length : over
  }

  #room(): Promise<void> {
    return new Promise((resolve) => {
      this.#onRoom = () => {
        this.#onRoom = undefined
        resolve()
      }
    })
  }

  /** One write and one sync for the first `count` batches. A disk that fails keeps them waiting. */
  async #tryWrite(count: number): Promise<boolean> {
    const {directory} = this.#options
    try {
      await attempt(directory, 'write', () => this.#write(this.#pending.slice(0, count)))
    } catch (error) {
      const code = error instanceof CoinpipeError ? error.code : 'COINPIPE_BUG'
      this.#context.metrics.counter('coinpipe_component_errors_total').add(1, {component: 'spill', stage: 'write', code})
      this.#context.logger.warn({directory, code, reason: String(error)}, 'the spill cannot be written, trying again')
      await this.#context.clock.sleep(RETRY_MS, this.#closing.signal).catch(() => undefined)
      return false
    }
    for (const {written} of this.#pending.splice(0, count)) written.resolve()
    return true
  }

  async #write(batches: readonly Pending[]): Promise<void> {
    const file = await this.#writable()
    const segment = this.#lastSegment()
    const at = this.#sizes.get(segment) ?? 0
    const bytes = batches.reduce((sum, batch) => sum + batch.bytes, 0)
    try {
      await file.writev(
        batches.flatMap(({buffers}) => buffers),
        at,
      )
      await file.datasync()
    } catch (error) {
      await file.truncate(at)
      throw error
    }
    this.#sizes.set(segment, at + bytes)
  }

  async #writable(): Promise<FileHandle> {
    const last = this.#segments.at(-1)
    if (this.#writer && last !== undefined && (this.#sizes.get(last) ?? 0) < this.#segmentBytes) return this.#writer
    await this.#writer?.close()
    const segment = (last ?? this.#cursor.segment - 1) + 1
    this.#writer = await open(this.#path(segment), 'wx')
    this.#segments.push(segment)
    this.#sizes.set(segment, 0)
    if (this.#segments.length === 1) this.#cursor = {segment, offset: 0}
    return this.#writer
  }

  /** Batches of one segment. */
  async #read(maxRecords: number): Promise<SpilledBatches> {
    const {segment, offset} = this.#cursor
    const size = this.#sizes.get(segment) ?? 0
    const file = await this.#readable(segment)
    const batches: OutgoingRecord[][] = []
    let end = offset
    for (let records = 0; records < maxRecords && end < size; ) {
      const entry = await readEntry(file, end, size)
      if (!entry) throw new SpillFailedError(`spill segment ${this.#path(segment)} is damaged at byte ${end} of ${size}`)
      const batch = decodeBatch(entry.payload)
      batches.push(batch)
      records += batch.length
      end = entry.end
    }
    return {batches, done: () => this.#inTurn(() => attempt(this.#options.directory, 'advance', () => this.#advance(segment, end)))}
  }

  async #readable(segment: number): Promise<FileHandle> {
    if (this.#reader?.segment === segment) return this.#reader.file
    await this.#reader?.file.close()
    this.#reader = {segment, file: await open(this.#path(segment))}
    return this.#reader.file
  }

  async #advance(segment: number, offset: number): Promise<void> {
    this.#cursor = {segment, offset}
    await this.#dropReadSegments()
    await writeFile(join(this.#options.directory, CURSOR), JSON.stringify(this.#cursor))
    this.#onRoom?.()
  }

  /** Segments that were read to their end go; the one being written stays until it is full. */
  async #dropReadSegments(): Promise<void> {
    for (;;) {
      const [first, second] = this.#segments
      if (first === undefined || first > this.#cursor.segment) return
      const read = first < this.#cursor.segment || this.#cursor.offset >= (this.#sizes.get(first) ?? 0)
      if (!read) return
      if (second === undefined && this.#writer && (this.#sizes.get(first) ?? 0) < this.#segmentBytes) return
      await this.#drop(first, second ?? first + 1)
    }
  }

  async #drop(segment: number, next: number): Promise<void> {
    if (this.#reader?.segment === segment) {
      await this.#reader.file.close()
      this.#reader = undefined
    }
    if (this.#lastSegment() === segment) {
      await this.#writer?.close()
      this.#writer = undefined
    }
    await rm(this.#path(segment), {force: true})
    this.#segments.shift()
    this.#sizes.delete(segment)
    this.#cursor = {segment: next, offset: 0}
  }

  #lastSegment(): number {
    return this.#segments.at(-1) ?? 0
  }

  #path(segment: number): string {
    return join(this.#options.directory, `${String(segment).padStart(10, '0')}.spill`)
  }
}

/** The entry that starts at `offset`, or null where there is no whole one. */
async function readEntry(file: FileHandle, offset: number, size: number): Promise<{payload: Buffer; end: number} | null> {
  if (offset + HEADER_BYTES > size) return null
  const header = Buffer.alloc(HEADER_BYTES)
  await file.read(header, 0, HEADER_BYTES, offset)
  const length = header.readUInt32LE(0)
  const end = offset + HEADER_BYTES + length
  if (end > size) return null
  const payload = Buffer.alloc(length)
  await file.read(payload, 0, length, offset + HEADER_BYTES)
  return crc32(payload) === header.readUInt32LE(4) ? {payload, end} : null
}

async function attempt<T>(directory: string, what: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (error instanceof SpillFailedError) throw error
    throw new SpillFailedError(`cannot ${what} the spill in ${directory}: ${error instanceof Error ? error.message : String(error)}`, {
      cause: error,
    })
  }
}
