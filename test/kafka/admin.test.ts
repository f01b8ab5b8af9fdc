import {Consumer, Producer, stringSerializers} from '@platformatic/kafka'
import {afterAll, beforeAll, describe, expect, it, onTestFinished} from 'vitest'
import {KafkaAdmin} from '../../src/lib/bus/kafka/admin/kafka-admin.ts'
import {KafkaClient} from '../../src/lib/bus/kafka/client.ts'
import type {TopicConfig} from '../../src/lib/core/ports/bus.ts'
import {PATIENCE_MS, unique, values} from '../contract/bus-world.ts'
import {testContext} from '../helpers/context.ts'
import {kafkaOptions, kafkaUnderTest} from '../helpers/kafka.ts'
import {toolController, toolGroups, toolLag, toolTopic} from '../helpers/kafka-tools.ts'
import {until} from '../helpers/until.ts'

const forEver = {retentionMs: null, retentionBytes: null}

let admin: KafkaAdmin

beforeAll(async () => {
  admin = new KafkaAdmin(kafkaOptions(), testContext())
  await admin.connect()
})

afterAll(() => admin.close())

async function newTopic(config: Partial<TopicConfig> = {}): Promise<string> {
  const topic = unique('admin')
  await admin.ensureTopic(topic, {partitions: 1, ...forEver, ...config})
  onTestFinished(() => admin.deleteTopic(topic))
  return topic
}

function producer(transactionalId?: string): Producer<string, string, string, string> {
  const options = {clientId: 'test', bootstrapBrokers: [...kafkaUnderTest().brokers], serializers: stringSerializers, retries: 5}
  const made = new Producer({...options, ...(transactionalId === undefined ? {} : {idempotent: true, transactionalId})})
  onTestFinished(() => made.close())
  return made
}

async function publish(topic: string, count: number, partition = 0): Promise<void> {
  const messages = Array.from({length: count}, (_, index) => ({topic, partition, key: 'k', value: String(index), headers: {h: 'x'}}))
  await producer().send({messages, acks: -1})
}

async function member(group: string, topic: string, groupProtocol: 'classic' | 'consumer'): Promise<() => Promise<void>> {
  const consumer = new Consumer({groupId: group, clientId: 'a-member', bootstrapBrokers: [...kafkaUnderTest().brokers], groupProtocol})
  await consumer.consume({topics: [topic], autocommit: false, mode: 'earliest'})
  onTestFinished(() => consumer.close(true))
  return () => consumer.close(true)
}

describe('topics', () => {
  it('describes what kafka-topics describes', async () => {
    const config = {partitions: 3, retentionMs: 7_200_000, retentionBytes: 3_000_000, settings: {'max.message.bytes': '2000000'}}
    const topic = await newTopic(config)
    const ours = await admin.describeTopic(topic)
    const {settings, replication} = await toolTopic(topic)
    expect(ours.replication.map(({leaderEpoch: _, ...partition}) => partition)).toEqual(replication)
    expect({...ours.settings, 'retention.ms': String(ours.retentionMs), 'retention.bytes': '1000000'}).toEqual(settings)
    expect(ours).toMatchObject({partitions: 3, replicas: 2, retentionMs: 7_200_000, retentionBytes: 3_000_000})
    expect(ours.settings).toMatchObject({
      'message.timestamp.type': 'LogAppendTime',
      'segment.ms': '3600000',
      'max.message.bytes': '2000000',
    })
  })

  it('is ready for records as soon as it is created', async () => {
    const topic = await newTopic({partitions: 6})
    for (let partition = 0; partition < 6; partition++) await publish(topic, 1, partition)
    expect((await admin.describeTopic(topic)).offsets.map(({latest}) => latest)).toEqual([1, 1, 1, 1, 1, 1])
  })

  it('refuses fewer replicas than asked for, and more than there are brokers', async () => {
    const topic = await newTopic({replicas: 1})
    const mismatch = admin.ensureTopic(topic, {partitions: 1, ...forEver, replicas: 2})
    await expect(mismatch).rejects.toMatchObject({
      code: 'COINPIPE_TOPIC_MISMATCH',
      message: expect.stringMatching(/has 1 replica .* 2 were/),
    })
    const tooMany = admin.ensureTopic(unique('admin'), {partitions: 1, ...forEver, replicas: 4})
    await expect(tooMany).rejects.toMatchObject({
      code: 'COINPIPE_INVALID_INPUT',
      message: expect.stringContaining('the cluster has 3 brokers'),
      remedy: [expect.stringContaining('coinpipe nodes'), expect.stringContaining('ask for 3 or fewer')],
    })
  })

  it('names the setting that the brokers do not take', async () => {
    const topic = await newTopic()
    const invalid = (key: string) => ({code: 'COINPIPE_INVALID_INPUT', message: expect.stringContaining(key)})
    await expect(admin.alterTopic(topic, {settings: {'retention.msx': '1'}})).rejects.toMatchObject(invalid('retention.msx'))
    await expect(admin.alterTopic(topic, {settings: {'max.message.bytes': 'x'}})).rejects.toMatchObject(invalid('max.message.bytes'))
    const made = admin.ensureTopic(unique('admin'), {partitions: 1, ...forEver, settings: {'no.such': '1'}})
    await expect(made).rejects.toMatchObject(invalid('no.such'))
  })

  it('keeps the limit by size of the topic as a whole when partitions are added', async () => {
    const topic = await newTopic({partitions: 2, retentionBytes: 4_000_000})
    await admin.addPartitions(topic, 4)
    await expect.poll(() => admin.describeTopic(topic), {timeout: PATIENCE_MS}).toMatchObject({partitions: 4, retentionBytes: 4_000_000})
    await expect(admin.addPartitions(topic, 4)).rejects.toMatchObject({code: 'COINPIPE_INVALID_INPUT'})
  })

  it('does not list what Kafka keeps for itself', async () => {
    await newTopic()
    expect((await admin.listTopics()).filter((name) => name.startsWith('__'))).toEqual([])
  })
})

