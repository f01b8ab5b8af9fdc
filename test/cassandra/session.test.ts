import {expect, it} from 'vitest'
import {CassandraTables} from '../../src/lib/store/cassandra/schema/cassandra-tables.ts'
import {cassandraUnderTest, keyspaceForTest, openSession, tableOptions, tablesForTest} from '../helpers/cassandra.ts'
import {testContext} from '../helpers/context.ts'

it('connects, and knows every node', async () => {
  const session = await openSession()
  expect(session.nodes()).toMatchObject(
    cassandraUnderTest().hosts.map((host) => ({address: expect.stringContaining(host), datacenter: 'datacenter1', up: true})),
  )
  await session.check()
})

it('finds the tables that were made for a test', async () => {
  const keyspace = await tablesForTest()
  const session = await openSession({keyspace})
  await new CassandraTables(session, tableOptions(), testContext()).check()
})

it('gives page after page', async () => {
  const session = await openSession()
  const keyspace = keyspaceForTest()
  await session.change(`CREATE KEYSPACE ${keyspace} WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}`)
  await session.change(`CREATE TABLE ${keyspace}.numbers (part int, number int, PRIMARY KEY (part, number))`)
  for (let number = 0; number < 25; number += 1) {
    await session.query(`INSERT INTO ${keyspace}.numbers (part, number) VALUES (1, ?)`, [number])
  }
  const pages = await Array.fromAsync(session.pages(`SELECT number FROM ${keyspace}.numbers WHERE part = 1`, [], {fetchSize: 10}))
  expect(pages.map((page) => page.length)).toEqual([10, 10, 5])
  expect(pages.flat().map((row) => row.get('number'))).toEqual(Array.from({length: 25}, (_, number) => number))
})
