import {findErrorBy, ProtocolError, protocolErrorsCodesById} from '@platformatic/kafka'
import {CoinpipeError, DeadlineError, EXIT, FencedError, InvalidInputError, NotConnectedError, UnsupportedError} from '../../core/errors.ts'
import {isTlsFailure} from '../../core/tls-failure.ts'
import {GroupActiveError, RecordTooLargeError, unknownTopic} from '../errors.ts'

/** No broker answers, or the one that has to is away. Trying again may help. */
export class BrokerUnreachableError extends CoinpipeError {
  readonly code = 'COINPIPE_KAFKA_UNREACHABLE'
}

/** The brokers refuse our credentials, or what they are allowed to do. */
export class KafkaAuthError extends CoinpipeError {
  readonly code = 'COINPIPE_KAFKA_AUTH'
}

/** Encryption with the brokers does not come about: one side has none, or their certificate is not to be trusted. */
export class KafkaTlsError extends CoinpipeError {
  readonly code = 'COINPIPE_KAFKA_TLS'
}

/** The brokers answered with an error that has no class of its own; `protocolError` is its name in the protocol's table. */
export class KafkaError extends CoinpipeError {
  readonly code = 'COINPIPE_KAFKA'
  readonly protocolError: string
  constructor(protocolError: string, message: string, details: ConstructorParameters<typeof CoinpipeError>[1] = {}) {
    super(message, details)
    this.protocolError = protocolError
  }
}

/** Names of errors: https://kafka.apache.org/protocol#protocol_error_codes */
const LATER = {kind: 'later'} as const
/** The client's timeouts have it too. */
const NETWORK = 'PLT_KFK_NETWORK'
const REFUSED = 'the brokers refuse the user name or password'
const AUTH = new Map([
  ['SASL_AUTHENTICATION_FAILED', REFUSED],
  ['UNSUPPORTED_SASL_MECHANISM', 'the brokers do not have this SASL mechanism at that port'],
  ['ILLEGAL_SASL_STATE', 'the brokers take no user name and password at that port'],
])
const FENCED = new Set([
  'FENCED_INSTANCE_ID',
  'INVALID_PRODUCER_EPOCH',
  'PRODUCER_FENCED',
  'ILLEGAL_GENERATION',
  'UNKNOWN_MEMBER_ID',
  'STALE_MEMBER_EPOCH',
  'FENCED_MEMBER_EPOCH',
])
const NOT_ENOUGH_REPLICAS = new Set(['NOT_ENOUGH_REPLICAS', 'NOT_ENOUGH_REPLICAS_AFTER_APPEND'])
const INVALID = new Set(['INVALID_CONFIG', 'INVALID_REPLICATION_FACTOR', 'INVALID_PARTITIONS', 'INVALID_REQUEST', 'POLICY_VIOLATION'])

/**
 * A client's error as one of ours. `what` is what was being done, for example "publish to topic 'market.trade'"; `brokers` are the addresses to start
 * from, for the remedy. Errors of ours pass; anything that is not the client's is a bug and passes too.
 */
export function translateKafkaError(error: unknown, what: string, brokers: readonly string[]): unknown {
  if (error instanceof CoinpipeError || !(error instanceof Error)) return error
  const protocolError = protocolErrorOf(error)
  if (protocolError !== null) return fromProtocol(protocolError, serverMessage(error), what, error)
  if (isRefusal(error)) return unauthorized(what, error)
  if (findErrorBy(error, 'code', 'PLT_KFK_UNSUPPORTED_API') !== null) {
    return tooOld(what, error)
  }
  if (findErrorBy(error, 'closed', true) !== null) return notConnected()
  if (causesOf(error).some(hasTlsCode)) return tlsFailed(what, brokers, error)
  if (isNetworkError(error)) return unreachable(what, brokers, error)
  return error
}