describe('leaders', () => {
  it('are given back to the preferred replica, and only where another leads', async () => {
    const topic = await newTopic({partitions: 2})
    const replication = async () => (await admin.describeTopic(topic)).replication
    const [first] = await replication()
    const [leader, other] = first?.replicas ?? []
    await preferLeader(topic, 0, [Number(other), Number(leader)])
    await expect.poll(async () => (await replication())[0], {timeout: PATIENCE_MS}).toMatchObject({leader, replicas: [other, leader]})
    expect(await admin.electLeaders([topic])).toEqual([{topic, partition: 0, error: null}])
    await expect.poll(async () => (await replication())[0]?.leader, {timeout: PATIENCE_MS}).toBe(other)
    expect(await admin.electLeaders([topic])).toEqual([])
  })
})

/** Kafka prefers the first of the replicas as leader. */
async function preferLeader(topic: string, partitionIndex: number, replicas: readonly number[]): Promise<void> {
  const client = new KafkaClient(kafkaOptions())
  onTestFinished(() => client.close())
  await client.connect()
  const topics = [{name: topic, partitions: [{partitionIndex, replicas}]}]
  await client.call('controller', 'AlterPartitionReassignments', [10_000, false, topics])
}

describe('records', () => {
  it('reads what is committed, or all', async () => {
    const topic = await newTopic()
    const writer = producer(unique('transaction'))
    for (const [value, end] of [
      ['kept', 'commit'],
      ['dropped', 'abort'],
      ['kept too', 'commit'],
    ] as const) {
      const transaction = await writer.beginTransaction({producerId: -1n, producerEpoch: -1})
      await transaction.send({messages: [{topic, partition: 0, key: 'k', value}]})
      await transaction[end]()
    }
    const at = {topic, partition: 0, offset: 0}
    const committed = () => admin.read(at, 10)
    await expect.poll(async () => values(await committed()), {timeout: PATIENCE_MS}).toEqual(['kept', 'kept too'])
    expect(values(await admin.read(at, 10, {isolation: 'uncommitted'}))).toEqual(['kept', 'dropped', 'kept too'])
    // The markers have offsets too.
    expect((await committed()).map(({offset}) => offset)).toEqual([0, 4])
  })

  it('reads more than one answer of a broker holds, in order', async () => {
    const topic = await newTopic()
    const sender = producer()
    const value = 'x'.repeat(2_000)
    for (let from = 0; from < 3_000; from += 500) {
      await sender.send({
        messages: Array.from({length: 500}, (_, index) => ({topic, partition: 0, key: String(from + index), value})),
        acks: -1,
      })
    }
    const read = await admin.read({topic, partition: 0, offset: 10}, 2_500)
    expect(read.map(({offset, key}) => [offset, key])).toEqual(Array.from({length: 2_500}, (_, index) => [index + 10, String(index + 10)]))
  })

  it.each(['gzip', 'snappy', 'lz4', 'zstd'] as const)('reads what was compressed with %s', async (compression) => {
    const topic = await newTopic()
    const messages = ['a', 'b', 'c'].map((value) => ({topic, partition: 0, key: value, value, headers: {h: 'x'}}))
    await producer().send({messages, acks: -1, compression})
    const read = await admin.read({topic, partition: 0, offset: 1}, 10)
    expect(read).toMatchObject([1, 2].map((offset) => ({topic, partition: 0, offset, headers: {h: 'x'}})))
    expect(Math.abs(Date.now() - (read[0]?.timestampMs ?? 0))).toBeLessThan(60_000)
  })
})

