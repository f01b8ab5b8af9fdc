import {describe, expect, it} from 'vitest'
import {
  CassandraBusyError,
  CassandraRequestError,
  CassandraSchemaError,
  CassandraUnreachableError,
} from '../../../../src/lib/store/cassandra/errors.ts'
import {causeOfOutage} from '../../../../src/lib/store/cassandra/outage-cause.ts'

const BUSY = new CassandraBusyError('nobody took the rows')

function tables(answer: Error | null) {
  let asked = 0
  const check = async () => {
    asked += 1
    if (answer) throw answer
  }
  return {check, asked: () => asked}
}

describe('the cause of an outage', () => {
  it('is that the tables are gone, where they are', async () => {
    const gone = new CassandraSchemaError('there is no keyspace')
    expect(await causeOfOutage(BUSY, tables(gone))).toBe(gone)
  })

  it('is what the nodes said, where the tables are there or nobody can tell', async () => {
    expect(await causeOfOutage(BUSY, tables(null))).toBe(BUSY)
    expect(await causeOfOutage(BUSY, tables(new CassandraUnreachableError('nobody answers')))).toBe(BUSY)
  })

  it('is not looked for where another attempt would not help anyway', async () => {
    const wrong = new CassandraRequestError('wrong')
    const {check, asked} = tables(null)
    expect(await causeOfOutage(wrong, {check})).toBe(wrong)
    expect(asked()).toBe(0)
  })
})
