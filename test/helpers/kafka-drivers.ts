import {onTestFinished} from 'vitest'
import {KafkaBus} from '../../src/lib/bus/kafka/kafka-bus.ts'
import type {KafkaOptions} from '../../src/lib/bus/kafka/options.ts'
import {KafkajsDriver} from '../../src/lib/bus/kafka-kafkajs/driver.ts'
import {PlatformaticDriver} from '../../src/lib/bus/kafka-platformatic/driver.ts'
import type {CoinpipeError} from '../../src/lib/core/errors.ts'
import type {Bus, BusMessage} from '../../src/lib/core/ports/bus.ts'
import {PATIENCE_MS, Reader, unique} from '../contract/bus-world.ts'
import {type TestContext, testContext} from './context.ts'
import {kafkaOptions} from './kafka.ts'

const DRIVERS = {platformatic: PlatformaticDriver, kafkajs: KafkajsDriver}
export type DriverName = keyof typeof DRIVERS
export const DRIVER_NAMES = ['platformatic', 'kafkajs'] as const

/** A bus on the cluster under test with either client, not connected; it is closed when the test is over. */
export function busWith(driver: DriverName, changes: Partial<KafkaOptions> = {}, context: TestContext = testContext()): KafkaBus {
  const Driver = DRIVERS[driver]
  const bus = new KafkaBus(kafkaOptions(changes), (...parts) => new Driver(...parts), context)
  onTestFinished(() => bus.close())
  return bus
}

export async function connectedWith(driver: DriverName, changes: Partial<KafkaOptions> = {}, context?: TestContext): Promise<KafkaBus> {
  const bus = busWith(driver, changes, context)
  await bus.connect()
  return bus
}

/** The first `count` messages of a topic, through a group of its own. */
export async function consume(bus: Bus, topic: string, count: number): Promise<BusMessage[]> {
  const controller = new AbortController()
  const reader = new Reader(bus.subscribe({group: unique('group'), topics: [topic]}, controller.signal), controller)
  try {
    return await reader.take(count, PATIENCE_MS)
  } finally {
    await reader.subscription.close()
  }
}

/** What `work` rejects with, and how long that took. */
export async function failureOf(work: () => Promise<unknown>): Promise<{readonly error: CoinpipeError; readonly elapsedMs: number}> {
  const startMs = performance.now()
  try {
    await work()
  } catch (error) {
    return {error: error as CoinpipeError, elapsedMs: performance.now() - startMs}
  }
  throw new Error('it did not fail')
}
