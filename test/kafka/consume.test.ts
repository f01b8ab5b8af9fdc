import {Producer, stringSerializers} from '@platformatic/kafka'
import {describe, expect, it, onTestFinished} from 'vitest'
import {COMPRESSIONS} from '../../src/lib/bus/kafka/options.ts'
import {numbered, PATIENCE_MS, unique, values} from '../contract/bus-world.ts'
import {kafkaUnderTest} from '../helpers/kafka.ts'
import {kafkaScene} from '../helpers/kafka-scene.ts'
import {toolReassign} from '../helpers/kafka-tools.ts'
import {until} from '../helpers/until.ts'

describe('consuming from Kafka', () => {
  it.each(COMPRESSIONS)('reads what another client compressed with %s', async (compression) => {
    const {scene} = await kafkaScene()
    const {bus, topic} = await scene.withTopic(1)
    const producer = foreignProducer()
    const text = Array.from({length: 500}, (_, index) => `${index}: 비트코인 ${'x'.repeat(index)}`)
    await producer.send({messages: text.map((value) => ({topic, partition: 0, key: 'k', value})), compression, acks: -1})
    const got = await scene.subscribe(bus, {group: unique('group'), topics: [topic]}).take(text.length)
    expect(values(got)).toEqual(text)
  })

  it('reads more than its buffer holds while the reader is slow, in order', async () => {
    const {scene} = await kafkaScene({compression: 'none'})
    const {bus, topic} = await scene.withTopic(2)
    const filler = 'x'.repeat(1_000_000)
    for (let first = 0; first < 80; first += 10) {
      const records = [0, 1].flatMap((partition) => numbered(topic, 5, {partition, first: first / 2}))
      await bus.publish(records.map((record) => ({...record, value: `${record.value} ${filler}`})))
    }
    const reader = scene.subscribe(bus, {group: unique('group'), topics: [topic], maxBatchRecords: 5, maxInFlight: 1})
    const got = await reader.take(80, 20_000)
    for (const partition of [0, 1]) {
      const mine = got.filter((message) => message.partition === partition)
      expect(mine.map(({value}) => Number.parseInt(String(value), 10))).toEqual(Array.from({length: 40}, (_, at) => at))
    }
  })

  it('shows none of 1,000 aborted records to who reads what is committed, and all of them to who does not care', async () => {
    const {scene} = await kafkaScene()
    const {bus, topic} = await scene.withTopic(1)
    const producer = foreignProducer(unique('txn'))
    for (const [prefix, end] of [
      ['aborted', 'abort'],
      ['kept', 'commit'],
      ['aborted', 'abort'],
    ] as const) {
      const transaction = await producer.beginTransaction()
      const messages = Array.from({length: 500}, (_, index) => ({topic, partition: 0, key: 'k', value: `${prefix} ${index}`}))
      await transaction.send({messages, acks: -1})
      await transaction[end]()
    }
    await bus.publish(numbered(topic, 1, {prefix: 'last'}))
    const read = async (isolation: 'committed' | 'uncommitted', count: number) => {
      const reader = scene.subscribe(bus, {group: unique('group'), topics: [topic], isolation})
      return values(await reader.take(count)).map(String)
    }
    const committed = await read('committed', 501)
    expect(committed.filter((value) => value.startsWith('aborted'))).toEqual([])
    expect(committed.at(-1)).toBe('last0')
    const uncommitted = await read('uncommitted', 1501)
    expect(uncommitted.filter((value) => value.startsWith('aborted'))).toHaveLength(1000)
  })

  it('follows a partition to another leader', async () => {
    const {scene} = await kafkaScene()
    const {bus, admin, topic} = await scene.withTopic(1)
    const reader = scene.subscribe(bus, {group: unique('group'), topics: [topic]})
    await bus.publish(numbered(topic, 2))
    expect(values(await reader.take(2))).toEqual(['0', '1'])
    const before = (await admin.describeTopic(topic)).replication[0]
    await toolReassign(topic, [[...(before?.replicas ?? [])].reverse()])
    await until(
      'another broker leads',
      async () => {
        await admin.electLeaders([topic])
        return (await admin.describeTopic(topic)).replication[0]?.leader !== before?.leader
      },
      PATIENCE_MS,
    )
    await bus.publish(numbered(topic, 2, {first: 2}))
    expect(values(await reader.take(2))).toEqual(['2', '3'])
  })

  it('counts what retention removed before it was read', async () => {
    const {scene, context} = await kafkaScene()
    const {bus, admin, topic} = await scene.withTopic(1)
    await bus.publish(numbered(topic, 10))
    const group = unique('group')
    const first = scene.subscribe(bus, {group, topics: [topic], maxBatchRecords: 2})
    await first.take(2)
    await first.subscription.close()
    await admin.trim([{topic, partition: 0, offset: 7}])
    const second = scene.subscribe(bus, {group, topics: [topic]})
    expect(values(await second.take(3))).toEqual(['7', '8', '9'])
    expect(context.metrics.total('coinpipe_retention_missed_total', {component: 'kafka-bus'})).toBe(5)
  })

  it('goes on from the beginning of a topic that was deleted and made again, and commits there', async () => {
    const {scene} = await kafkaScene()
    const {bus, admin, topic} = await scene.withTopic(1)
    const group = unique('group')
    const reader = scene.subscribe(bus, {group, topics: [topic]})
    await bus.publish(numbered(topic, 5, {prefix: 'old'}))
    await reader.take(5)
    await admin.deleteTopic(topic)
    await admin.ensureTopic(topic, {partitions: 1, retentionMs: null, retentionBytes: null})
    await bus.publish(numbered(topic, 2, {prefix: 'new'}))
    expect(values(await reader.take(2, PATIENCE_MS))).toEqual(['new0', 'new1'])
    expect(await admin.lag(group)).toMatchObject([{committed: 2, lag: 0}])
  })
})

function foreignProducer(transactionalId?: string) {
  const producer = new Producer({
    clientId: 'test',
    bootstrapBrokers: [...kafkaUnderTest().brokers],
    serializers: stringSerializers,
    ...(transactionalId === undefined ? {} : {transactionalId, idempotent: true, producerId: -1n, producerEpoch: -1}),
  })
  onTestFinished(() => producer.close())
  return producer
}
