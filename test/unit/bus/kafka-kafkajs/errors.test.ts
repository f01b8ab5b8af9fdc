import kafkajs from 'kafkajs'
import {describe, expect, it} from 'vitest'
import {RecordTooLargeError} from '../../../../src/lib/bus/errors.ts'
import {BrokerUnreachableError, KafkaAuthError, KafkaError} from '../../../../src/lib/bus/kafka/errors.ts'
import {translateKafkajsError} from '../../../../src/lib/bus/kafka-kafkajs/errors.ts'
import {EXIT, FencedError, isRetryable, UnknownTopicError, UnsupportedError} from '../../../../src/lib/core/errors.ts'

const translate = (error: unknown) => translateKafkajsError(error, "publish to topic 'market.trade'", ['b:9092'])

/** As kafkajs throws the errors of brokers. */
function protocol(type: string, code: number): Error {
  return Object.assign(new kafkajs.KafkaJSError('said the broker'), {name: 'KafkaJSProtocolError', type, code})
}

describe('translateKafkajsError', () => {
  it.each([
    ['MESSAGE_TOO_LARGE', 10, RecordTooLargeError, false],
    ['UNKNOWN_TOPIC_OR_PARTITION', 3, UnknownTopicError, false],
    ['ILLEGAL_GENERATION', 22, FencedError, false],
    ['UNKNOWN_MEMBER_ID', 25, FencedError, false],
    ['TOPIC_AUTHORIZATION_FAILED', 29, KafkaAuthError, false],
    ['SASL_AUTHENTICATION_FAILED', 58, KafkaAuthError, false],
    ['NOT_LEADER_FOR_PARTITION', 6, KafkaError, true],
    ['NOT_ENOUGH_REPLICAS', 19, KafkaError, true],
  ])('knows %s', (type, code, Class, retryable) => {
    const ours = translate(protocol(type, code))
    expect(ours).toBeInstanceOf(Class)
    expect(isRetryable(ours)).toBe(retryable)
  })

  it('finds the cause below what kafkajs gave up on', () => {
    const cause = protocol('MESSAGE_TOO_LARGE', 10)
    expect(translate(Object.assign(new kafkajs.KafkaJSNonRetriableError('gave up'), {cause}))).toBeInstanceOf(RecordTooLargeError)
  })

  it.each(['KafkaJSConnectionError', 'KafkaJSConnectionClosedError', 'KafkaJSRequestTimeoutError', 'KafkaJSBrokerNotFound'])(
    'tries again after %s',
    (name) => {
      const ours = translate(Object.assign(new kafkajs.KafkaJSError('away'), {name, code: 'ECONNREFUSED'}))
      expect(ours).toBeInstanceOf(BrokerUnreachableError)
      expect(ours).toMatchObject({retry: {kind: 'later'}, exitCode: EXIT.unavailable, message: expect.stringContaining('b:9092')})
    },
  )

  it('says that brokers are too old, and who is not let in', () => {
    expect(translate(Object.assign(new Error('no'), {name: 'KafkaJSServerDoesNotSupportApiKey'}))).toBeInstanceOf(UnsupportedError)
    expect(translate(Object.assign(new Error('no'), {name: 'KafkaJSSASLAuthenticationError'}))).toBeInstanceOf(KafkaAuthError)
  })

  it('lets bugs and errors of ours pass', () => {
    const [bug, ours] = [new TypeError('x is not a function'), new FencedError('newer')]
    expect(translate(bug)).toBe(bug)
    expect(translate(ours)).toBe(ours)
  })
})
