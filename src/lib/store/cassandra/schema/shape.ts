import type {TableOptions} from '../options.ts'
import {type Table, tablesFor, ttlOf} from '../tables.ts'

/** A keyspace as Cassandra's own system_schema tells of it: read from a cluster, or wanted. */
export interface KeyspaceShape {
  readonly name: string
  readonly replication: Readonly<Record<string, string>>
  readonly tables: readonly TableShape[]
}

export interface TableShape {
  readonly name: string
  readonly columns: readonly ColumnShape[]
  readonly options: OptionsShape
}

export interface ColumnShape {
  readonly name: string
  readonly type: string
  readonly kind: 'partition_key' | 'clustering' | 'regular' | 'static'
  /** Among the columns of its kind in the primary key; -1 outside it. */
  readonly position: number
  readonly order: 'asc' | 'desc' | 'none'
}

/** By Cassandra's names. Only what we set: all else is the cluster's own affair. */
export interface OptionsShape {
  readonly comment: string
  /** 0 is none. */
  readonly default_time_to_live: number
  readonly gc_grace_seconds: number
  readonly read_repair: string
  readonly compaction: Readonly<Record<string, string>>
}

/**
 * How often TimeWindowCompactionStrategy looks for SSTables that expired whole. Cassandra itself wakes compaction once a minute; its default of ten minutes
 * would keep two windows of five minutes too long.
 */
const EXPIRY_CHECK_SECONDS = 60

/** What the options ask for. */
export function wantedShape(keyspace: string, datacenter: string, options: TableOptions): KeyspaceShape {
  return {
    name: keyspace,
    replication: {class: 'NetworkTopologyStrategy', [datacenter]: String(options.replicas)},
    tables: tablesFor(options.bucket).map((table) => tableShape(table, options)),
  }
}

function tableShape(table: Table, options: TableOptions): TableShape {
  const {name, partition, clustering, columns, comment} = table
  return {
    name,
    columns: [
      ...partition.map(({name, type}, position) => ({name, type, kind: 'partition_key' as const, position, order: 'none' as const})),
      ...clustering.map(({name, type, order}, position) => ({name, type, kind: 'clustering' as const, position, order})),
      ...columns.map(({name, type}) => ({name, type, kind: 'regular' as const, position: -1, order: 'none' as const})),
    ],
    options: {
      comment,
      default_time_to_live: ttlOf(table, options) ?? 0,
      gc_grace_seconds: options.gcGraceSeconds,
      // A repair by a read writes single columns of a row, and old rows into new time windows.
      read_repair: 'NONE',
      compaction: compactionOf(table, options),
    },
  }
}

/** Rows of a state are overwritten, and their timestamps say nothing of when they were written: windows by time would never hold what belongs together. */
function compactionOf({kind}: Table, {windowMinutes}: TableOptions): Record<string, string> {
  if (kind === 'state') return {class: 'LeveledCompactionStrategy'}
  return {
    class: 'TimeWindowCompactionStrategy',
    compaction_window_unit: 'MINUTES',
    compaction_window_size: String(windowMinutes),
    expired_sstable_check_frequency_seconds: String(EXPIRY_CHECK_SECONDS),
  }
}

/** The columns of the primary key, in their order. */
export function keyColumns(table: TableShape, kind: 'partition_key' | 'clustering'): readonly ColumnShape[] {
  return table.columns.filter((column) => column.kind === kind).toSorted((a, b) => a.position - b.position)
}

/** The options that have to change, as wanted. Settings of compaction that are not ours stay, where the strategy does. */
export function changedOptions(live: TableShape, wanted: TableShape): Partial<OptionsShape> {
  const {compaction: found, ...options} = live.options
  const {compaction, ...asked} = wanted.options
  const changed = Object.entries(asked).filter(([name, value]) => options[name as keyof typeof options] !== value)
  if (Object.entries(compaction).every(([key, value]) => found[key] === value)) return Object.fromEntries(changed)
  const kept = found.class === compaction.class ? found : {}
  return {...Object.fromEntries(changed), compaction: {...kept, ...compaction}}
}
