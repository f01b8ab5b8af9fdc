import {CassandraSchemaError} from '../errors.ts'
import type {TablesDiff} from './cassandra-tables.ts'
import type {Difference} from './diff.ts'

type Refusable = Pick<TablesDiff, 'keyspace' | 'version' | 'differences'>

/** Throws CassandraSchemaError where the tables were made by a newer coinpipe. */
export function refuseNewer({keyspace, version: {found, wanted}}: Refusable): void {
  if (found === null || found <= wanted) return
  throw new CassandraSchemaError(`the tables in keyspace '${keyspace}' are of version ${found}, and this coinpipe knows ${wanted}`, {
    remedy: ['use the newer coinpipe that made them', 'or another keyspace: --keyspace <name>'],
  })
}

/** Throws CassandraSchemaError for what no ALTER mends. */
export function refuseUnfixable({keyspace, differences}: Refusable): void {
  const unfixable = differences.filter(({fix}) => fix === 'none')
  if (unfixable.length === 0) return
  throw new CassandraSchemaError(`keyspace '${keyspace}' cannot be changed to what is wanted: ${unfixable.map(sentence).join('; ')}`, {
    remedy: [
      'make the tables in another keyspace, and keep this one until its rows have expired: coinpipe tables create cassandra --keyspace <name>',
      'or keep what is there: set the config to it (bucket of the sink)',
      'or, where its rows may go, drop the table in cqlsh and run: coinpipe tables create cassandra',
    ],
  })
}

/** Throws CassandraSchemaError for all that rows cannot be written to. */
export function refuseUnwritable(diff: Refusable): void {
  refuseNewer(diff)
  const {keyspace, differences} = diff
  const stopping = differences.filter(({stopsWriting}) => stopsWriting)
  if (stopping.length === 0) return
  const remedy = [
    'see what differs: coinpipe tables diff cassandra',
    ...(stopping.some(({fix}) => fix === 'create') ? ['make what is missing: coinpipe tables create cassandra'] : []),
    ...(stopping.some(({fix}) => fix === 'migrate') ? ['add what is missing: coinpipe tables migrate cassandra'] : []),
    ...(stopping.some(({fix}) => fix === 'none') ? ['or write to another keyspace: --keyspace <name>'] : []),
  ]
  throw new CassandraSchemaError(`rows cannot be written to keyspace '${keyspace}': ${stopping.map(sentence).join('; ')}`, {remedy})
}

/** One difference as part of a sentence. */
function sentence({table, what, name, found, wanted}: Difference): string {
  if (what === 'keyspace') return 'it is not there'
  if (what === 'table') return `table ${name} is missing`
  const where = table === null ? '' : `${table}: `
  if (what === 'column' || what === 'type') {
    return found === null ? `${where}column ${name} ${wanted} is missing` : `${where}column ${name} is ${found}, not ${wanted}`
  }
  return `${where}${name} is ${found ?? 'missing'}, not ${wanted}`
}
