import {inject} from 'vitest'
import type {KafkaOptions} from '../../src/lib/bus/kafka/options.ts'
import {KAFKA_DEFAULTS} from '../../src/lib/bus/kafka/options.ts'

/** The cluster that the suite runs on. */
export interface KafkaUnderTest {
  readonly mode: 'kraft' | 'zookeeper'
  readonly brokers: readonly string[]
  /** Jars of Kafka's own tools. */
  readonly classpath: string
  /** Null on a cluster that the tests did not start. */
  readonly own: {readonly name: string; readonly dataDir: string; readonly security: KafkaSecurity} | null
}

/** Listeners of the same brokers that want more of a client. */
export interface KafkaSecurity {
  readonly user: string
  readonly password: string
  /** Addresses that ask for user and password, not encrypted. */
  readonly sasl: readonly string[]
  /** Addresses that speak TLS. */
  readonly tls: readonly string[]
  /** File with the certificate to trust there. */
  readonly certificate: string
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
