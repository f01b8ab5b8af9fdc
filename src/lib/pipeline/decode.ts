import {type CaptureEntry, UnreadableLineError} from '../core/capture.ts'
import {encodeRecord} from '../core/codec.ts'
import type {CoinRecord, RecordType} from '../core/records.ts'
import type {FrameDecoder, Rejection} from '../exchanges/decoder.ts'

export interface DecodeOptions {
  readonly entries: AsyncIterable<CaptureEntry>
  readonly decoder: FrameDecoder
  /** Leave out records whose id was among the last million. */
  readonly dedup: boolean
  /** Takes whole lines of records; resolves when there is room for more. */
  readonly write: (lines: string) => Promise<void>
}

export interface RefusedLine extends Rejection {
  readonly line: number
}

export interface DecodeSummary {
  /** Websocket frames and REST answers. */
  readonly frames: number
  readonly records: Readonly<Partial<Record<RecordType, number>>>
  readonly duplicates: number
  /** Frames that carry no data: signs of life, answers to subscriptions, market lists. */
  readonly status: number
  /** Errors that the exchange sent. */
  readonly errors: number
  /** Messages and lines that could not be used. */
  readonly refused: number
  /** The first of them. */
  readonly firstRefused: readonly RefusedLine[]
}

const CHUNK_LENGTH = 64 * 1024
const SHOWN_REFUSED = 20
const REMEMBERED_IDS = 1_000_000

/** Writes the records of a capture as JSON lines, in its order. Bad frames are counted and lose no other. */
export async function decodeCapture(options: DecodeOptions): Promise<DecodeSummary> {
  const run = new DecodeRun(options)
  for await (const entry of options.entries) {
    run.take(entry)
    if (run.pending.length >= CHUNK_LENGTH) await options.write(run.takePending())
  }
  if (run.pending.length > 0) await options.write(run.takePending())
  return run.summary()
}

class DecodeRun {
  /** Lines that are not written yet. */
  pending = ''
  private readonly decoder: FrameDecoder
  private readonly seen: RecentIds | undefined
  private readonly records: Partial<Record<RecordType, number>> = {}
  private frames = 0
  private duplicates = 0
  private status = 0
  private errors = 0
  private refused = 0
  private readonly firstRefused: RefusedLine[] = []

  constructor({decoder, dedup}: DecodeOptions) {
    this.decoder = decoder
    this.seen = dedup ? new RecentIds(REMEMBERED_IDS) : undefined
  }

  take(entry: CaptureEntry): void {
    if (entry.kind === 'unreadable') this.refuse(entry.line, new UnreadableLineError(entry.message))
    if (entry.kind !== 'frame' && entry.kind !== 'rest') return
    this.frames++
    const frame = this.decoder.decode(entry.payload, entry.time)
    if (frame.kind === 'records') {
      for (const record of frame.records) this.keep(record)
      for (const rejection of frame.rejected) this.refuse(entry.line, rejection)
    } else if (frame.kind === 'rejected') this.refuse(entry.line, frame)
    else if (frame.kind === 'error') this.errors++
    else this.status++
  }

  takePending(): string {
    const lines = this.pending
    this.pending = ''
    return lines
  }

  summary(): DecodeSummary {
    const {frames, records, duplicates, status, errors, refused, firstRefused} = this
    return {frames, records, duplicates, status, errors, refused, firstRefused}
  }

  private keep(record: CoinRecord): void {
    if (this.seen && !this.seen.add(record.id)) {
      this.duplicates++
      return
    }
    this.records[record.type] = (this.records[record.type] ?? 0) + 1
    this.pending += `${encodeRecord(record)}\n`
  }

  private refuse(line: number, {code, message}: Rejection): void {
    this.refused++
    if (this.firstRefused.length < SHOWN_REFUSED) this.firstRefused.push({line, code, message})
  }
}

/** At least the last `count` ids, at most twice that. */
class RecentIds {
  private readonly count: number
  private newer = new Set<string>()
  private older = new Set<string>()

  constructor(count: number) {
    this.count = count
  }

  /** False where the id is known. */
  add(id: string): boolean {
    if (this.newer.has(id) || this.older.has(id)) return false
    if (this.newer.size >= this.count) {
      this.older = this.newer
      this.newer = new Set()
    }
    this.newer.add(id)
    return true
  }
}

/** The summary for people. */
export function describeDecode(summary: DecodeSummary): readonly string[] {
  const {frames, records, duplicates, status, errors, refused, firstRefused} = summary
  const counts = Object.entries(records).map(([type, count]) => `${count} ${type}`)
  const lines = [`${frames} frames: ${counts.length === 0 ? 'no records' : counts.join(', ')}, ${status} without data, ${refused} refused`]
  if (duplicates > 0) lines.push(`${duplicates} duplicates left out`)
  if (errors > 0) lines.push(`${errors} errors that the exchange sent`)
  for (const {line, code, message} of firstRefused) lines.push(`line ${line}: ${message} [${code}]`)
  if (refused > firstRefused.length) lines.push(`and ${refused - firstRefused.length} more refused`)
  return lines
}
