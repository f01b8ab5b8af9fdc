import type {LiveKeyspace} from './live.ts'
import {addColumns, alterKeyspace, alterOptions, createTable} from './render.ts'
import {changedOptions, type KeyspaceShape, type TableShape} from './shape.ts'
import {tableId} from './table-id.ts'

export interface Migration {
  readonly statements: readonly string[]
  readonly notes: readonly string[]
}

export const NO_MIGRATION: Migration = {statements: [], notes: []}

/** The statements that bring a keyspace to what is wanted, where its primary keys and types are right already. */
export function planMigration(live: LiveKeyspace, wanted: KeyspaceShape): Migration {
  const tables = new Map(live.tables.map((table) => [table.name, table]))
  const parts = [
    planReplication(live, wanted),
    ...wanted.tables.map((table) => {
      const found = tables.get(table.name)
      if (found) return planTable(live.name, found, table)
      return {...NO_MIGRATION, statements: [createTable(live.name, table, tableId(live.name, live.writtenUs, table.name))]}
    }),
  ]
  return {statements: parts.flatMap(({statements}) => statements), notes: parts.flatMap(({notes}) => notes)}
}

/** Other data centres keep what they have. */
function planReplication({name, replication}: KeyspaceShape, wanted: KeyspaceShape): Migration {
  const entries = Object.entries(wanted.replication)
  if (entries.every(([key, value]) => replication[key] === value)) return NO_MIGRATION
  const kept = replication.class === wanted.replication.class ? replication : {}
  return {
    statements: [alterKeyspace(name, {...kept, ...wanted.replication})],
    notes: [
      `rows that are there already are not copied by this: on each node run nodetool repair --full ${name}, or wait until their TTL is over`,
    ],
  }
}

function planTable(keyspace: string, live: TableShape, wanted: TableShape): Migration {
  const there = new Set(live.columns.map(({name}) => name))
  const columns = wanted.columns.filter(({name}) => !there.has(name))
  const options = changedOptions(live, wanted)
  const {default_time_to_live: ttl} = options
  return {
    statements: [
      ...(columns.length === 0 ? [] : [addColumns(keyspace, wanted.name, columns)]),
      ...(Object.keys(options).length === 0 ? [] : [alterOptions(keyspace, wanted.name, options)]),
    ],
    notes:
      ttl === undefined
        ? []
        : [`${wanted.name}: rows that are there already keep their TTL of ${span(live)}; new ones have ${span(wanted)}`],
  }
}

function span({options: {default_time_to_live: seconds}}: TableShape): string {
  return seconds === 0 ? 'for ever' : `${seconds} s`
}
