import type {Context} from '../core/context.ts'
import {AbortedError, InvalidInputError} from '../core/errors.ts'
import type {BusAdmin, BusMessage, Isolation, TopicDescription, Value} from '../core/ports/bus.ts'
import type {Decode} from './tail-decode.ts'
import {type Expression, holds} from './tail-filter.ts'
import type {Formatter, Piece, Shown} from './tail-format.ts'
import {mergePartitions} from './tail-merge.ts'
import {resolveStart, type TailRange, type TailStart} from './tail-offsets.ts'
import {checkPartition} from './target.ts'

/** Characters that are written at once. */
const WRITE_CHARS = 64 * 1024
/** Kinds of problems that are told. */
const MAX_TOLD = 20

export interface TailOptions {
  readonly topic: string
  /** Default: all. */
  readonly partition?: number | undefined
  readonly range: TailRange
  /** For `stored`; its position stays where it is. */
  readonly group?: string | undefined
  /** End where the topic ended at the start of the run. */
  readonly exit: boolean
  /** Most records to show. */
  readonly count?: number | undefined
  readonly isolation: Isolation
  readonly decode: Decode
  readonly filter?: Expression | undefined
  /** Makes the formatter; `facts` is what is known about the topic by now. */
  readonly format: (facts: () => TopicDescription) => Formatter
  /** Resolves once there is room for more. */
  readonly write: (chunk: Value) => Promise<void>
}

/** What `tail` did. */
export interface TailSummary {
  readonly topic: string
  readonly read: number
  readonly shown: number
  /** Payloads that could not be decoded as asked. */
  readonly undecoded: number
}

/** Shows records of a topic until its end, `count`, or the abort of the signal, whichever comes first. Reads only. */
export async function tail(bus: BusAdmin, options: TailOptions, context: Context): Promise<TailSummary> {
  const {topic: name, partition, range, exit, isolation} = options
  let facts = await bus.describeTopic(name)
  checkPartition(facts, partition)
  checkGroup(range, options.group)
  const wanted = (position: {readonly partition: number}) => partition === undefined || position.partition === partition
  const starts = await resolveStart(bus, facts, range.start ?? defaultStart(options), options.group)
  const merged = mergePartitions(
    {
      admin: bus,
      topic: name,
      starts: starts.filter(wanted),
      ends: exit ? facts.offsets.map(({topic, partition, latest}) => ({topic, partition, offset: latest})) : null,
      stopMs: range.stopMs,
      isolation,
      follow: !exit && partition === undefined,
      onTopic: (topic) => {
        facts = topic
      },
    },
    context,
  )
  const printer = new Printer(
    options,
    options.format(() => facts),
    context,
  )
  try {
    for await (const batch of merged) {
      await printer.print(batch)
      if (printer.full) break
    }
  } catch (error) {
    // Stopped while the reader of the output stalls: as good an end as any.
    if (!(error instanceof AbortedError && context.signal.aborted)) throw error
  }
  const {read, undecoded} = printer.counts
  if (undecoded > 0) context.logger.warn({read, undecoded}, 'so many payloads could not be decoded, and were shown as they are')
  return {topic: name, ...printer.counts}
}

/** A run that ends by itself shows what is there, as kcat does; one that does not waits for what comes. */
function defaultStart({exit, range}: TailOptions): TailStart {
  return {kind: exit || range.stopMs !== undefined ? 'beginning' : 'end'}
}

function checkGroup({start}: TailRange, group: string | undefined): void {
  if (group === undefined || start?.kind === 'stored') return
  throw new InvalidInputError(`group '${group}' is named, and nothing asks where it is`, {remedy: ['start there: --offset stored']})
}

/** Decodes, filters and writes. */
class Printer {
  readonly counts = {read: 0, shown: 0, undecoded: 0}
  readonly #options: TailOptions
  readonly #format: Formatter
  readonly #context: Context
  readonly #told = new Set<string>()
  #pieces: Piece[] = []
  #chars = 0

  constructor(options: TailOptions, format: Formatter, context: Context) {
    this.#options = options
    this.#format = format
    this.#context = context
  }

  get full(): boolean {
    return this.counts.shown === this.#options.count
  }

  async print(batch: readonly BusMessage[]): Promise<void> {
    const {decode, filter} = this.#options
    for (const message of batch) {
      if (this.full) break
      const decoded = decode(message)
      // Only a schema that is not known yet is worth waiting for.
      const shown = {message, payload: decoded instanceof Promise ? await decoded : decoded}
      this.counts.read += 1
      this.#tellProblem(shown)
      if (filter !== undefined && !holds(filter, shown)) continue
      this.#append(shown)
      if (this.#chars >= WRITE_CHARS) await this.#flush()
    }
    await this.#flush()
  }

  #append(shown: Shown): void {
    const from = this.#pieces.length
    this.#format(shown, this.#pieces)
    for (let at = from; at < this.#pieces.length; at++) this.#chars += this.#pieces[at]?.length ?? 0
    this.counts.shown += 1
  }

  async #flush(): Promise<void> {
    const pieces = this.#pieces
    if (pieces.length === 0) return
    this.#pieces = []
    this.#chars = 0
    const isText = pieces.every((piece) => typeof piece === 'string')
    await this.#options.write(isText ? pieces.join('') : Buffer.concat(pieces.map(bytesOf)))
  }

  /** Each kind of problem once: a topic can have millions of the same. */
  #tellProblem({message: {partition, offset}, payload: {error, schemaId, json}}: Shown): void {
    if (error !== null) this.counts.undecoded += 1
    else if (schemaId === null || json !== null) return
    const kind = `${error === null} ${schemaId}`
    if (this.#told.has(kind) || this.#told.size >= MAX_TOLD) return
    this.#told.add(kind)
    const where = {partition, offset, ...(schemaId === null ? {} : {schema: schemaId})}
    if (error === null) this.#context.logger.info(where, 'payloads of this schema are shown as hex; --registry says where it is')
    else this.#context.logger.warn({...where, reason: error}, 'a payload cannot be decoded, and is shown as it is')
  }
}

function bytesOf(piece: Piece): Uint8Array {
  return typeof piece === 'string' ? Buffer.from(piece) : piece
}
