import {X509Certificate} from 'node:crypto'
import {createSecureContext} from 'node:tls'
import {InvalidInputError, UnsupportedError} from '../../core/errors.ts'
import type {BusCapabilities} from '../../core/ports/bus.ts'
import {COMPRESSIONS, type KafkaOptions, type KafkaTls} from './options.ts'

/** Throws InvalidInputError where options do not go together, UnsupportedError where the driver cannot do what they ask for. */
export function checkOptions({brokers, compression, acks, idempotent, tls}: KafkaOptions, {idempotence}: BusCapabilities): void {
  if (brokers.length === 0) {
    throw new InvalidInputError('no Kafka broker is named', {remedy: ['name one: --brokers host:port or bus.brokers in coinpipe.yaml']})
  }
  if (tls !== undefined) checkTls(tls)
  if (!COMPRESSIONS.includes(compression)) {
    throw new InvalidInputError(`compression '${compression}' is not known`, {
      remedy: [`use one of ${COMPRESSIONS.join(', ')}: bus.compression in coinpipe.yaml`],
    })
  }
  if (idempotent && acks !== 'all') {
    throw new InvalidInputError(`idempotent publishing needs the acknowledgement of all brokers, and acks is ${acks}`, {
      remedy: ['set bus.acks to all in coinpipe.yaml, or bus.durable to true for both'],
    })
  }
  if (idempotent && !idempotence) {
    throw new UnsupportedError('this Kafka client cannot publish idempotently without losing records', {
      remedy: ['use the other one: --kafka-client platformatic'],
    })
  }
}

/** Node takes a text without a certificate in it as no certificate, and a key that is none it refuses only when it connects. */
function checkTls({ca, ...own}: KafkaTls): void {
  checkPem('bus.tls.ca', () => ca === undefined || new X509Certificate(ca))
  checkPem('bus.tls.cert and bus.tls.key', () => createSecureContext(own))
}

function checkPem(what: string, read: () => unknown): void {
  try {
    read()
  } catch (cause) {
    throw new InvalidInputError(`${what}: cannot be used (${(cause as Error).message})`, {
      cause,
      remedy: ['give PEM text, from a file: file:PATH in coinpipe.yaml; a certificate begins with -----BEGIN CERTIFICATE-----'],
    })
  }
}

export function noTransactions(): UnsupportedError {
  return new UnsupportedError('this Kafka client has no transactions that can be relied on', {
    remedy: ['use the other one: --kafka-client platformatic'],
  })
}

export function noStaticMembers(): UnsupportedError {
  return new UnsupportedError('this Kafka client has no static membership', {
    remedy: ['leave the instance id away, or use the other client: --kafka-client platformatic'],
  })
}
