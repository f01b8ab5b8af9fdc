import type {Config} from '../config/load.ts'
import type {Context} from '../core/context.ts'
import {CassandraTables} from '../store/cassandra/schema/cassandra-tables.ts'
import {checkTableOptions} from '../store/cassandra/schema/options-check.ts'
import {cassandraSettings, withCassandraSession} from './cassandra.ts'

export type {TablesCreated, TablesDiff, TablesMigrated} from '../store/cassandra/schema/cassandra-tables.ts'
export type {Difference} from '../store/cassandra/schema/diff.ts'

/** Opens the tables of a sink for as long as `use` runs; `sink` as `cassandraSettings` takes it. Bad options are refused before anything is connected. */
export async function withTables<T>(
  config: Config,
  sink: {readonly sink?: string | undefined},
  context: Context,
  use: (tables: CassandraTables) => Promise<T>,
): Promise<T> {
  const settings = cassandraSettings(config, sink)
  checkTableOptions(settings.options.keyspace, settings.tables)
  return withCassandraSession(settings, context, (session) => use(new CassandraTables(session, settings.tables, context)))
}
