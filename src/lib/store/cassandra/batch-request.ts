import type {Request} from 'cassandra-driver/lib/request-handler.js'
import type {Span} from './value-writer.ts'

/** CQL native protocol, sections 2 and 4.1.7. */
const OPCODE_BATCH = 0x0d
const UNLOGGED = 1
const PREPARED = 1
const WITH_TIMESTAMP = 0x20
const HEADER_BYTES = 9
/** Type and number of statements. */
const BEFORE_ROWS = 3
const TWO_32 = 2 ** 32
/** From here on flags have four bytes. */
const WIDE_FLAGS_FROM = 5

/** What stands before the values of each row: that its statement is prepared, which one it is, and how many values there are. */
export function rowHeader(statementId: Buffer, values: number): Buffer {
  const header = Buffer.alloc(1 + 2 + statementId.length + 2)
  header.writeUInt8(PREPARED)
  header.writeUInt16BE(statementId.length, 1)
  statementId.copy(header, 3)
  header.writeUInt16BE(values, 3 + statementId.length)
  return header
}

/**
 * An unlogged batch of rows that are encoded already: the frame is put together by copying them. The driver's own takes every value of every row apart,
 * which costs more than all else that a row needs.
 */
export class BatchRequest implements Request {
  length = 0
  readonly consistency: number
  readonly #rows: readonly Span[]
  readonly #timestampUs: number

  /** `timestampUs` is for rows that name none themselves. */
  constructor(rows: readonly Span[], consistency: number, timestampUs: number) {
    this.#rows = rows
    this.consistency = consistency
    this.#timestampUs = timestampUs
  }

  write({protocolVersion}: {readonly protocolVersion: number}, streamId: number): Buffer {
    const flagBytes = protocolVersion >= WIDE_FLAGS_FROM ? 4 : 1
    let size = HEADER_BYTES + BEFORE_ROWS + 2 + flagBytes + 8
    for (const {start, end} of this.#rows) size += end - start
    const frame = Buffer.allocUnsafe(size)
    this.length = size - HEADER_BYTES
    frame[0] = protocolVersion
    frame[1] = 0
    frame.writeInt16BE(streamId, 2)
    frame[4] = OPCODE_BATCH
    frame.writeInt32BE(this.length, 5)
    frame[HEADER_BYTES] = UNLOGGED
    frame.writeUInt16BE(this.#rows.length, HEADER_BYTES + 1)
    let at = this.#copyRows(frame, HEADER_BYTES + BEFORE_ROWS)
    at = frame.writeUInt16BE(this.consistency, at)
    at = flagBytes === 4 ? frame.writeInt32BE(WITH_TIMESTAMP, at) : frame.writeUInt8(WITH_TIMESTAMP, at)
    at = frame.writeInt32BE(Math.floor(this.#timestampUs / TWO_32), at)
    frame.writeInt32BE(this.#timestampUs | 0, at)
    return frame
  }

  clone(): BatchRequest {
    return new BatchRequest(this.#rows, this.consistency, this.#timestampUs)
  }

  /** Rows that stand one behind the other are copied at once. */
  #copyRows(frame: Buffer, from: number): number {
    let at = from
    const rows = this.#rows
    for (let i = 0; i < rows.length; ) {
      const {chunk, start} = rows[i] as Span
      let {end} = rows[i] as Span
      for (i += 1; i < rows.length && rows[i]?.chunk === chunk && rows[i]?.start === end; i += 1) end = (rows[i] as Span).end
      at += chunk.copy(frame, at, start, end)
    }
    return at
  }
}
