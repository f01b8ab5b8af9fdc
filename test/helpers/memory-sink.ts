import {NotConnectedError} from '../../src/lib/core/errors.ts'
import type {Position, TopicPartition} from '../../src/lib/core/ports/bus.ts'
import type {RefusedItem, Sink, SinkBatch, SinkResult} from '../../src/lib/core/ports/sink.ts'
import type {CoinRecord} from '../../src/lib/core/records.ts'

/** What a {@link MemorySink} has written; several sinks may share it, as processes share a store. */
export class MemoryTable {
  readonly rows = new Map<string, CoinRecord>()
  readonly positions = new Map<string, number>()
  /** Ids in the order in which they were written, repeats included. */
  readonly writes: string[] = []
}

const NUMBER = /^\d+(\.\d+)?$/

/** A whole sink in memory. Refuses trades whose price or size is no number that is 0 or above. */
export class MemorySink implements Sink {
  readonly keepsPositions: boolean
  readonly #table: MemoryTable
  #open = false
  /** Rejects that many writes first. */
  failures = 0

  constructor(table = new MemoryTable(), {keepsPositions = true} = {}) {
    this.#table = table
    this.keepsPositions = keepsPositions
  }

  async connect(): Promise<void> {
    this.#open = true
  }

  async check(): Promise<void> {
    if (!this.#open) throw new NotConnectedError('the sink in memory is not open')
  }

  async close(): Promise<void> {
    this.#open = false
  }

  async write({group, items, next}: SinkBatch): Promise<SinkResult> {
    await this.check()
    if (this.failures > 0) {
      this.failures -= 1
      throw new NotConnectedError('the sink in memory fails', {retry: {kind: 'later', afterMs: 1}})
    }
    const refused = items.flatMap(({record}, index) => refusal(record, index))
    if (refused.length > 0) return {refused, written: 0}
    const before = this.#table.rows.size
    for (const {record} of items) {
      if (!this.#table.rows.has(record.id)) this.#table.rows.set(record.id, record)
      this.#table.writes.push(record.id)
    }
    for (const position of this.keepsPositions ? next : []) {
      const key = keyOf(group, position)
      this.#table.positions.set(key, Math.max(this.#table.positions.get(key) ?? 0, position.offset))
    }
    return {refused: [], written: this.#table.rows.size - before}
  }

  async positions(group: string, partitions: readonly TopicPartition[]): Promise<readonly Position[]> {
    return partitions.flatMap(({topic, partition}) => {
      const offset = this.#table.positions.get(keyOf(group, {topic, partition}))
      return offset === undefined ? [] : [{topic, partition, offset}]
    })
  }
}

function keyOf(group: string, {topic, partition}: TopicPartition): string {
  return `${group} ${topic} ${partition}`
}

function refusal(record: CoinRecord, index: number): RefusedItem[] {
  if (record.type !== 'trade' || (NUMBER.test(record.price) && NUMBER.test(record.size))) return []
  return [{index, code: 'COINPIPE_STORE_RECORD', message: `price ${record.price}, size ${record.size}`}]
}
