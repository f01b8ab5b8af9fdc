import {UnsupportedApiError} from '@platformatic/kafka'
import {describe, expect, it} from 'vitest'
import {translateKafkaError} from '../../../../src/lib/bus/kafka/errors.ts'

describe('translateKafkaError', () => {
  it('takes who lacks a request for an old broker, or for a controller', () => {
    expect(translateKafkaError(new UnsupportedApiError('no Metadata'), 'list the topics', ['b:9093'])).toMatchObject({
      code: 'COINPIPE_UNSUPPORTED',
      message: 'list the topics: these brokers are too old for it',
      remedy: ['use Kafka 3.0 or newer', 'or this is the port of a controller: take that of a broker (9092)'],
    })
  })
})
