/** Sinks of kind `cassandra`. Their defaults are those of the room that writes to Cassandra; a test compares the two. */

import {z} from 'zod'
import {RECORD_TYPES, type RecordType} from '../core/records.ts'
import {BUCKETS, CONSISTENCIES, READ_CONSISTENCIES} from './catalogue.ts'
import {FIXED_META} from './json-schema.ts'
import {isTree, type Tree} from './path.ts'
import {SECRET_FORMS} from './secrets.ts'
import {tlsOf} from './tls.ts'
import {duration, durationOf, durationOfOrForever, host, keyspaceName, nonEmpty, SECRET_META, secret, size, whole} from './values.ts'

const SECOND = 1000
const MINUTE = 60 * SECOND
const DAY = 24 * 60 * MINUTE
/** Cassandra refuses a TTL of more than 20 years. */
const LONGEST_TTL = 20 * 365 * DAY

const ttl = () => durationOfOrForever(SECOND, SECOND, LONGEST_TTL)

const ttlOf = z
  .strictObject(byRecordType((type) => ttl().optional().describe(`How long rows of \`${type}\` are kept. Default: \`ttl\`.`)))
  .prefault({})
  .describe('How long rows of a record type are kept, in place of `ttl`.')

function byRecordType<T>(make: (type: RecordType) => T) {
  return Object.fromEntries(RECORD_TYPES.map((type) => [type, make(type)])) as Record<RecordType, T>
}

export const cassandraSink = z
  .strictObject({
    kind: z.literal('cassandra').meta({...FIXED_META, description: 'Apache Cassandra, or what speaks its protocol.'}),
    hosts: z
      .array(host())
      .default([])
      .describe('Nodes to ask first; the others are learnt from them. Default: the one local cluster that runs.'),
    port: whole(1, 65_535).default(9042).describe('Port of nodes that are named without one.'),
    localDatacenter: nonEmpty('the name of a data centre')
      .default('datacenter1')
      .describe('Data centre whose nodes are asked; the others get their copies from Cassandra.'),
    keyspace: keyspaceName().default('coinpipe').describe('Keyspace of the tables.'),
    replicas: whole(1, 9).default(2).describe('Copies of each row in the local data centre, in a keyspace that we create.'),
    ttl: ttl().prefault('1h').describe('How long rows are kept: a duration, or `forever`.'),
    ttlOf,
    gcGrace: durationOf(SECOND, 0, LONGEST_TTL)
      .prefault('3h')
      .describe('How long expired rows stay on disk at least, and how long nodes keep what another one missed while it was down.'),
    window: durationOf(MINUTE, MINUTE, 365 * DAY)
      .prefault('5m')
      .describe('Rows of so much time are compacted together and dropped as a whole; a TTL should be 50 windows or fewer.'),
    bucket: z.enum(BUCKETS).default('hour').describe('How much time one partition holds.'),
    consistency: z.enum(CONSISTENCIES).default('one').describe('Replicas that must have a row before it counts as written.'),
    readConsistency: z.enum(READ_CONSISTENCIES).default('one').describe('Replicas that are asked by queries and the live page.'),
    username: nonEmpty('a user name').optional().describe('User name, where Cassandra asks for one.'),
    password: secret()
      .meta({...SECRET_META, description: `Password: ${SECRET_FORMS}.`})
      .optional(),
    tls: tlsOf('Cassandra nodes').optional(),
    bookLevels: whole(1, 1000).default(15).describe('Levels kept of each side of an order book.'),
    batchRows: whole(1, 5000).default(100).describe('Most rows of one partition in one request.'),
    linger: duration().prefault('20ms').describe('Longest wait for more rows of the same partition; 0ms sends at once.'),
    maxInFlight: size().prefault('32MiB').describe('Most bytes of rows that are being written; more wait on the bus.'),
    deadline: duration().prefault('30s').describe('How long a row is tried before its batch starts over.'),
    requestTimeout: duration().prefault('3s').describe('How long a node may take to answer.'),
    connectTimeout: duration().prefault('5s').describe('How long a node may take to let us in.'),
    speculative: duration().optional().describe('Ask a second replica too, once the first has taken so long. Default: never.'),
  })
  .describe('Apache Cassandra.')

/** Durations are milliseconds, sizes bytes. */
export type CassandraSinkConfig = z.output<typeof cassandraSink>

/** Name of the sink that commands use where the config has none of kind `cassandra`: variables and flags can set it up. */
export const IMPLICIT_CASSANDRA = 'cassandra'

/** The config, with the implicit sink where it has none of kind `cassandra`. */
export function withImplicitCassandra<C extends {readonly sinks: Readonly<Record<string, unknown>>}>(config: C): C {
  if (!cassandraNames(config).includes(IMPLICIT_CASSANDRA) || Object.hasOwn(config.sinks, IMPLICIT_CASSANDRA)) return config
  return {...config, sinks: {...config.sinks, [IMPLICIT_CASSANDRA]: cassandraSink.parse({kind: 'cassandra'})}}
}

/** Names of the sinks of kind `cassandra` in a file's tree; the implicit one where there is none. */
export function cassandraNames({sinks}: Tree): readonly string[] {
  const entries = isTree(sinks) ? Object.entries(sinks) : []
  const named = entries.filter(([, sink]) => isTree(sink) && sink.kind === 'cassandra').map(([name]) => name)
  return named.length > 0 || entries.some(([name]) => name === IMPLICIT_CASSANDRA) ? named : [IMPLICIT_CASSANDRA]
}
