import {type FileHandle, open} from 'node:fs/promises'
import type {Readable} from 'node:stream'
import type {Context} from '../core/context.ts'
import {AbortedError, CoinpipeError, EXIT, InvalidInputError} from '../core/errors.ts'
import type {Bus, OutgoingRecord, PublishResult, Value} from '../core/ports/bus.ts'
import {ProduceStoppedError} from './errors.ts'
import {counted} from './format.ts'
import {type LineOptions, recordOfLine, textOrBytes} from './produce-lines.ts'
import {type RawRecord, splitRecords} from './split-records.ts'

/** No bus takes a larger record; a longer line is not even kept in memory. */
export const MAX_RECORD_BYTES = 16 * 1024 * 1024
/** What travels together. One batch is under way while the next is read. */
const BATCH = {records: 5000, bytes: 1024 * 1024} as const
/** Refused lines that are told one by one. */
const MAX_TOLD = 20

/** What `produce` answers. */
export interface ProduceSummary {
  readonly topic: string
  /** In the log. */
  readonly records: number
  /** Handed on without an answer being asked for (acks=0): they may be in the log or not. */
  readonly unacknowledged: number
  /** Of values and keys. */
  readonly bytes: number
  readonly partitions: readonly {readonly partition: number; readonly records: number}[]
  readonly refused: number
  /** The first of the refused ones. */
  readonly refusals: readonly Refusal[]
}

export interface Refusal {
  /** From 1. */
  readonly line: number
  readonly code: string
  readonly reason: string
}

export interface ProduceOptions extends LineOptions {
  readonly input: Readable
  readonly delimiter: Uint8Array
  /** Most records to take from the input. */
  readonly count?: number | undefined
  /** Whether the input has an end that is to be reached: stopping before it is then an error that says where to go on. */
  readonly bounded: boolean
  /** Told of refused lines, the first ones of them. */
  readonly onRefused: (refusal: Refusal) => void
}

interface Line {
  readonly number: number
  readonly record: OutgoingRecord
}

/**
 * Publishes the lines of a stream, in their order, and reads no faster than the bus takes them. A line that the bus refuses for its size is left out and
 * told. When the signal aborts, what was read is still published. Rejects with ProduceStoppedError where the bus fails.
 */
export async function produceLines(bus: Bus, options: ProduceOptions, context: Context): Promise<ProduceSummary> {
  const producer = new Producer(bus, options)
  const chunks = readUntilStopped(options.input, context.signal)
  const stopped = await producer.takeAll(splitRecords(chunks, options.delimiter, MAX_RECORD_BYTES), context.signal)
  await producer.finish()
  if (stopped !== undefined && options.bounded) throw producer.stopped(stopped)
  return producer.summary
}

/** Publishes one value. */
export async function produceOne(bus: Bus, record: OutgoingRecord): Promise<ProduceSummary> {
  const tally = new Tally(record.topic)
  tally.add([{number: 1, record}], await bus.publish([record]))
  return tally.summary([], 0)
}

/** All of a file. Rejects with InvalidInputError where it cannot be read, or is larger than any bus takes. */
export async function readWhole(path: string): Promise<Value> {
  const file = await openFile(path)
  try {
    const {size} = await file.stat()
    if (size > MAX_RECORD_BYTES) throw tooLong(size)
    return textOrBytes(await file.readFile())
  } catch (cause) {
    throw cause instanceof CoinpipeError ? cause : unreadable(path, cause)
  } finally {
    await file.close()
  }
}

/** Opens a file to read from. Rejects with InvalidInputError. */
export async function openFile(path: string): Promise<FileHandle> {
  try {
    return await open(path)
  } catch (cause) {
    throw unreadable(path, cause)
  }
}

function unreadable(path: string, cause: unknown): InvalidInputError {
  return new InvalidInputError(`'${path}' cannot be read: ${(cause as Error).message}`, {
    cause,
    remedy: ['check --file, and the rights of the file'],
  })
}

class Producer {
  readonly #bus: Bus
  readonly #options: ProduceOptions
  readonly #tally: Tally
  readonly #refusals: Refusal[] = []
  #refused = 0
  #taken = 0
  #batch: Line[] = []
  #bytes = 0
  #sending: Promise<void> | null = null
  #failure: unknown
  /** The line up to which all are in the log or refused. */
  #doneLine = 0

  constructor(bus: Bus, options: ProduceOptions) {
    this.#bus = bus
    this.#options = options
    this.#tally = new Tally(options.topic)
  }

  get summary(): ProduceSummary {
    return this.#tally.summary(this.#refusals, this.#refused)
  }

