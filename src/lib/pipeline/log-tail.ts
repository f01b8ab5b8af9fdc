import {decodeRecord} from '../core/codec.ts'
import {CoinpipeError} from '../core/errors.ts'
import type {BusAdmin, BusMessage, PartitionOffsets, Position} from '../core/ports/bus.ts'
import type {CoinRecord} from '../core/records.ts'

const READ_RECORDS = 5000

export interface LogTail {
  /** Where the tail starts, µs of log time; null where it is the whole topic. */
  readonly since: number | null
  /** Records in the order of each partition. A value that is no record is left out: it never came from a source. */
  readonly records: AsyncIterable<CoinRecord>
}

/** The newest `tailMs` of a topic, counted back in log time from its newest record; without an end (Infinity) all of it. */
export async function readTail(admin: BusAdmin, topic: string, tailMs: number): Promise<LogTail> {
  const {offsets} = await admin.describeTopic(topic)
  const newestMs = await newestTimestamp(admin, offsets)
  if (newestMs === null) return {since: null, records: scan(admin, [], offsets)}
  const starts = await admin.offsetsAt(topic, Math.max(0, newestMs - tailMs))
  const whole = starts.every((start) => start.offset <= (find(offsets, start)?.earliest ?? 0))
  return {since: whole ? null : (newestMs - tailMs) * 1000, records: scan(admin, starts, offsets)}
}

async function newestTimestamp(admin: BusAdmin, offsets: readonly PartitionOffsets[]): Promise<number | null> {
  let newest: number | null = null
  for (const {topic, partition, earliest, latest} of offsets) {
    if (latest === earliest) continue
    const [last] = await admin.read({topic, partition, offset: latest - 1}, 1)
    if (last && last.timestampMs > (newest ?? 0)) newest = last.timestampMs
  }
  return newest
}

async function* scan(admin: BusAdmin, starts: readonly Position[], offsets: readonly PartitionOffsets[]): AsyncGenerator<CoinRecord> {
  for (const start of starts) {
    const end = find(offsets, start)?.latest ?? start.offset
    for (let offset = start.offset; offset < end; ) {
      const messages = await admin.read({...start, offset}, READ_RECORDS)
      const last = messages.at(-1)
      if (!last) break
      for (const message of messages) {
        const record = recordOf(message)
        if (record) yield record
      }
      offset = last.offset + 1
    }
  }
}

function recordOf({value}: BusMessage): CoinRecord | undefined {
  if (value === null) return undefined
  try {
    return decodeRecord(value)
  } catch (error) {
    if (error instanceof CoinpipeError) return undefined
    throw error
  }
}

function find(offsets: readonly PartitionOffsets[], {partition}: Position): PartitionOffsets | undefined {
  return offsets.find((entry) => entry.partition === partition)
}
