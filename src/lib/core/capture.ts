/** Captures: what an exchange and its client sent each other, as files that `decode` and `replay` read and `record` writes. */
import {createReadStream} from 'node:fs'
import {type FileHandle, open} from 'node:fs/promises'
import {PassThrough, type Readable} from 'node:stream'
import {pipeline} from 'node:stream/promises'
import {createGzip, type Gzip} from 'node:zlib'
import {type CaptureEvent, captureHeader, formatLine, type LineContent, parseLine} from './capture-lines.ts'
import {CoinpipeError, type ErrorDetails, EXIT} from './errors.ts'
import {readLines, unpacked} from './lines.ts'

/** A capture can't be read or written: no such file, a folder, damaged gzip. */
export class CaptureError extends CoinpipeError {
  readonly code = 'COINPIPE_CAPTURE_UNUSABLE'
  constructor(message: string, details: ErrorDetails = {}) {
    super(message, {exitCode: EXIT.usage, remedy: ['name a capture that `coinpipe record` wrote, or `-` for stdin'], ...details})
  }
}

/** A line of a capture that holds no event of either format; the lines around it are read. */
export class UnreadableLineError extends CoinpipeError {
  readonly code = 'COINPIPE_CAPTURE_LINE_UNREADABLE'
  constructor(message: string, details: ErrorDetails = {}) {
    super(`the line cannot be read: ${message}`, {
      exitCode: EXIT.wrong,
      remedy: ['look at the line: docs/captures.md has both formats'],
      ...details,
    })
  }
}

/** Longer lines are reported as unreadable. Well above the largest frame that any decoder takes. */
const MAX_LINE_BYTES = 16 * 1024 * 1024

/** An event of a capture, or a line that holds none, with its line number from 1. */
export type CaptureEntry = Exclude<LineContent, {kind: 'nothing'}> & {readonly line: number}

/**
 * Reads a capture line by line, gzipped or plain, of either format. Throws CaptureError where the file can't be read, or not to its end, and
 * the reason of `signal` once it aborts, also while waiting for more.
 */
export function readCaptureFile(path: string, signal?: AbortSignal): AsyncGenerator<CaptureEntry> {
  return readCapture(createReadStream(path), path, signal)
}

/** The same from a stream; `name` is for messages. */
export async function* readCapture(input: Readable, name: string, signal?: AbortSignal): AsyncGenerator<CaptureEntry> {
  const stop = () => input.destroy(signal?.reason as Error)
  if (signal?.aborted) stop()
  signal?.addEventListener('abort', stop, {once: true})
  let last = 0
  try {
    for await (const {number, text} of readLines(unpacked(input), MAX_LINE_BYTES)) {
      last = number
      const content = text === undefined ? tooLong : parseLine(text)
      if (content.kind !== 'nothing') yield {...content, line: number}
    }
  } catch (error) {
    if (!isSystemError(error)) throw error
    throw new CaptureError(`cannot read ${name}${last === 0 ? '' : ` after line ${last}`}: ${error.message}`, {cause: error})
  } finally {
    signal?.removeEventListener('abort', stop)
  }
}

const tooLong: LineContent = {kind: 'unreadable', message: `it is longer than ${MAX_LINE_BYTES} bytes`}

/** Errors of the file system and of zlib carry a code; anything else is a bug and stays as it is. */
function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && !(error instanceof CoinpipeError) && 'code' in error && typeof error.code === 'string'
}

export interface CaptureWriter {
  /** Resolves when there is room for more. */
  write(event: CaptureEvent): Promise<void>
  /** Resolves when what was written before has left the compressor, so that little is lost should the process be killed. */
  flush(): Promise<void>
  /** Resolves when everything is in the file; a second call does nothing. */
  close(): Promise<void>
}

/** Creates a capture in our own format, gzipped where the name ends in `.gz`. An existing file is not touched: CaptureError. */
export async function createCapture(path: string, exchange: string): Promise<CaptureWriter> {
  const file = await open(path, 'wx').catch((error: Error) => {
    throw writeError(path, error)
  })
  const writer = new FileCapture(path, file)
  await writer.writeLine(captureHeader(exchange))
  return writer
}

function writeError(path: string, error: Error): CaptureError {
  return new CaptureError(`cannot write ${path}: ${error.message}`, {cause: error, remedy: ['name a new file, on a disk with room']})
}

class FileCapture implements CaptureWriter {
  private readonly input = new PassThrough()
  private readonly gzip: Gzip | undefined
  private readonly done: Promise<void>
  private failure: CaptureError | undefined

  constructor(path: string, file: FileHandle) {
    const output = file.createWriteStream()
    this.gzip = path.endsWith('.gz') ? createGzip() : undefined
    const written = this.gzip ? pipeline(this.input, this.gzip, output) : pipeline(this.input, output)
    this.done = written.catch((error: Error) => {
      this.failure = writeError(path, error)
    })
  }

  write(event: CaptureEvent): Promise<void> {
    return this.writeLine(formatLine(event))
  }

  async writeLine(line: string): Promise<void> {
    if (!this.failure && !this.input.write(`${line}\n`)) await Promise.race([drained(this.input), this.done])
    if (this.failure) throw this.failure
  }

  async flush(): Promise<void> {
    const {gzip} = this
    if (gzip && !this.failure) await Promise.race([new Promise<void>((resolve) => gzip.flush(() => resolve())), this.done])
    if (this.failure) throw this.failure
  }

  async close(): Promise<void> {
    this.input.end()
    await this.done
    if (this.failure) throw this.failure
  }
}

function drained(stream: PassThrough): Promise<void> {
  return new Promise((resolve) => {
    stream.once('drain', resolve)
  })
}