  /** Takes lines until their end, or as many as are wanted. Resolves with the reason where it was stopped before that. */
  async takeAll(lines: AsyncIterable<readonly RawRecord[]>, signal: AbortSignal): Promise<AbortedError | undefined> {
    try {
      for await (const raws of lines) {
        for (const raw of raws) {
          await this.#take(raw)
          if (this.#taken === this.#options.count) return undefined
        }
        this.#sendSoon()
      }
    } catch (error) {
      if (error instanceof AbortedError && signal.aborted) return error
      throw error
    }
    return undefined
  }

  /** Resolves once all that was taken is in the log or refused. */
  async finish(): Promise<void> {
    for (this.#sendSoon(); this.#sending !== null; this.#sendSoon()) await this.#sending
    this.#check()
  }

  stopped(cause: CoinpipeError): ProduceStoppedError {
    const {records} = this.summary
    return new ProduceStoppedError(
      `stopped after line ${this.#doneLine}, with ${counted(records, 'record')} in the log: ${cause.message}`,
      {
        cause,
        exitCode: cause instanceof AbortedError ? EXIT.resumable : cause.exitCode,
        remedy: [...cause.remedy, `to go on: tail -n +${this.#doneLine + 1} <file> | coinpipe produce ${this.#options.topic}`],
      },
    )
  }

  /** Empty lines are passed over, as kcat does. */
  async #take({number, bytes, size}: RawRecord): Promise<void> {
    if (size === 0) return
    this.#taken += 1
    try {
      if (bytes === undefined) throw tooLong(size)
      this.#batch.push({number, record: recordOfLine(bytes, this.#options)})
    } catch (error) {
      if (!(error instanceof CoinpipeError)) throw error
      return this.#refuse(number, error)
    }
    this.#bytes += size
    if (this.#batch.length < BATCH.records && this.#bytes < BATCH.bytes) return
    await this.#sending
    this.#sendSoon()
    this.#check()
  }

  /** Sends the batch, unless one is under way: then it may grow until that is done. */
  #sendSoon(): void {
    if (this.#sending !== null || this.#batch.length === 0 || this.#failure !== undefined) return
    const lines = this.#batch
    this.#batch = []
    this.#bytes = 0
    this.#sending = this.#publish(lines)
      .catch((error: unknown) => {
        this.#failure = error
      })
      .finally(() => {
        this.#sending = null
        this.#sendSoon()
      })
  }

  #check(): void {
    if (this.#failure !== undefined) throw this.#failure
  }

  /** A batch that is refused for the size of a record is halved until the record is found. */
  async #publish(lines: readonly Line[]): Promise<void> {
    try {
      const results = await this.#bus.publish(lines.map(({record}) => record))
      this.#tally.add(lines, results)
    } catch (error) {
      if (!(error instanceof CoinpipeError)) throw error
      if (error.code !== 'COINPIPE_RECORD_TOO_LARGE') throw this.stopped(error)
      const [only] = lines
      const middle = Math.ceil(lines.length / 2)
      if (lines.length > 1) for (const half of [lines.slice(0, middle), lines.slice(middle)]) await this.#publish(half)
      else if (only) this.#refuse(only.number, error)
    }
    this.#doneLine = lines.at(-1)?.number ?? this.#doneLine
  }

  #refuse(line: number, {code, message: reason}: CoinpipeError): void {
    this.#refused += 1
    if (this.#refusals.length >= MAX_TOLD) return
    this.#refusals.push({line, code, reason})
    this.#options.onRefused({line, code, reason})
  }
}

class Tally {
  readonly #topic: string
  readonly #partitions = new Map<number, number>()
  #records = 0
  #unacknowledged = 0
  #bytes = 0

  constructor(topic: string) {
    this.#topic = topic
  }

  add(lines: readonly Line[], results: readonly PublishResult[]): void {
    for (const {record} of lines) this.#bytes += Buffer.byteLength(record.value ?? '') + Buffer.byteLength(record.key ?? '')
    for (const {partition, offset} of results) {
      if (offset === null) this.#unacknowledged += 1
      else this.#records += 1
      this.#partitions.set(partition, (this.#partitions.get(partition) ?? 0) + 1)
    }
  }

  summary(refusals: readonly Refusal[], refused: number): ProduceSummary {
    const partitions = [...this.#partitions].map(([partition, records]) => ({partition, records})).sort((a, b) => a.partition - b.partition)
    return {
      topic: this.#topic,
      records: this.#records,
      unacknowledged: this.#unacknowledged,
      bytes: this.#bytes,
      partitions,
      refused,
      refusals: [...refusals],
    }
  }
}

function tooLong(bytes: number): CoinpipeError {
  return new InvalidInputError(`a record of ${bytes} bytes is too long: the largest that any bus takes has ${MAX_RECORD_BYTES}`)
}

/** The chunks of a stream until its end. Rejects with AbortedError once the signal aborts, which ends the stream too. */
async function* readUntilStopped(input: Readable, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  const stop = () => input.destroy()
  if (signal.aborted) stop()
  signal.addEventListener('abort', stop, {once: true})
  try {
    for await (const chunk of input) yield chunk as Uint8Array
  } catch (error) {
    if (!signal.aborted) throw error
  } finally {
    signal.removeEventListener('abort', stop)
  }
  if (signal.aborted) throw new AbortedError()
}
