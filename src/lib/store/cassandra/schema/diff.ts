import type {LiveKeyspace, LiveTable} from './live.ts'
import {map, primaryKey} from './render.ts'
import {type ColumnShape, type KeyspaceShape, keyColumns, type OptionsShape, type TableShape} from './shape.ts'

/** One thing that is not as the config and this coinpipe want it. */
export interface Difference {
  /** Null is the keyspace itself. */
  readonly table: string | null
  readonly what: 'keyspace' | 'replication' | 'version' | 'table' | 'primary key' | 'clustering order' | 'column' | 'type' | 'option'
  /** Of the column or option; else as `what`. */
  readonly name: string
  /** Null where it is missing. */
  readonly found: string | null
  readonly wanted: string
  /** `create` and `migrate` are the commands that mend it; `none` is refused by Cassandra, or would lose rows. */
  readonly fix: 'create' | 'migrate' | 'none'
  /** Whether rows cannot be written like this. */
  readonly stopsWriting: boolean
}

/** A table or column of somebody else: left as it is. */
export interface Extra {
  readonly table: string
  readonly column: string | null
}

export interface Versions {
  /** The highest that was noted in the keyspace; null where none was. */
  readonly found: number | null
  /** That of this coinpipe. */
  readonly wanted: number
}

/**
 * Compares what is there with what is wanted. Of options only those that we set; of compaction only the settings that we give; of replication only the class
 * and our data centre. `versioned` are the tables whose rows carry small numbers as write timestamps.
 */
export function differences(
  live: LiveKeyspace | null,
  wanted: KeyspaceShape,
  versions: Versions,
  versioned: ReadonlySet<string>,
): readonly Difference[] {
  if (live === null) return [missing({table: null, what: 'keyspace', name: wanted.name}, wanted.name, 'create')]
  const tables = new Map(live.tables.map((table) => [table.name, table]))
  return [
    ...replicationDifference(live, wanted),
    ...versionDifference(versions),
    ...wanted.tables.flatMap((table) => {
      const found = tables.get(table.name)
      if (found) return tableDifferences(found, table, versioned.has(table.name))
      return [missing({table: table.name, what: 'table', name: table.name}, primaryKey(table), 'create')]
    }),
  ]
}

/** Tables and columns that we do not know. Those of a table whose primary key differs are not among them: that is said already. */
export function extras(live: LiveKeyspace | null, wanted: KeyspaceShape): readonly Extra[] {
  const known = new Map(wanted.tables.map((table) => [table.name, table]))
  return (live?.tables ?? []).flatMap((table): Extra[] => {
    const ours = known.get(table.name)
    if (ours === undefined) return [{table: table.name, column: null}]
    if (primaryKey(ours) !== primaryKey(table)) return []
    const names = new Set(ours.columns.map(({name}) => name))
    return table.columns.filter(({name}) => !names.has(name)).map(({name}) => ({table: table.name, column: name}))
  })
}

function missing(
  {table, what, name}: Pick<Difference, 'table' | 'what' | 'name'>,
  wanted: string,
  fix: Difference['fix'],
  stopsWriting = true,
): Difference {
  return {table, what, name, found: null, wanted, fix, stopsWriting}
}

function replicationDifference(live: KeyspaceShape, wanted: KeyspaceShape): Difference[] {
  if (Object.entries(wanted.replication).every(([key, value]) => live.replication[key] === value)) return []
  const [found, asked] = [map(live.replication), map(wanted.replication)]
  return [{table: null, what: 'replication', name: 'replication', found, wanted: asked, fix: 'migrate', stopsWriting: false}]
}

function versionDifference({found, wanted}: Versions): Difference[] {
  if (found === wanted) return []
  const isNewer = found !== null && found > wanted
  const fix = isNewer ? 'none' : 'migrate'
  return [
    {
      table: null,
      what: 'version',
      name: 'version',
      found: found === null ? null : String(found),
      wanted: String(wanted),
      fix,
      stopsWriting: isNewer,
    },
  ]
}

function tableDifferences(live: LiveTable, wanted: TableShape, isVersioned: boolean): Difference[] {
  return [
    ...keyDifferences(live, wanted),
    ...wanted.columns.flatMap((column) => columnDifference(live, column, isVersioned)),
    ...optionDifferences(live, wanted),
  ]
}

function keyDifferences(live: TableShape, wanted: TableShape): Difference[] {
  const table = wanted.name
  const [found, asked] = [primaryKey(live), primaryKey(wanted)]
  if (found !== asked) return [{table, what: 'primary key', name: 'primary key', found, wanted: asked, fix: 'none', stopsWriting: true}]
  const [order, askedOrder] = [clusteringOrder(live), clusteringOrder(wanted)]
  if (order === askedOrder) return []
  const what = 'clustering order'
  return [{table, what, name: what, found: order, wanted: askedOrder, fix: 'none', stopsWriting: false}]
}

function clusteringOrder(table: TableShape): string {
  return keyColumns(table, 'clustering')
    .map(({name, order}) => `${name} ${order}`)
    .join(', ')
}

function columnDifference(live: LiveTable, wanted: ColumnShape, isVersioned: boolean): Difference[] {
  const {name, type} = wanted
  const table = live.name
  const found = live.columns.find((column) => column.name === name)
  if (found === undefined) {
    // A missing column of the key is a primary key that differs.
    if (wanted.kind !== 'regular') return []
    // Cassandra hides cells whose timestamp is not after the drop: all that such a table would ever write.
    const isHidden = isVersioned && live.dropped.includes(name)
    return [missing({table, what: 'column', name}, type, isHidden ? 'none' : 'migrate')]
  }
  const foundType = found.kind === 'static' ? `static ${found.type}` : found.type
  return foundType === type ? [] : [{table, what: 'type', name, found: foundType, wanted: type, fix: 'none', stopsWriting: true}]
}

/** Settings of compaction one by one. */
function optionDifferences(live: TableShape, wanted: TableShape): Difference[] {
  const [found, asked] = [settingsOf(live.options), settingsOf(wanted.options)]
  return Object.entries(asked)
    .filter(([name, value]) => found[name] !== value)
    .map(([name, value]) => {
      const {name: table} = wanted
      return {table, what: 'option', name, found: found[name] ?? null, wanted: value, fix: 'migrate', stopsWriting: false}
    })
}

function settingsOf({compaction, ...options}: OptionsShape): Readonly<Record<string, string>> {
  const settings = Object.entries(compaction).map(([key, value]) => [`compaction.${key}`, value])
  return Object.fromEntries([...Object.entries(options).map(([name, value]) => [name, String(value)]), ...settings])
}
