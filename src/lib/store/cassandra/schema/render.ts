import {type ColumnShape, keyColumns, type OptionsShape, type TableShape} from './shape.ts'

export function createKeyspace(keyspace: string, replication: Readonly<Record<string, string>>): string {
  return `CREATE KEYSPACE IF NOT EXISTS ${keyspace} WITH replication = ${map(replication)} AND durable_writes = true`
}

export function alterKeyspace(keyspace: string, replication: Readonly<Record<string, string>>): string {
  return `ALTER KEYSPACE ${keyspace} WITH replication = ${map(replication)}`
}

/** `id` is what Cassandra knows the table by: two that create it at once must give the same. */
export function createTable(keyspace: string, table: TableShape, id: string): string {
  const clustering = keyColumns(table, 'clustering')
  const order = clustering.map(({name, order}) => `${name} ${order.toUpperCase()}`).join(', ')
  const lines = [...table.columns.map(declaration), `PRIMARY KEY ${primaryKey(table)}`]
  const options = [
    `ID = ${id}`,
    ...(clustering.length === 0 ? [] : [`CLUSTERING ORDER BY (${order})`]),
    ...Object.entries(table.options).map(([name, value]) => option(name, value)),
  ]
  return `CREATE TABLE IF NOT EXISTS ${keyspace}.${table.name} (\n  ${lines.join(',\n  ')}\n) WITH ${options.join('\n  AND ')}`
}

export function addColumns(keyspace: string, table: string, columns: readonly ColumnShape[]): string {
  return `ALTER TABLE ${keyspace}.${table} ADD IF NOT EXISTS (${columns.map(declaration).join(', ')})`
}

export function alterOptions(keyspace: string, table: string, options: Partial<OptionsShape>): string {
  const changes = Object.entries(options).map(([name, value]) => option(name, value))
  return `ALTER TABLE ${keyspace}.${table} WITH ${changes.join(' AND ')}`
}

/** `((exchange, symbol, bucket_hour), event_time, id)` */
export function primaryKey(table: TableShape): string {
  const names = (kind: 'partition_key' | 'clustering') => keyColumns(table, kind).map(({name}) => name)
  return `(${[`(${names('partition_key').join(', ')})`, ...names('clustering')].join(', ')})`
}

function declaration({name, type}: ColumnShape): string {
  return `${name} ${type}`
}

function option(name: string, value: string | number | Readonly<Record<string, string>>): string {
  if (typeof value === 'number') return `${name} = ${value}`
  return `${name} = ${typeof value === 'string' ? quoted(value) : map(value)}`
}

export function map(values: Readonly<Record<string, string>>): string {
  const entries = Object.entries(values).map(([key, value]) => `${quoted(key)}: ${quoted(value)}`)
  return `{${entries.join(', ')}}`
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "''")}'`
}
