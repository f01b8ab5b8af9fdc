import {KafkaBus} from '../../src/lib/bus/kafka/kafka-bus.ts'
import type {KafkaOptions} from '../../src/lib/bus/kafka/options.ts'
import {PlatformaticDriver} from '../../src/lib/bus/kafka-platformatic/driver.ts'
import {Scene} from '../contract/bus-world.ts'
import {type TestContext, testContext} from './context.ts'
import {kafkaOptions} from './kafka.ts'

/** A scene whose handles are buses of the default client on the cluster under test, all with one context. */
export async function kafkaScene(changes: Partial<KafkaOptions> = {}): Promise<{readonly scene: Scene; readonly context: TestContext}> {
  const context = testContext()
  const handle = () => {
    const bus = new KafkaBus(kafkaOptions({acks: 'all', ...changes}), (...parts) => new PlatformaticDriver(...parts), context)
    return {bus, admin: bus}
  }
  const scene = await Scene.open({name: 'kafka', open: async () => ({handle, destroy: async () => undefined})})
  return {scene, context}
}
