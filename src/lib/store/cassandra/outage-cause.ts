import {isRetryable} from '../../core/errors.ts'
import {CassandraSchemaError} from './errors.ts'
import type {CassandraTables} from './schema/cassandra-tables.ts'

/**
 * What to say of rows that could not be written for so long: their error, or a CassandraSchemaError where the tables are gone. Nodes that do not agree on the
 * tables yet answer only that they are busy, and would be asked for ever.
 */
export async function causeOfOutage(error: unknown, tables: Pick<CassandraTables, 'check'>): Promise<unknown> {
  if (!isRetryable(error)) return error
  try {
    await tables.check()
    return error
  } catch (cause) {
    return cause instanceof CassandraSchemaError ? cause : error
  }
}
