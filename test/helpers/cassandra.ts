import {randomBytes} from 'node:crypto'
import {afterAll, beforeAll, inject, onTestFinished} from 'vitest'
import {CASSANDRA_DEFAULTS, type CassandraOptions, TABLE_DEFAULTS, type TableOptions} from '../../src/lib/store/cassandra/options.ts'
import {CassandraTables} from '../../src/lib/store/cassandra/schema/cassandra-tables.ts'
import {CassandraSession} from '../../src/lib/store/cassandra/session.ts'
import {testContext} from './context.ts'

/** The node or nodes that the suite runs on. */
export interface CassandraUnderTest {
  readonly hosts: readonly string[]
  /** Null on nodes that the tests did not start. */
  readonly own: {readonly name: string; readonly dataDir: string} | null
}

declare module 'vitest' {
  export interface ProvidedContext {
    cassandra: CassandraUnderTest
  }
}

export function cassandraUnderTest(): CassandraUnderTest {
  return inject('cassandra')
}

/** Options as a user would have them, for the nodes under test. */
export function cassandraOptions(changes: Partial<CassandraOptions> = {}): CassandraOptions {
  return {...CASSANDRA_DEFAULTS, hosts: cassandraUnderTest().hosts, ...changes}
}

/** The tables that users get, with one copy of each row. */
export function tableOptions(changes: Partial<TableOptions> = {}): TableOptions {
  return {...TABLE_DEFAULTS, replicas: 1, ...changes}
}

/** A connection that is closed when the test is over. */
export async function openSession(changes: Partial<CassandraOptions> = {}): Promise<CassandraSession> {
  const session = new CassandraSession(cassandraOptions(changes), testContext())
  await session.connect()
  onTestFinished(() => session.close())
  return session
}

/** The name of a keyspace that is not there yet; it is dropped when the test is over. */
export function keyspaceForTest(): string {
  const keyspace = keyspaceName()
  onTestFinished(() => dropKeyspace(keyspace))
  return keyspace
}

/** A keyspace of this test's own with all tables. */
export async function tablesForTest(changes: Partial<TableOptions> = {}): Promise<string> {
  const keyspace = keyspaceForTest()
  await createTables(keyspace, changes)
  return keyspace
}

/** A keyspace with all tables that the tests of a file share. */
export function tablesForFile(changes: Partial<TableOptions> = {}): () => string {
  const keyspace = keyspaceName()
  beforeAll(() => createTables(keyspace, changes))
  afterAll(() => dropKeyspace(keyspace))
  return () => keyspace
}

async function createTables(keyspace: string, changes: Partial<TableOptions>): Promise<void> {
  await withSession({keyspace}, async (session) => {
    await new CassandraTables(session, tableOptions(changes), testContext()).create()
  })
}

function keyspaceName(): string {
  return `test_${randomBytes(6).toString('hex')}`
}

/** On a cluster of the tests' own it goes with the nodes: one that was just killed or paused would hold up their agreement. */
async function dropKeyspace(keyspace: string): Promise<void> {
  const {own, hosts} = cassandraUnderTest()
  if (own !== null && hosts.length > 1) return
  await withSession({}, (session) => session.change(`DROP KEYSPACE IF EXISTS ${keyspace}`))
}

async function withSession(changes: Partial<CassandraOptions>, work: (session: CassandraSession) => Promise<void>): Promise<void> {
  const session = new CassandraSession(cassandraOptions(changes), testContext())
  await session.connect()
  try {
    await work(session)
  } finally {
    await session.close()
  }
}
