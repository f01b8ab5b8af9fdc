import type {LiveKeyspace} from './live.ts'
import {addColumns, alterKeyspace, alterOptions, createTable} from './render.ts'
import {changedOptions, type KeyspaceShape, type TableShape} from './shape.ts'
import {tableId} from './table-id.ts'

export interface Migration {
  readonly statements: readonly string[]
  /** What is left to do by hand, and what stays as it was. */
  readonly notes: readonly string[]
}

/** Brings a keyspace to what is wanted, where its primary keys and types are right already. */
export function planMigration(live: LiveKeyspace, wanted: KeyspaceShape): Migration {
  const found = new Map(live.tables.map((table) => [table.name, table]))
  const replication = mergedReplication(live, wanted)
  const statements = wanted.tables.flatMap((table) => {
    const there = found.get(table.name)
    if (there) return tableStatements(live.name, there, table)
    return [createTable(live.name, table, tableId(live.name, live.writtenUs, table.name))]
  })
  return {
    statements: [...(replication === null ? [] : [alterKeyspace(live.name, replication)]), ...statements],
    notes: [...(replication === null ? [] : [copiesNote(live.name)]), ...ttlNote(found, wanted)],
  }
}

/** Null where it is as wanted. Other data centres keep what they have. */
function mergedReplication({replication}: KeyspaceShape, wanted: KeyspaceShape): Record<string, string> | null {
  if (Object.entries(wanted.replication).every(([key, value]) => replication[key] === value)) return null
  return {...(replication.class === wanted.replication.class ? replication : {}), ...wanted.replication}
}

function tableStatements(keyspace: string, live: TableShape, wanted: TableShape): string[] {
  const there = new Set(live.columns.map(({name}) => name))
  const columns = wanted.columns.filter(({name}) => !there.has(name))
  const options = changedOptions(live, wanted)
  return [
    ...(columns.length === 0 ? [] : [addColumns(keyspace, wanted.name, columns)]),
    ...(Object.keys(options).length === 0 ? [] : [alterOptions(keyspace, wanted.name, options)]),
  ]
}

function copiesNote(keyspace: string): string {
  return `rows that are there already are not copied by this: on each node run nodetool repair --full ${keyspace}, or wait until their TTL is over`
}

function ttlNote(found: ReadonlyMap<string, TableShape>, {tables}: KeyspaceShape): string[] {
  const changed = tables.flatMap(({name, options}) => {
    const before = found.get(name)?.options.default_time_to_live ?? options.default_time_to_live
    return before === options.default_time_to_live ? [] : [`${name} (${ttlText(before)})`]
  })
  return changed.length === 0 ? [] : [`rows that are there already keep the TTL that they were written with: ${changed.join(', ')}`]
}

function ttlText(seconds: number): string {
  return seconds === 0 ? 'for ever' : `${seconds} s`
}
