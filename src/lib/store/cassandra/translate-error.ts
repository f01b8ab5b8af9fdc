import {CoinpipeError, type ErrorDetails, EXIT, InvalidInputError} from '../../core/errors.ts'
import {CassandraAuthError, CassandraBusyError, CassandraRequestError, CassandraSchemaError, CassandraUnreachableError} from './errors.ts'
import type {CassandraOptions} from './options.ts'

/** What servers answer, by the number of the CQL protocol (section 9 of its specification). */
const SERVER_ERRORS: Readonly<Record<number, 'busy' | 'auth' | 'request'>> = {
  0: 'busy',
  256: 'auth',
  4096: 'busy',
  4097: 'busy',
  4098: 'busy',
  4099: 'busy',
  4352: 'busy',
  4608: 'busy',
  4864: 'busy',
  5376: 'busy',
  5632: 'busy',
  8448: 'auth',
}

const INVALID = 0x2200
const UNPREPARED = 0x2500
/** A mutation of more than half a commit log segment is answered as an error of the server. */
const TOO_LARGE = /too large for the maximum size/i

/** What is invalid about each row alike, because of how the tables were made or what the nodes are set to. */
const TTL_TOO_LONG = /exceeds maximum supported expiration date/i
const FORBIDDEN = /guardrail (write_consistency_levels|user_timestamps)/i
/** Nodes that hold users and permissions are down: neither a yes nor a no. */
const UNDECIDED = /unable to perform auth/i

const SHOWN_STATEMENT = 120
/** Servers say it in words only. */
const MISSING = /unconfigured table|table \S+ does not exist|keyspace .* does not exist|Undefined column name|Unknown identifier/i

interface DriverError extends Error {
  /** Of an answer of the server. */
  readonly code?: number
  readonly innerErrors?: Readonly<Record<string, Error | string>>
}

/** Errors of the driver in our words, each with whether trying again may help. Others pass through: they are bugs. */
export function translateCassandraError(error: unknown, what: string, options: CassandraOptions): unknown {
  if (error instanceof CoinpipeError || !(error instanceof Error)) return error
  const {name, message, code} = error as DriverError
  const cause = {cause: error}
  const doing = what.length > SHOWN_STATEMENT ? `${what.slice(0, SHOWN_STATEMENT)}…` : what
  if (name === 'NoHostAvailableError') return unreachable(doing, error, options)
  if (name === 'AuthenticationError') return authError(message, options, error)
  if (name === 'OperationTimedOutError' || name === 'BusyConnectionError') return new CassandraBusyError(`${doing}: ${message}`, cause)
  if (name === 'ResponseError' && code !== undefined) {
    if (SERVER_ERRORS[code] === 'auth') return authError(message, options, error)
    if (SERVER_ERRORS[code] === 'busy' && !TOO_LARGE.test(message)) return new CassandraBusyError(`${doing}: ${message}`, cause)
    if (MISSING.test(message)) return new CassandraSchemaError(`${doing}: ${message}`, cause)
    return new CassandraRequestError(`${doing}: ${message}`, {...cause, ...settingsFault(message)})
  }
  if (isWrongDatacenter(error)) return wrongDatacenter(message, options, error)
  if (isNetworkError(error)) return new CassandraUnreachableError(`${doing}: ${message}`, cause)
  return error
}

/** Whether an error is about what a request says: of a batch, one of its rows. */
export function isRowsFault(error: unknown): error is CassandraRequestError {
  if (!(error instanceof CassandraRequestError) || !(error.cause instanceof Error)) return false
  const {code, message} = error.cause as DriverError
  return (code === INVALID && settingsFault(message) === undefined) || TOO_LARGE.test(message)
}

/** Whether no node could prepare its statement again: it is out of reach, or the table is not there any more. */
export function isUnprepared(error: unknown): boolean {
  if (!(error instanceof CassandraBusyError) || !(error.cause instanceof Error)) return false
  return innerErrorsOf(error.cause).some(([, inner]) => (inner as DriverError).code === UNPREPARED)
}

function settingsFault(message: string): Pick<ErrorDetails, 'remedy' | 'exitCode'> | undefined {
  if (TTL_TOO_LONG.test(message)) {
    const remedy = [
      'set a shorter ttl of the sink, then run: coinpipe tables migrate cassandra',
      'or set storage_compatibility_mode: NONE in cassandra.yaml of every node',
    ]
    return {remedy, exitCode: EXIT.usage}
  }
  if (!FORBIDDEN.test(message)) return undefined
  return {
    remedy: ['ask who runs the nodes: guardrails in their cassandra.yaml forbid it', 'or set another consistency of the sink'],
    exitCode: EXIT.usage,
  }
}

/** What each node answered, where none would do. */
function innerErrorsOf(error: DriverError): [host: string, error: Error | string][] {
  return Object.entries(error.innerErrors ?? {})
}

function unreachable(what: string, cause: Error, options: CassandraOptions): CoinpipeError {
  const errors = innerErrorsOf(cause)
  const refused = errors.map(([, error]) => error).find((error) => error instanceof Error && error.name === 'AuthenticationError')
  if (refused instanceof Error) return authError(refused.message, options, cause)
  const elsewhere = errors.map(([, error]) => error).find((error) => isWrongDatacenter(error))
  if (elsewhere instanceof Error) return wrongDatacenter(elsewhere.message, options, cause)
  const busy = errors.map(([, error]) => error).find((error) => SERVER_ERRORS[(error as DriverError).code ?? -1] === 'busy')
  if (busy instanceof Error) return new CassandraBusyError(`${what}: ${busy.message}`, {cause})
  if (errors.some(([, error]) => (error as DriverError).code === UNPREPARED)) {
    return new CassandraBusyError(`${what}: no node could prepare the statement again`, {cause})
  }
  const seen = errors.map(([host, error]) => `${host}: ${error instanceof Error ? error.message : error}`)
  return new CassandraUnreachableError(
    `${what}: no node of ${options.hosts.join(', ')} answers${seen.length > 0 ? ` (${seen.join('; ')})` : ` (${cause.message})`}`,
    {
      cause,
    },
  )
}

function authError(message: string, {username, hosts}: CassandraOptions, cause: Error): CassandraAuthError | CassandraBusyError {
  if (UNDECIDED.test(message)) return new CassandraBusyError(`nodes that know users and permissions do not answer: ${message}`, {cause})
  const who = username === undefined ? 'without a user' : `as '${username}'`
  return new CassandraAuthError(`Cassandra on ${hosts.join(', ')} refuses to let us in ${who}: ${message}`, {cause})
}

function wrongDatacenter(message: string, {localDatacenter}: CassandraOptions, cause: Error): InvalidInputError {
  const [, found = ''] = /\[([^\]]*)\]/.exec(message) ?? []
  const there = found
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '' && name !== localDatacenter)
  return new InvalidInputError(
    `there is no data centre '${localDatacenter}' in this cluster${there.length > 0 ? `; it has ${there.join(', ')}` : ''}`,
    {
      cause,
      remedy: [there[0] === undefined ? `see its name: SELECT data_center FROM system.local` : `name it: --local-datacenter ${there[0]}`],
    },
  )
}

function isWrongDatacenter(error: Error | string): boolean {
  return error instanceof Error && error.name === 'ArgumentError' && /local ?data ?center/i.test(error.message)
}

function isNetworkError(error: Error): boolean {
  return (error as {isSocketError?: boolean}).isSocketError === true || /^E[A-Z]+$/.test(String((error as NodeJS.ErrnoException).code))
}
