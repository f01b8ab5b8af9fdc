/**
 * A process that uses the embedded log until it is killed, for tests:
 * `node bus-process.ts publish PATH TOPIC NAME` publishes numbered records and prints how many were acknowledged;
 * `node bus-process.ts consume PATH TOPIC GROUP` joins the group, prints each value and acks.
 */
import {setTimeout as delay} from 'node:timers/promises'
import {EmbeddedBus} from '../../src/lib/bus/embedded/embedded-bus.ts'
import {testContext} from './context.ts'

const BATCH = 20
const PUBLISHERS = 4
const [role = '', path = '', topic = '', name = ''] = process.argv.slice(2)
const context = testContext()
const bus = new EmbeddedBus({path, topics: {[topic]: {partitions: 4, retentionMs: null, retentionBytes: null}}}, context)
await bus.connect()

async function publishOn(partition: number): Promise<never> {
  for (let first = 0; ; first += BATCH) {
    const records = Array.from({length: BATCH}, (_, at) => ({topic, partition, key: null, value: `${name}:${partition}:${first + at}`}))
    await bus.publish(records)
    process.stdout.write(`${partition} ${first + BATCH}\n`)
    if (first % 200 === 0) await delay(1)
  }
}

async function consume(): Promise<void> {
  const subscription = bus.subscribe({group: name, topics: [topic]}, context.signal)
  for await (const delivery of subscription) {
    await delivery.ack()
    process.stdout.write(`${delivery.items.map((item) => item.value).join('\n')}\n`)
  }
}

if (role === 'publish') await Promise.all(Array.from({length: PUBLISHERS}, (_, partition) => publishOn(partition)))
else await consume()
