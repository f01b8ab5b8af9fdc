import {inject} from 'vitest'
import type {KafkaOptions} from '../../src/lib/bus/kafka/options.ts'
import {KAFKA_DEFAULTS} from '../../src/lib/bus/kafka/options.ts'

/** The cluster that the suite runs on. */
export interface KafkaUnderTest {
  readonly mode: 'kraft' | 'zookeeper'
  readonly brokers: readonly string[]
  /** Jars of Kafka's own tools. */
  readonly classpath: string
  /** The user of the SASL listeners, which are two ports above the usual one; TLS is three above. Null on a cluster that the tests did not start. */
  readonly security: {readonly user: string; readonly password: string} | null
}

declare module 'vitest' {
  export interface ProvidedContext {
    kafka: KafkaUnderTest
  }
}

export function kafkaUnderTest(): KafkaUnderTest {
  return inject('kafka')
}

/** Options as a user would have them, for the cluster under test. */
export function kafkaOptions(changes: Partial<KafkaOptions> = {}): KafkaOptions {
  return {...KAFKA_DEFAULTS, brokers: kafkaUnderTest().brokers, ...changes}
}
