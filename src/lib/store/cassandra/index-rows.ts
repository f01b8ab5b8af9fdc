import type {Clock} from '../../core/context.ts'
import type {CoinRecord, RecordType} from '../../core/records.ts'
import type {TableOptions} from './options.ts'
import type {Partition} from './partitions.ts'
import type {Row} from './row.ts'
import type {RowEncoder} from './rows.ts'
import {type IndexRecord, indexTtl, tableOf, ttlOf} from './tables.ts'

const INDEXES: readonly IndexRecord[] = ['market', 'tradeBucket', 'candleBucket']
/** An index row is written again after this part of its time to live. */
const RENEW_AFTER = 1 / 4

/**
 * The rows by which readers find partitions: which markets there are, and which buckets each has. They go with the first row of a partition that this
 * process writes, and again before they expire. Known are only those that Cassandra acknowledged.
 */
export class IndexRows {
  readonly #encoder: RowEncoder
  readonly #clock: Clock
  readonly #tables: TableOptions
  readonly #renewAfterMs: number
  readonly #knownSinceMs = new WeakMap<Partition, number>()

  constructor(encoder: RowEncoder, tables: TableOptions, clock: Clock) {
    this.#encoder = encoder
    this.#clock = clock
    this.#tables = tables
    const ttls = INDEXES.map((index) => ttlOf(tableOf(index, tables.bucket), tables))
    this.#renewAfterMs = Math.min(...ttls.map((seconds) => (seconds === null ? Number.POSITIVE_INFINITY : seconds * 1000 * RENEW_AFTER)))
  }

  /** Index rows that have to be there before the rows of one batch count as written. */
  collect(nowMs: number): IndexCollector {
    return new IndexCollector(this.#encoder, this.#tables, this.#clock.nowUs(), (partition) => {
      const sinceMs = this.#knownSinceMs.get(partition)
      return sinceMs !== undefined && nowMs - sinceMs < this.#renewAfterMs
    })
  }

  /** They were written; `collectedMs` is when. */
  confirm(partitions: Iterable<Partition>, collectedMs: number): void {
    for (const partition of partitions) this.#knownSinceMs.set(partition, collectedMs)
  }
}

/** For one batch. */
export class IndexCollector {
  readonly rows: Row[] = []
  readonly partitions = new Set<Partition>()
  readonly #encoder: RowEncoder
  readonly #tables: TableOptions
  readonly #seen: number
  readonly #isKnown: (partition: Partition) => boolean
  #last: Partition | undefined

  constructor(encoder: RowEncoder, tables: TableOptions, seen: number, isKnown: (partition: Partition) => boolean) {
    this.#encoder = encoder
    this.#tables = tables
    this.#seen = seen
    this.#isKnown = isKnown
  }

  add(record: CoinRecord, {partition}: Row, index: number): void {
    if (partition === this.#last) return
    this.#last = partition
    if (!('symbol' in record) || this.partitions.has(partition) || this.#isKnown(partition)) return
    this.partitions.add(partition)
    const ttl = (of: IndexRecord) => this.#ttl(of, record.type, partition)
    this.#push(this.#encoder.market(record, this.#seen, ttl('market')), index)
    if (record.type === 'trade') this.#push(this.#encoder.tradeBucket(record, this.#seen, ttl('tradeBucket')), index)
    if (record.type === 'candle') this.#push(this.#encoder.candleBucket(record, this.#seen, ttl('candleBucket')), index)
  }

  #push(row: Row, index: number): void {
    row.index = index
    this.rows.push(row)
  }

  /** 0 is for ever. Undefined, the table's own, where rows have that of their table too: it may be another than our options say. */
  #ttl(index: IndexRecord, type: RecordType, {using}: Partition): number | undefined {
    const table = tableOf(index, this.#tables.bucket)
    const ttl = indexTtl(table, type, this.#tables, this.#seen / 1e6)
    return !using.ttl && ttl === ttlOf(table, this.#tables) ? undefined : (ttl ?? 0)
  }
}
