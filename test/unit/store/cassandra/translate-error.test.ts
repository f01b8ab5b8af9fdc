import cassandra from 'cassandra-driver'
import {describe, expect, it} from 'vitest'
import {EXIT, isRetryable} from '../../../../src/lib/core/errors.ts'
import {
  CassandraAuthError,
  CassandraBusyError,
  CassandraRequestError,
  CassandraSchemaError,
} from '../../../../src/lib/store/cassandra/errors.ts'
import {CASSANDRA_DEFAULTS} from '../../../../src/lib/store/cassandra/options.ts'
import {isRowsFault, isUnprepared, translateCassandraError} from '../../../../src/lib/store/cassandra/translate-error.ts'

const {errors, types} = cassandra
const CODES = types.responseErrorCodes
const INVALID = CODES.invalid

function answer(code: number, message: string): Error {
  return new errors.ResponseError(code, message)
}

function translated(error: Error): unknown {
  return translateCassandraError(error, 'write 2 rows of trade_by_symbol', {...CASSANDRA_DEFAULTS, hosts: ['10.0.0.1']})
}

describe('what Cassandra answers', () => {
  it.each([
    ['server', CODES.serverError],
    ['unavailable', CODES.unavailableException],
    ['overloaded', CODES.overloaded],
    ['bootstrapping', CODES.isBootstrapping],
    ['write timeout', CODES.writeTimeout],
    ['write failure', CODES.writeFailure],
    ['no room for change data capture', 0x1600],
  ])('is tried again: %s', (name, code) => {
    const error = translated(answer(code, name))
    expect(error).toBeInstanceOf(CassandraBusyError)
    expect(isRetryable(error)).toBe(true)
    expect(isRowsFault(error)).toBe(false)
  })

  it('is about rows where it says nothing of the tables or the nodes', () => {
    expect(isRowsFault(translated(answer(INVALID, 'Batch too large')))).toBe(true)
    expect(isRowsFault(translated(answer(INVALID, 'Key length of 70000 is longer than maximum of 65535')))).toBe(true)
    expect(
      isRowsFault(translated(answer(CODES.serverError, 'Mutation of 17000000 bytes is too large for the maximum size of 16777216'))),
    ).toBe(true)
    expect(isRowsFault(translated(answer(CODES.syntaxError, 'line 1:0 no viable alternative')))).toBe(false)
  })

  it.each([
    'Request on table k.market with default ttl of 473040000 seconds exceeds maximum supported expiration date of 2038-01-19T03:14:06+00:00.',
    'Guardrail write_consistency_levels violated: Provided values [ONE] are not allowed for write_consistency_levels',
  ])('is about settings, not about rows, where all rows share it: %s', (message) => {
    const error = translated(answer(INVALID, message))
    expect(isRowsFault(error)).toBe(false)
    expect(error).toMatchObject({retry: {kind: 'never'}, exitCode: EXIT.usage, remedy: [expect.any(String), expect.any(String)]})
    expect(error).toBeInstanceOf(CassandraRequestError)
  })

  it('names tables and columns that are not there', () => {
    for (const message of [
      'unconfigured table trade_by_symbol',
      'Undefined column name price in table k.t',
      "keyspace 'k' does not exist",
    ]) {
      expect(translated(answer(INVALID, message))).toBeInstanceOf(CassandraSchemaError)
    }
  })

  it('is no refusal while those who know the users do not answer', () => {
    expect(translated(answer(CODES.unauthorized, 'User u has no MODIFY permission'))).toBeInstanceOf(CassandraAuthError)
    expect(translated(answer(CODES.badCredentials, 'Provided username u and/or password are incorrect'))).toBeInstanceOf(CassandraAuthError)
    const undecided = 'Unable to perform authorization of permissions: Cannot achieve consistency level LOCAL_ONE'
    expect(translated(answer(CODES.unauthorized, undecided))).toBeInstanceOf(CassandraBusyError)
    const unread = 'Unable to perform authentication: Cannot achieve consistency level LOCAL_QUORUM'
    expect(translated(new errors.NoHostAvailableError({'10.0.0.1:9042': new errors.AuthenticationError(unread)}))).toBeInstanceOf(
      CassandraBusyError,
    )
  })

  it('is tried again where no node could prepare a statement anew: the table may be there', () => {
    const error = translated(new errors.NoHostAvailableError({'10.0.0.1:9042': answer(CODES.unprepared, 'Prepared query not found')}))
    expect(isUnprepared(error)).toBe(true)
    expect(isRetryable(error)).toBe(true)
    expect(isUnprepared(translated(answer(CODES.overloaded, 'too much')))).toBe(false)
  })
})
