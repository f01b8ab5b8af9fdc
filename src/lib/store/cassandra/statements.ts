import {type Column, isIndex, type Table} from './tables.ts'

/** What a row is written with besides its columns, in the order of its values. */
export interface Using {
  /** Microseconds, or any number that rises with each newer state. */
  readonly timestamp: boolean
  readonly ttl: boolean
}

/** How rows of a table are written: states say how new they are; a TTL is only given where it may not be the table's own. */
export function usingOf(table: Table, {ttl}: {readonly ttl: boolean}): Using {
  return {timestamp: table.kind === 'state', ttl: ttl || isIndex(table.record)}
}

/** The values of a row: partition key, clustering key, other columns, then timestamp and TTL. */
export function insertStatement(keyspace: string, table: Table, using: Using): string {
  const columns = columnsOf(table)
  const clauses = [using.timestamp ? 'TIMESTAMP ?' : '', using.ttl ? 'TTL ?' : ''].filter((clause) => clause !== '')
  const suffix = clauses.length === 0 ? '' : ` USING ${clauses.join(' AND ')}`
  return `INSERT INTO ${keyspace}.${table.name} (${names(columns)}) VALUES (${columns.map(() => '?').join(', ')})${suffix}`
}

export function valueCount(table: Table, using: Using): number {
  return columnsOf(table).length + Number(using.timestamp) + Number(using.ttl)
}

function columnsOf({partition, clustering, columns}: Table): readonly Column[] {
  return [...partition, ...clustering, ...columns]
}

function names(columns: readonly Column[]): string {
  return columns.map(({name}) => name).join(', ')
}
