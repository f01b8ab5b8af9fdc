import fc from 'fast-check'
import {RECORD_TYPES} from '../../src/lib/core/records.ts'
import {BUCKETS, MAX_TTL_SECONDS, TABLE_DEFAULTS, type TableOptions} from '../../src/lib/store/cassandra/options.ts'
import type {LiveKeyspace, LiveTable} from '../../src/lib/store/cassandra/schema/live.ts'
import {type KeyspaceShape, type TableShape, wantedShape} from '../../src/lib/store/cassandra/schema/shape.ts'

/** What is wanted in keyspace `coinpipe`, data centre `dc1`. */
export function wanted(changes: Partial<TableOptions> = {}): KeyspaceShape {
  return wantedShape('coinpipe', 'dc1', {...TABLE_DEFAULTS, ...changes})
}

/** The same as Cassandra tells of it once it is made: in its own order, with settings that it adds. */
export function live(shape: KeyspaceShape = wanted()): LiveKeyspace {
  return {...shape, writtenUs: '1700000000000000', tables: shape.tables.map(liveTable).toSorted((a, b) => (a.name < b.name ? -1 : 1))}
}

function liveTable(table: TableShape): LiveTable {
  const compaction = {...table.options.compaction, max_threshold: '32', min_threshold: '4'}
  const columns = table.columns.toSorted((a, b) => (a.name < b.name ? -1 : 1))
  return {...table, columns, id: '00000000-0000-8000-8000-000000000000', dropped: [], options: {...table.options, compaction}}
}

/** The keyspace with one of its tables changed. */
export function withTable(keyspace: LiveKeyspace, name: string, change: (table: LiveTable) => LiveTable): LiveKeyspace {
  return {...keyspace, tables: keyspace.tables.map((table) => (table.name === name ? change(table) : table))}
}

/** The table without one of its columns. */
export function without(column: string): (table: LiveTable) => LiveTable {
  return (table) => ({...table, columns: table.columns.filter(({name}) => name !== column)})
}

const ttl = fc.option(fc.integer({min: 1, max: MAX_TTL_SECONDS}), {nil: null})

export const arbitraryTableOptions: fc.Arbitrary<TableOptions> = fc.record({
  replicas: fc.integer({min: 1, max: 5}),
  ttlSeconds: ttl,
  ttlSecondsOf: fc.dictionary(fc.constantFrom(...RECORD_TYPES), ttl),
  gcGraceSeconds: fc.integer({min: 0, max: 1_000_000}),
  windowMinutes: fc.integer({min: 1, max: 100_000}),
  bucket: fc.constantFrom(...BUCKETS),
})