/** The brokers lack what is asked for: they are old, or no brokers; a controller answers, but to few requests. */
export function tooOld(what: string, cause: unknown): UnsupportedError {
  return new UnsupportedError(`${what}: these brokers are too old for it`, {
    cause,
    remedy: ['use Kafka 3.0 or newer', 'or this is the port of a controller: take that of a broker (9092)'],
  })
}

/** A connection that could not be made, or broke, or a broker that did not answer: another broker may do better. */
export function isNetworkError(error: unknown): boolean {
  return hasCode(error, NETWORK) && !isRefusal(error)
}

/** The client takes what it was asked for as wrong use: so it does of a broker that answers in TLS. */
export function isMisuse(error: unknown): boolean {
  return hasCode(error, 'PLT_KFK_USER')
}

/** The client says so too where the connection broke before the brokers had said anything. */
function isRefusal(error: unknown): boolean {
  const causes = causesOf(error)
  const at = causes.findIndex((cause) => hasCode(cause, 'PLT_KFK_AUTHENTICATION'))
  return at >= 0 && !causes.slice(at).some((cause) => hasCode(cause, NETWORK))
}

/** The error and what caused it, outermost first: those of a connection hide why they came. */
export function causesOf(error: unknown): Error[] {
  const chain: Error[] = []
  for (let next = error; next instanceof Error && !chain.includes(next); next = next.cause) chain.push(next)
  return chain
}

function hasTlsCode({code}: Error & {readonly code?: unknown}): boolean {
  return typeof code === 'string' && isTlsFailure(code)
}

/** What was seen at the bottom of it. */
function seen(error: unknown): string {
  const cause: (Error & {readonly code?: unknown}) | undefined = causesOf(error).at(-1)
  return cause === undefined ? '' : cause.message || String(cause.code ?? cause.name)
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && findErrorBy(error, 'code', code) !== null
}

/** One of ours for the code of an error in an answer. */
export function errorOfCode(code: number, said: string | null, what: string, brokers: readonly string[]): unknown {
  return translateKafkaError(new ProtocolError(code, said), what, brokers)
}

/** A partition without a leader just now, or a topic that not all brokers have heard of yet: trying again helps. */
export function noLeader(what: string, brokers: readonly string[]): unknown {
  return translateKafkaError(new ProtocolError('LEADER_NOT_AVAILABLE'), what, brokers)
}

/** By the protocol's table. */
export function protocolErrorName(code: number): string {
  return protocolErrorsCodesById[code] ?? `error ${code}`
}

/** The name of the first protocol error in a client's error, for example `NOT_LEADER_OR_FOLLOWER`; null where there is none. */
export function protocolErrorOf(error: unknown): string | null {
  if (!(error instanceof Error)) return null
  const found = findErrorBy(error, 'code', 'PLT_KFK_PROTOCOL') as {readonly apiId?: string} | null
  return found?.apiId ?? null
}

function serverMessage(error: Error): string {
  const found = findErrorBy(error, 'code', 'PLT_KFK_PROTOCOL') as {
    readonly serverErrorMessage?: string | null
    readonly message: string
  } | null
  return found?.serverErrorMessage || found?.message || error.message
}

