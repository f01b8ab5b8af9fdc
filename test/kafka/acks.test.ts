import {describe, expect, it, onTestFinished} from 'vitest'
import {KafkaClient} from '../../src/lib/bus/kafka/client.ts'
import {type FetchAnswer, fetchApi} from '../../src/lib/bus/kafka/fetch-api.ts'
import {COMPRESSIONS} from '../../src/lib/bus/kafka/options.ts'
import type {BusMessage, OutgoingRecord} from '../../src/lib/core/ports/bus.ts'
import {PATIENCE_MS} from '../contract/bus-world.ts'
import {testContext} from '../helpers/context.ts'
import {kafkaOptions} from '../helpers/kafka.ts'
import {connectedBus, newTopic} from '../helpers/kafka-bus.ts'
import {connectedWith, consume, DRIVER_NAMES} from '../helpers/kafka-drivers.ts'
import {toolConsume} from '../helpers/kafka-tools.ts'

const COUNT = 300
/** Places in a batch: https://kafka.apache.org/documentation/#recordbatch */
const LENGTH_AT = 8
const ATTRIBUTES_AT = 21
const CODEC_BITS = 7

/** Values have no line break: Kafka's own consumer prints them line by line. */
function recordsOf(topic: string, prefix: string): OutgoingRecord[] {
  return Array.from({length: COUNT}, (_, at) => ({
    topic,
    partition: 0,
    key: at % 3 === 0 ? null : `열쇠${at}`,
    value: `${prefix} ${at} compressible compressible 압축 🗜`,
    headers: at % 2 === 0 ? {origin: '테스트', at: String(at)} : {},
  }))
}

function contentOf(records: readonly (OutgoingRecord | BusMessage)[]) {
  return records.map(({key, value, headers}) => ({key, value, headers}))
}

/** Of the batches of a topic of one partition, as the brokers keep them. */
async function codecsOf(topic: string): Promise<string[]> {
  const client = new KafkaClient(kafkaOptions())
  onTestFinished(() => client.close())
  await client.connect()
  const {send, byId} = await fetchApi(client)
  const {id, partitions} = await client.topic(topic)
  const from = {partition: 0, currentLeaderEpoch: -1, fetchOffset: 0n, lastFetchedEpoch: -1, partitionMaxBytes: 1 << 24}
  const args = [0, 1, 1 << 24, 0, 0, -1, [{topicId: byId ? id : topic, partitions: [from]}], [], '']
  const answer = await client.call<FetchAnswer>({node: partitions[0]?.leader ?? -1}, send, args)
  const records = answer.partitions[0]?.records ?? Buffer.alloc(0)
  const codecs: string[] = []
  for (let at = 0; at < records.length; at += records.readInt32BE(at + LENGTH_AT) + LENGTH_AT + 4) {
    codecs.push(COMPRESSIONS[records.readInt16BE(at + ATTRIBUTES_AT) & CODEC_BITS] ?? 'unknown')
  }
  return codecs
}

describe.each(DRIVER_NAMES)('through %s', (driver) => {
  it.each([0, 1, 'all'] as const)('records arrive with acks=%s, and count for what they are', async (acks) => {
    const admin = await connectedBus()
    const topic = await newTopic(admin)
    const context = testContext()
    const bus = await connectedWith(driver, {acks}, context)
    const records = recordsOf(topic, 'acks')
    const results = await bus.publish(records)
    expect(results).toEqual(records.map((_, at) => ({topic, partition: 0, offset: acks === 0 ? null : at})))
    const read = () => admin.read({topic, partition: 0, offset: 0}, COUNT + 1)
    await expect.poll(async () => (await read()).length, {timeout: PATIENCE_MS}).toBe(COUNT)
    expect(contentOf(await read())).toEqual(contentOf(records))
    const sent = context.metrics.total('coinpipe_component_sent_total', {component: 'kafka-bus'})
    const unacknowledged = context.metrics.total('coinpipe_component_unacknowledged_total', {component: 'kafka-bus'})
    expect({sent, unacknowledged}).toEqual(acks === 0 ? {sent: 0, unacknowledged: COUNT} : {sent: COUNT, unacknowledged: 0})
  })

  it('what it writes with each codec is read by both clients and by the consumer of Kafka', async () => {
    const topic = await newTopic(await connectedBus())
    const written: OutgoingRecord[] = []
    for (const compression of COMPRESSIONS) {
      const records = recordsOf(topic, compression)
      await (await connectedWith(driver, {acks: 'all', compression})).publish(records)
      written.push(...records)
    }
    expect(await codecsOf(topic)).toEqual(COMPRESSIONS)
    for (const reader of DRIVER_NAMES) {
      expect(contentOf(await consume(await connectedWith(reader), topic, written.length))).toEqual(contentOf(written))
    }
    expect(await toolConsume(topic, written.length)).toEqual(written.map(({value}) => value))
  })
})
