import {CoinpipeError} from '../../core/errors.ts'
import {isTlsFailure} from '../../core/tls-failure.ts'
import {causesOf, errorOfCode, fromProtocol, tlsFailed, tooOld, unreachable} from '../kafka/errors.ts'

/** What kafkajs puts on its errors, as far as we go by it. `type` and `code` are those of the protocol's table, in older spellings. */
interface KafkajsError extends Error {
  readonly type?: string
  readonly code?: number | string
}

/** Errors of its network, its metadata and its waits: all of them may be gone at the next try. */
const UNREACHABLE = new Set([
  'KafkaJSConnectionError',
  'KafkaJSConnectionClosedError',
  'KafkaJSRequestTimeoutError',
  'KafkaJSBrokerNotFound',
  'KafkaJSNoBrokerAvailableError',
  'KafkaJSGroupCoordinatorNotFound',
  'KafkaJSMetadataNotLoaded',
  'KafkaJSTopicMetadataNotLoaded',
  'KafkaJSLockTimeout',
  'KafkaJSTimeout',
])

/**
 * An error of kafkajs as one of ours; `what` is what was being done, `brokers` are the addresses to start from. Errors of ours pass; anything that is
 * not kafkajs' own is a bug and passes too.
 */
export function translateKafkajsError(error: unknown, what: string, brokers: readonly string[]): unknown {
  for (const cause of causes(error)) {
    if (cause instanceof CoinpipeError) return cause
    if (cause.name === 'KafkaJSSASLAuthenticationError') return fromProtocol('SASL_AUTHENTICATION_FAILED', cause.message, what, error)
    if (cause.type !== undefined && typeof cause.code === 'number' && cause.code > 0) {
      return errorOfCode(cause.code, cause.message, what, brokers)
    }
    if (typeof cause.code === 'string' && isTlsFailure(cause.code)) return tlsFailed(what, brokers, error)
    if (UNREACHABLE.has(cause.name)) return unreachable(what, brokers, error)
    if (cause.name === 'KafkaJSServerDoesNotSupportApiKey') {
      return tooOld(what, error)
    }
  }
  // What is left of its own are plain ones without a name to go by, as for a producer that lost all of its connections.
  return causes(error).some(({name}) => name === 'KafkaJSError') ? unreachable(what, brokers, error) : error
}

/** The protocol's name of an error, as kafkajs spells it; null where the brokers said nothing. */
export function protocolTypeOf(error: unknown): string | null {
  return causes(error).find(({type}) => type !== undefined)?.type ?? null
}

/** kafkajs wraps what it gave up on. */
function causes(error: unknown): KafkajsError[] {
  return causesOf(error)
}
