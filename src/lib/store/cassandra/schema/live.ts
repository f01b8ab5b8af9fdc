import type {CassandraSession, Row} from '../session.ts'
import type {ColumnShape, KeyspaceShape, TableShape} from './shape.ts'

/** A keyspace that is there. */
export interface LiveKeyspace extends KeyspaceShape {
  readonly tables: readonly LiveTable[]
  /** When its row in system_schema was written, microseconds. */
  readonly writtenUs: string
}

export interface LiveTable extends TableShape {
  readonly id: string
  /** Columns that it had once. */
  readonly dropped: readonly string[]
}

const COMPACTION_PACKAGE = /^org\.apache\.cassandra\.(db\.compaction|locator)\./

/** Null where there is no such keyspace. */
export async function readKeyspace(session: CassandraSession, keyspace: string): Promise<LiveKeyspace | null> {
  const [[found], tables, columns, dropped] = await Promise.all([
    session.query('SELECT replication, writetime(replication) AS written FROM system_schema.keyspaces WHERE keyspace_name = ?', [keyspace]),
    session.query('SELECT * FROM system_schema.tables WHERE keyspace_name = ?', [keyspace]),
    session.query('SELECT * FROM system_schema.columns WHERE keyspace_name = ?', [keyspace]),
    session.query('SELECT table_name, column_name FROM system_schema.dropped_columns WHERE keyspace_name = ?', [keyspace]),
  ])
  if (found === undefined) return null
  const of = (rows: readonly Row[], table: string) => rows.filter((row) => row.table_name === table)
  return {
    name: keyspace,
    replication: shortClass(found.replication),
    writtenUs: String(found.written),
    tables: tables.map((row) => ({
      name: row.table_name,
      id: String(row.id),
      columns: of(columns, row.table_name).map(columnShape),
      dropped: of(dropped, row.table_name).map((row) => row.column_name),
      options: {
        comment: row.comment ?? '',
        default_time_to_live: row.default_time_to_live ?? 0,
        gc_grace_seconds: row.gc_grace_seconds,
        read_repair: row.read_repair,
        compaction: shortClass(row.compaction),
      },
    })),
  }
}

function columnShape({column_name, type, kind, position, clustering_order}: Row): ColumnShape {
  return {name: column_name, type, kind, position, order: clustering_order}
}

/** Cassandra writes classes with their package, people without. */
function shortClass(map: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return {...map, class: String(map.class).replace(COMPACTION_PACKAGE, '')}
}
