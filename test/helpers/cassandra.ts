import {randomBytes} from 'node:crypto'
import {inject, onTestFinished} from 'vitest'
import {CASSANDRA_DEFAULTS, type CassandraOptions, TABLE_DEFAULTS, type TableOptions} from '../../src/lib/store/cassandra/options.ts'
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

export function keyspaceName(): string {
  return `test_${randomBytes(6).toString('hex')}`
}

export async function dropKeyspace(keyspace: string): Promise<void> {
  const session = new CassandraSession(cassandraOptions(), testContext())
  await session.connect()
  try {
    await session.change(`DROP KEYSPACE IF EXISTS ${keyspace}`)
  } finally {
    await session.close()
  }
}
