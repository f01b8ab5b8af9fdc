import {CoinpipeError, type ErrorDetails, EXIT} from '../../core/errors.ts'

/** No node of the cluster could be reached. */
export class CassandraUnreachableError extends CoinpipeError {
  readonly code = 'COINPIPE_CASSANDRA_UNREACHABLE'
  constructor(message: string, details: ErrorDetails = {}) {
    super(message, {
      retry: {kind: 'later'},
      remedy: ['see whether it runs: coinpipe cluster status', 'or name other nodes: --hosts <address,…>'],
      ...details,
    })
  }
}

/** The cluster did not answer in time, has too few replicas up for the consistency level, or asks for less. What was asked may or may not have happened. */
export class CassandraBusyError extends CoinpipeError {
  readonly code = 'COINPIPE_CASSANDRA_BUSY'
  constructor(message: string, details: ErrorDetails = {}) {
    super(message, {
      retry: {kind: 'later'},
      remedy: [
        'look at the nodes: coinpipe cluster status',
        'or ask for fewer replicas: consistency (of writes) or readConsistency of the sink in coinpipe.yaml',
      ],
      ...details,
    })
  }
}

/** User or password were refused, or the user may not do this. */
export class CassandraAuthError extends CoinpipeError {
  readonly code = 'COINPIPE_CASSANDRA_AUTH'
  constructor(message: string, details: ErrorDetails = {}) {
    super(message, {
      remedy: ['check username and password of the sink in coinpipe.yaml'],
      ...details,
    })
  }
}

/** The keyspace or a table is missing or of another shape than this coinpipe writes. */
export class CassandraSchemaError extends CoinpipeError {
  readonly code = 'COINPIPE_CASSANDRA_SCHEMA'
  constructor(message: string, details: ErrorDetails = {}) {
    super(message, {
      exitCode: EXIT.usage,
      remedy: ['see what differs: coinpipe tables diff cassandra', 'make what is missing: coinpipe tables create cassandra'],
      ...details,
    })
  }
}

/** Cassandra refused a request for what it is; trying again will not help. */
export class CassandraRequestError extends CoinpipeError {
  readonly code = 'COINPIPE_CASSANDRA_REQUEST'
}

/** A record that the tables cannot hold: it goes to the dead-letter topic. */
export class CassandraRecordError extends CoinpipeError {
  readonly code = 'COINPIPE_CASSANDRA_RECORD'
  constructor(message: string, details: ErrorDetails = {}) {
    super(message, {exitCode: EXIT.wrong, remedy: ['it is kept in the dead-letter topic, with this reason: coinpipe dlq list'], ...details})
  }
}