/** One of ours for an error that the brokers named. */
export function fromProtocol(protocolError: string, said: string, what: string, cause?: unknown): CoinpipeError {
  const message = `${what}: ${protocolError}: ${said}`
  if (AUTH.has(protocolError)) return unauthorized(what, cause, protocolError)
  if (protocolError.endsWith('_AUTHORIZATION_FAILED')) {
    return new KafkaAuthError(message, {
      cause,
      remedy: ['give this user the right on the brokers (kafka-acls), or use another one: bus.sasl in coinpipe.yaml'],
    })
  }
  if (FENCED.has(protocolError))
    return new FencedError(message, {cause, remedy: ['nothing to do: a newer holder goes on from the last committed record']})
  if (protocolError === 'UNKNOWN_TOPIC_OR_PARTITION' || protocolError === 'UNKNOWN_TOPIC_ID')
    return unknownTopic(/topic '([^']+)'/.exec(what)?.[1] ?? what)
  if (protocolError === 'MESSAGE_TOO_LARGE' || protocolError === 'RECORD_LIST_TOO_LARGE') {
    const remedy = ["publish it in parts, or raise the topic's limit: coinpipe topics alter TOPIC --setting max.message.bytes=…"]
    return new RecordTooLargeError(message, {cause, remedy})
  }
  if (NOT_ENOUGH_REPLICAS.has(protocolError)) {
    return new KafkaError(protocolError, `${what}: ${protocolError}: fewer brokers are in sync than the topic's min.insync.replicas`, {
      cause,
      retry: LATER,
      remedy: [
        'start those that are down: coinpipe nodes --bus kafka',
        'or ask for fewer: coinpipe topics alter TOPIC --setting min.insync.replicas=…',
      ],
    })
  }
  if (protocolError === 'NON_EMPTY_GROUP') return new GroupActiveError(message, {cause, remedy: ['stop its members first']})
  if (protocolError === 'REQUEST_TIMED_OUT') return new DeadlineError(message, {cause})
  if (INVALID.has(protocolError)) return new InvalidInputError(message, {cause, remedy: ['change what was asked for, as the brokers say']})
  const retriable =
    cause instanceof Error && findErrorBy(cause, 'canRetry', true) !== null && findErrorBy(cause, 'canRetry', false) === null
  return new KafkaError(protocolError, message, {
    cause,
    remedy: ['look at the brokers: coinpipe nodes --bus kafka'],
    ...(retriable ? {retry: LATER} : {}),
  })
}

function unauthorized(what: string, cause: unknown, protocolError?: string): KafkaAuthError {
  const reason =
    protocolError ??
    causesOf(cause)
      .map(protocolErrorOf)
      .find((name) => name !== null) ??
    ''
  return new KafkaAuthError(`${what}: ${AUTH.get(reason) ?? REFUSED}`, {
    cause,
    remedy: ['check bus.sasl in coinpipe.yaml: mechanism, username and password must be those of the brokers, as must the port'],
  })
}

/** Answered in TLS what was asked without. */
export function tlsWanted(what: string, brokers: readonly string[], cause: unknown): KafkaTlsError {
  return new KafkaTlsError(`${what}: the brokers at ${brokers.join(', ')} speak TLS only`, {
    cause,
    remedy: ['set bus.tls in coinpipe.yaml, with the certificate of who signed theirs', 'or name the brokers by a port without TLS'],
  })
}

/** A certificate that nobody vouches for, that has expired or names somebody else; or no TLS at all. */
export function tlsFailed(what: string, brokers: readonly string[], cause: unknown): KafkaTlsError {
  return new KafkaTlsError(`${what}: TLS with Kafka at ${brokers.join(', ')} failed: ${seen(cause)}`, {
    cause,
    remedy: [
      'set bus.tls.ca in coinpipe.yaml to the certificate of who signed theirs: file:PATH',
      'check that their certificate is for these addresses, and that this port is for TLS',
    ],
  })
}

export function unreachable(what: string, brokers: readonly string[], cause?: unknown): BrokerUnreachableError {
  const reason = seen(cause)
  return new BrokerUnreachableError(`${what}: no answer from Kafka at ${brokers.join(', ')}${reason && ` (${reason})`}`, {
    cause,
    retry: LATER,
    exitCode: EXIT.unavailable,
    remedy: [
      'check the addresses: --brokers host:port,… or bus.brokers in coinpipe.yaml',
      'check bus.tls and bus.sasl there: brokers that ask for one of them just hang up on clients without, and the other way round',
      'start a local cluster: coinpipe cluster up kafka',
    ],
  })
}

export function notConnected(): NotConnectedError {
  return new NotConnectedError('the connection to Kafka is not open', {remedy: ['call connect() first, and nothing after close()']})
}
