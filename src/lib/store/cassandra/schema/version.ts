import {CassandraBusyError} from '../errors.ts'
import type {CassandraSession, QueryOptions} from '../session.ts'
import type {LiveKeyspace} from './live.ts'

const TABLE = 'schema_version'
const NAME = 'tables'

/** The highest version of the tables that was noted in the keyspace; null where none was. */
export async function readVersion(session: CassandraSession, live: LiveKeyspace | null): Promise<number | null> {
  const table = live?.tables.find(({name}) => name === TABLE)
  if (live === null || table === undefined || !table.columns.some(({name}) => name === 'version')) return null
  const query = `SELECT max(version) AS version FROM ${live.name}.${TABLE} WHERE name = ?`
  const [row] = await withMostReplicas((options) => session.query(query, [NAME], options))
  return row?.version ?? null
}

/** Notes what was done, as a line each. `nowMs` since the epoch. */
export async function writeVersion(
  session: CassandraSession,
  keyspace: string,
  version: number,
  changes: readonly string[],
  nowMs: number,
): Promise<void> {
  const query = `INSERT INTO ${keyspace}.${TABLE} (name, version, applied_at, changes) VALUES (?, ?, ?, ?)`
  await withMostReplicas((options) => session.query(query, [NAME, version, new Date(nowMs), changes.join('\n')], options))
}

/** Asks a majority; where there is none, as with fewer nodes than replicas, one that has it. */
async function withMostReplicas<T>(ask: (options: QueryOptions) => Promise<T>): Promise<T> {
  try {
    return await ask({consistency: 'local_quorum'})
  } catch (error) {
    if (error instanceof CassandraBusyError) return ask({consistency: 'one'})
    throw error
  }
}
