import type {Context} from '../../core/context.ts'
import {NotConnectedError} from '../../core/errors.ts'
import type {Position} from '../../core/ports/bus.ts'
import type {RefusedItem, Sink, SinkBatch, SinkItem, SinkResult} from '../../core/ports/sink.ts'
import {RowBatcher} from './batcher.ts'
import {CassandraRecordError} from './errors.ts'
import {type IndexCollector, IndexRows} from './index-rows.ts'
import type {CassandraOptions, TableOptions, WriteOptions} from './options.ts'
import {causeOfOutage} from './outage-cause.ts'
import type {Row} from './row.ts'
import {RowSender} from './row-sender.ts'
import {RowEncoder} from './rows.ts'
import {CassandraTables} from './schema/cassandra-tables.ts'
import {CassandraSession} from './session.ts'
import {tablesFor} from './tables.ts'
import {TimeToLive} from './time-to-live.ts'
import {isRowsFault, isUnprepared} from './translate-error.ts'
import {batchSettings} from './write-settings.ts'

const COMPONENT = {component: 'cassandra'}
/** Deliveries that are written at once: what is small shares batches, and what is large keeps the nodes busy. */
const CONCURRENT_WRITES = 16
const CLOSE_MS = 5000

/** What there is while the sink is connected. */
interface Opened {
  readonly session: CassandraSession
  readonly tables: CassandraTables
  readonly encoder: RowEncoder
  readonly index: IndexRows
  /** Where rows get what is left of their time to live. */
  readonly ttl: TimeToLive | undefined
  readonly batcher: RowBatcher
}

interface EncodedBatch {
  readonly rows: readonly Row[]
  readonly refused: readonly RefusedItem[]
  readonly index: IndexCollector
  readonly expired: number
}

/**
 * Tables in Cassandra as a sink, for every type of record. Rows are found by the keys of their records, so that writing them again changes nothing; it
 * cannot tell new rows from known ones, and keeps no positions. Connecting rejects with CassandraSchemaError where the tables are not what is written.
 */
export function createCassandraSink(options: CassandraOptions, tables: TableOptions, write: WriteOptions, context: Context): Sink {
  return new CassandraSink(options, tables, write, context)
}

class CassandraSink implements Sink {
  readonly keepsPositions = false
  readonly concurrentWrites = CONCURRENT_WRITES
  readonly #options: CassandraOptions
  readonly #tables: TableOptions
  readonly #write: WriteOptions
  readonly #context: Context
  #opened: Opened | undefined

  constructor(options: CassandraOptions, tables: TableOptions, write: WriteOptions, context: Context) {
    this.#options = options
    this.#tables = tables
    this.#write = write
    this.#context = context
  }

  async connect(): Promise<void> {
    if (this.#opened) return
    const session = new CassandraSession(this.#options, this.#context, {speculativeMs: this.#write.speculativeMs})
    try {
      await session.connect()
      const tables = new CassandraTables(session, this.#tables, this.#context)
      await tables.check()
      this.#opened = await this.#open(session, tables)
    } catch (error) {
      await session.close()
      throw error
    }
  }

  async check(): Promise<void> {
    const {session, batcher} = this.#connected()
    if (batcher.trouble) throw batcher.trouble
    await session.check()
  }

  async write({items}: SinkBatch): Promise<SinkResult> {
    const opened = this.#connected()
    try {
      return await this.#writeItems(opened, items)
    } catch (error) {
      throw await causeOfOutage(error, opened.tables)
    }
  }

  async #writeItems(opened: Opened, items: readonly SinkItem[]): Promise<SinkResult> {
    await opened.batcher.room()
    const collectedMs = this.#context.clock.monotonicMs()
    const {rows, refused, index, expired} = this.#encode(opened, items, collectedMs)
    if (refused.length > 0) return {refused, written: 0}
    const refusedThere = await opened.batcher.write(rows)
    if (refusedThere.length > 0) return {refused: onceEach(refusedThere), written: 0}
    opened.index.confirm(index.partitions, collectedMs)
    if (expired > 0) this.#context.metrics.counter('coinpipe_rows_expired_total').add(expired, COMPONENT)
    return {refused: [], written: items.length - expired}
  }

  endCatchUp(): void {
    this.#opened?.batcher.change(batchSettings({...this.#write, catchUp: false}))
  }

  async positions(): Promise<readonly Position[]> {
    this.#connected()
    return []
  }

  async close(): Promise<void> {
    const opened = this.#opened
    this.#opened = undefined
    await opened?.batcher.close(CLOSE_MS)
    await opened?.session.close()
  }

  #connected(): Opened {
    if (this.#opened) return this.#opened
    throw new NotConnectedError('the connection to Cassandra is not open')
  }

  async #open(session: CassandraSession, tables: CassandraTables): Promise<Opened> {
    const {bucket} = this.#tables
    const {consistency, bookLevels, skipExpired, maxInFlightBytes, deadlineMs} = this.#write
    const sender = await RowSender.open(session, consistency, this.#context)
    const encoder = new RowEncoder({tables: await sender.prepare(tablesFor(bucket), {ttl: skipExpired}), bucket, bookLevels})
    const send = (rows: readonly Row[]) => sendChecked(rows, sender, tables)
    const batcher = new RowBatcher(
      batchSettings(this.#write),
      {...COMPONENT, maxBytes: maxInFlightBytes, deadlineMs, send, isRowsFault},
      this.#context,
    )
    const {clock} = this.#context
    const ttl = skipExpired ? new TimeToLive(this.#tables, clock) : undefined
    return {session, tables, encoder, batcher, ttl, index: new IndexRows(encoder, this.#tables, clock)}
  }

  #encode({encoder, ttl, index: indexRows}: Opened, items: readonly SinkItem[], nowMs: number): EncodedBatch {
    const rows: Row[] = []
    const refused: RefusedItem[] = []
    const index = indexRows.collect(nowMs)
    let expired = 0
    for (let i = 0; i < items.length; i++) {
      const {record, message} = items[i] as SinkItem
      try {
        const ttlSeconds = ttl?.remaining(record.type, message)
        if (ttlSeconds === 'expired') {
          expired += 1
          continue
        }
        const row = encoder.encode(record, ttlSeconds)
        index.add(record, row, i)
        row.index = i
        rows.push(row)
      } catch (error) {
        if (!(error instanceof CassandraRecordError)) throw error
        refused.push({index: i, code: error.code, message: error.message})
      }
    }
    rows.push(...index.rows)
    return {rows, refused, index, expired}
  }
}

/** Where a statement cannot be prepared any more, the tables say whether another attempt may help: rejects with CassandraSchemaError if not. */
async function sendChecked(rows: readonly Row[], sender: RowSender, tables: CassandraTables): Promise<void> {
  try {
    await sender.send(rows)
  } catch (error) {
    if (isUnprepared(error)) await tables.check()
    throw error
  }
}

/** A record may have several rows. */
function onceEach(refused: readonly RefusedItem[]): RefusedItem[] {
  return [...new Map(refused.map((item) => [item.index, item])).values()].toSorted((a, b) => a.index - b.index)
}