describe('groups', () => {
  it('tells the lag that kafka-consumer-groups tells', async () => {
    const topic = await newTopic({partitions: 3})
    const group = unique('group')
    await publish(topic, 7)
    await publish(topic, 4, 1)
    await admin.trim([{topic, partition: 0, offset: 5}])
    await admin.resetGroup(group, [
      {topic, partition: 0, offset: 2},
      {topic, partition: 1, offset: 4},
    ])
    expect(await admin.lag(group)).toEqual(await toolLag(group))
    expect(await toolGroups()).toContain(group)
    expect(await admin.listGroups()).toContain(group)
  })

  it.each(['classic', 'consumer'] as const)('describes members of the %s protocol', async (protocol) => {
    if (protocol === 'consumer' && kafkaUnderTest().mode === 'zookeeper') return
    const topic = await newTopic({partitions: 2})
    const group = unique('group')
    const leave = await member(group, topic, protocol)
    const held = [0, 1].map((partition) => ({topic, partition}))
    const stable = await until(
      'stable',
      async () => {
        const found = await admin.describeGroup(group)
        return found.phase === 'stable' && found.members[0]?.partitions.length === 2 ? found : null
      },
      PATIENCE_MS,
    )
    expect(stable.members).toMatchObject([{instanceId: null, client: 'a-member', host: expect.stringMatching(/^127\./), partitions: held}])
    expect(stable.coordinator).toMatch(/^127\..*:\d+$/)
    expect(stable.generation).toEqual(protocol === 'classic' ? null : expect.any(Number))
    await expect(admin.resetGroup(group, [{topic, partition: 0, offset: 0}])).rejects.toMatchObject({code: 'COINPIPE_GROUP_ACTIVE'})
    await expect(admin.deleteGroup(group)).rejects.toMatchObject({code: 'COINPIPE_GROUP_ACTIVE'})
    await publish(topic, 3)
    expect(await admin.lag(group)).toEqual([
      {topic, partition: 0, committed: null, latest: 3, lag: 3},
      {topic, partition: 1, committed: null, latest: 0, lag: 0},
    ])
    await leave()
    await expect.poll(() => admin.describeGroup(group), {timeout: PATIENCE_MS}).toMatchObject({phase: 'empty', members: []})
  })

  it('names a topic, partition or offset that cannot be', async () => {
    const topic = await newTopic()
    const reset = (position: {topic?: string; partition?: number; offset?: number}) =>
      admin.resetGroup(unique('group'), [{topic, partition: 0, offset: 0, ...position}])
    await expect(reset({topic: unique('missing')})).rejects.toMatchObject({code: 'COINPIPE_UNKNOWN_TOPIC'})
    await expect(reset({partition: 1})).rejects.toMatchObject({code: 'COINPIPE_PARTITION_OUT_OF_RANGE'})
    await expect(reset({offset: -1})).rejects.toMatchObject({code: 'COINPIPE_INVALID_INPUT'})
  })
})

describe('nodes', () => {
  it('lists brokers with what they hold', async () => {
    await newTopic({partitions: 3})
    const nodes = await admin.nodes()
    expect(nodes.map(({id}) => id)).toEqual(['1', '2', '3'])
    for (const node of nodes) {
      expect(node).toMatchObject({alive: true, version: kafkaUnderTest().mode === 'kraft' ? '4.3' : '3.9', diskBytes: expect.any(Number)})
      expect(node.address).toMatch(/:\d+$/)
    }
  })

  it('names the controller that kafka-metadata-quorum names, 30 calls in a row', async () => {
    if (kafkaUnderTest().mode === 'zookeeper') return
    const named = new Set<string>()
    for (let call = 0; call < 30; call++) {
      const controllers = (await admin.nodes()).filter(({controller}) => controller)
      named.add(controllers.map(({id}) => id).join())
    }
    expect([...named]).toEqual([await toolController()])
  })

  it('tells settings of a node apart: defaults, secrets, what only a restart changes', async () => {
    const settings = new Map((await admin.nodeSettings('1')).map((setting) => [setting.name, setting]))
    expect(settings.get('broker.id')).toMatchObject({value: '1', isDefault: false, readOnly: true})
    expect(settings.get('log.retention.ms')).toMatchObject({readOnly: false})
    expect(settings.get('num.io.threads')).toMatchObject({value: '4', isDefault: false, defaultValue: '8'})
    expect(settings.get('min.insync.replicas')).toMatchObject({value: '1', isDefault: true, defaultValue: '1'})
    expect(settings.get('ssl.keystore.password')).toMatchObject({value: null})
  })

  it('refuses settings that are not, or that only a restart changes', async () => {
    const invalid = (text: string) => ({code: 'COINPIPE_INVALID_INPUT', message: expect.stringContaining(text)})
    await expect(admin.alterNode('1', {'log.cleaner.thread': '2'})).rejects.toMatchObject(invalid('log.cleaner.thread'))
    await expect(admin.alterNode('1', {'log.dirs': '/elsewhere'})).rejects.toMatchObject(invalid('log.dirs'))
    await expect(admin.alterNode('1', {'log.cleaner.threads': 'x'})).rejects.toMatchObject(invalid('log.cleaner.threads'))
    await expect(admin.nodeSettings('9')).rejects.toMatchObject(invalid('1, 2, 3'))
  })
})
