import {onTestFinished} from 'vitest'
import {KafkaBus} from '../../src/lib/bus/kafka/kafka-bus.ts'
import type {KafkaOptions} from '../../src/lib/bus/kafka/options.ts'
import {PlatformaticDriver} from '../../src/lib/bus/kafka-platformatic/driver.ts'
import type {OutgoingRecord, TopicConfig} from '../../src/lib/core/ports/bus.ts'
import {unique} from '../contract/bus-world.ts'
import {testContext} from './context.ts'
import {kafkaOptions} from './kafka.ts'

/** A bus on the cluster under test with the default client, not connected; it is closed when the test is over. */
export function kafkaBus(changes: Partial<KafkaOptions> = {}): KafkaBus {
  const bus = new KafkaBus(kafkaOptions(changes), (...parts) => new PlatformaticDriver(...parts), testContext())
  onTestFinished(() => bus.close())
  return bus
}

export async function connectedBus(changes: Partial<KafkaOptions> = {}): Promise<KafkaBus> {
  const bus = kafkaBus(changes)
  await bus.connect()
  return bus
}

/** A topic that is deleted when the test is over. */
export async function newTopic(bus: KafkaBus, config: Partial<TopicConfig> = {}): Promise<string> {
  const topic = unique('publish')
  await bus.ensureTopic(topic, {partitions: 1, retentionMs: null, retentionBytes: null, ...config})
  onTestFinished(() => bus.deleteTopic(topic))
  return topic
}

/** Keyless records for partition 0, their values numbered from `first`. */
export function numberedFrom(topic: string, first: number, count: number): OutgoingRecord[] {
  return Array.from({length: count}, (_, at) => ({topic, partition: 0, key: null, value: String(first + at)}))
}

export function range(count: number): string[] {
  return Array.from({length: count}, (_, at) => String(at))
}
