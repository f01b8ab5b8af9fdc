import {describe, expect, it} from 'vitest'
import {NotConnectedError} from '../../src/lib/core/errors.ts'
import {until} from '../helpers/until.ts'
import {operations} from './bus-operations-contract.ts'
import {addingPartitions} from './bus-partitions-contract.ts'
import {type BusContractOptions, numbered, PATIENCE_MS, Scene, unique, values} from './bus-world.ts'

const forEver = {retentionMs: null, retentionBytes: null}

/** What every BusAdmin promises. */
export function busAdminContract(options: BusContractOptions): void {
  describe(`bus admin contract: ${options.name}`, () => {
    topics(options)
    records(options)
    groups(options)
    addingPartitions(options)
    operations(options)
  })
}

function topics(options: BusContractOptions): void {
  it('creates, lists, describes and deletes topics', async () => {
    const scene = await Scene.open(options)
    const {admin} = await scene.connect()
    const topic = unique('topic')
    await admin.ensureTopic(topic, {partitions: 3, retentionMs: 3_600_000, retentionBytes: 900_000})
    expect(await admin.listTopics()).toContain(topic)
    expect(await admin.describeTopic(topic)).toMatchObject({
      name: topic,
      partitions: 3,
      retentionMs: 3_600_000,
      // A multiple of the partitions: Kafka bounds each of them.
      retentionBytes: 900_000,
      offsets: [0, 1, 2].map((partition) => ({topic, partition, earliest: 0, latest: 0})),
    })
    await admin.deleteTopic(topic)
    await expect.poll(() => admin.listTopics(), {timeout: PATIENCE_MS}).not.toContain(topic)
    await expect(admin.describeTopic(topic)).rejects.toMatchObject({code: 'COINPIPE_UNKNOWN_TOPIC'})
  })

  it('ensures a topic twice, and refuses another number of partitions', async () => {
    const scene = await Scene.open(options)
    const {admin} = await scene.connect()
    const topic = unique('topic')
    await admin.ensureTopic(topic, {partitions: 2, ...forEver})
    await admin.ensureTopic(topic, {partitions: 2, ...forEver})
    await expect(admin.ensureTopic(topic, {partitions: 3, ...forEver})).rejects.toMatchObject({code: 'COINPIPE_TOPIC_MISMATCH'})
    await expect(admin.ensureTopic('not/allowed', {partitions: 1, ...forEver})).rejects.toMatchObject({code: 'COINPIPE_INVALID_INPUT'})
    await expect(admin.ensureTopic(unique('topic'), {partitions: 0, ...forEver})).rejects.toMatchObject({code: 'COINPIPE_INVALID_INPUT'})
  })

  it('starts afresh where a topic is deleted and made again', async () => {
    const scene = await Scene.open(options)
    const {bus, admin, topic} = await scene.withTopic(1)
    await bus.publish(numbered(topic, 3))
    await scene.subscribe(bus, {group: 'again', topics: [topic]}).take(3)
    await admin.deleteTopic(topic)
    await admin.ensureTopic(topic, {partitions: 1, ...forEver})
    expect(await bus.publish(numbered(topic, 1))).toEqual([{topic, partition: 0, offset: 0}])
  })

  it('names what does not exist', async () => {
    const scene = await Scene.open(options)
    const {admin, topic} = await scene.withTopic(1)
    const unknown = {code: 'COINPIPE_UNKNOWN_TOPIC'}
    const missing = unique('missing')
    await expect(admin.deleteTopic(missing)).rejects.toMatchObject(unknown)
    await expect(admin.offsetsAt(missing, 0)).rejects.toMatchObject(unknown)
    await expect(admin.read({topic: missing, partition: 0, offset: 0}, 1)).rejects.toMatchObject(unknown)
    await expect(admin.trim([{topic: missing, partition: 0, offset: 0}])).rejects.toMatchObject(unknown)
    await expect(admin.read({topic, partition: 1, offset: 0}, 1)).rejects.toMatchObject({code: 'COINPIPE_PARTITION_OUT_OF_RANGE'})
    await expect(admin.trim([{topic, partition: 1, offset: 0}])).rejects.toMatchObject({code: 'COINPIPE_PARTITION_OUT_OF_RANGE'})
  })

  it('refuses work after close', async () => {
    const scene = await Scene.open(options)
    const {admin} = await scene.connect()
    await admin.check()
    await admin.close()
    await admin.close()
    await expect(admin.listTopics()).rejects.toBeInstanceOf(NotConnectedError)
    await expect(admin.deleteGroup('g')).rejects.toBeInstanceOf(NotConnectedError)
  })
}

function records(options: BusContractOptions): void {
  it('reads without a group, from any offset', async () => {
    const scene = await Scene.open(options)
    const {bus, admin, topic} = await scene.withTopic(2)
    await bus.publish([...numbered(topic, 5), ...numbered(topic, 5, {partition: 1, prefix: 'b'})])
    expect(values(await admin.read({topic, partition: 1, offset: 2}, 2))).toEqual(['b2', 'b3'])
    expect(await admin.read({topic, partition: 0, offset: 5}, 10)).toEqual([])
    expect((await admin.read({topic, partition: 0, offset: 0}, 1))[0]).toMatchObject({
      topic,
      partition: 0,
      offset: 0,
      key: null,
      headers: {},
    })
  })

  it('trims: what is below is gone for admin and subscriptions, offsets go on', async () => {
    const scene = await Scene.open(options)
    const {bus, admin, topic} = await scene.withTopic(2)
    await bus.publish([...numbered(topic, 10), ...numbered(topic, 3, {partition: 1})])
    await admin.trim([
      {topic, partition: 0, offset: 7},
      {topic, partition: 1, offset: 3},
    ])
    expect((await admin.describeTopic(topic)).offsets).toEqual([
      {topic, partition: 0, earliest: 7, latest: 10},
      {topic, partition: 1, earliest: 3, latest: 3},
    ])
    expect(values(await admin.read({topic, partition: 0, offset: 0}, 10))).toEqual(['7', '8', '9'])
    expect(values(await scene.subscribe(bus, {group: unique('group'), topics: [topic]}).take(3))).toEqual(['7', '8', '9'])
    expect(await bus.publish(numbered(topic, 1, {partition: 1}))).toEqual([{topic, partition: 1, offset: 3}])
  })

  it('never trims backwards, nor past the end', async () => {
    const scene = await Scene.open(options)
    const {bus, admin, topic} = await scene.withTopic(1)
    await bus.publish(numbered(topic, 5))
    await admin.trim([{topic, partition: 0, offset: 3}])
    await admin.trim([{topic, partition: 0, offset: 1}])
    expect((await admin.describeTopic(topic)).offsets[0]).toMatchObject({earliest: 3, latest: 5})
    await admin.trim([{topic, partition: 0, offset: 99}])
    expect((await admin.describeTopic(topic)).offsets[0]).toMatchObject({earliest: 5, latest: 5})
  })

  it('lets a subscription that fell behind a trim go on at the earliest record', async () => {
    const scene = await Scene.open(options)
    const {bus, admin, topic} = await scene.withTopic(1)
    await bus.publish(numbered(topic, 10))
    const group = unique('group')
    const reader = scene.subscribe(bus, {group, topics: [topic], maxBatchRecords: 2})
    expect(values(await reader.take(2))).toEqual(['0', '1'])
    await admin.trim([{topic, partition: 0, offset: 8}])
    // What was fetched before the trim may still come.
    const offsets: number[] = []
    while (offsets.at(-1) !== 9) for (const {offset} of await reader.take(1)) offsets.push(offset)
    expect(offsets.slice(-2)).toEqual([8, 9])
    expect(new Set(offsets).size).toBe(offsets.length)
  })

  it('lets a group that comes back behind a trim go on at the earliest record', async () => {
    const scene = await Scene.open(options)
    const {bus, admin, topic} = await scene.withTopic(1)
    await bus.publish(numbered(topic, 10))
    const group = unique('group')
    const first = scene.subscribe(bus, {group, topics: [topic], maxBatchRecords: 2})
    await first.take(2)
    await first.subscription.close()
    await admin.trim([{topic, partition: 0, offset: 8}])
    expect(values(await scene.subscribe(bus, {group, topics: [topic]}).take(2))).toEqual(['8', '9'])
  })

  it('finds offsets by time of arrival', async () => {
    const scene = await Scene.open(options)
    const {bus, admin, topic} = await scene.withTopic(1)
    await bus.publish(numbered(topic, 3))
    const between = Date.now() + 1
    await until('the clock moved on', () => Date.now() > between, PATIENCE_MS)
    await bus.publish(numbered(topic, 2))
    const offset = async (timestampMs: number) => (await admin.offsetsAt(topic, timestampMs)).map((position) => position.offset)
    expect(await offset(0)).toEqual([0])
    expect(await offset(between)).toEqual([3])
    expect(await offset(Date.now() + 60_000)).toEqual([5])
    await admin.trim([{topic, partition: 0, offset: 4}])
    expect(await offset(0)).toEqual([4])
  })
}

function groups(options: BusContractOptions): void {
  it('lists groups and tells their lag', async () => {
    const scene = await Scene.open(options)
    const {bus, admin, topic} = await scene.withTopic(2)
    const group = unique('group')
    await bus.publish([...numbered(topic, 10), ...numbered(topic, 4, {partition: 1})])
    const reader = scene.subscribe(bus, {group, topics: [topic]})
    await until('assigned', () => reader.subscription.assignment().length === 2, PATIENCE_MS)
    expect(await admin.lag(group)).toEqual([
      {topic, partition: 0, committed: null, latest: 10, lag: 10},
      {topic, partition: 1, committed: null, latest: 4, lag: 4},
    ])
    await reader.take(14)
    await bus.publish(numbered(topic, 3))
    expect(await admin.lag(group)).toEqual([
      {topic, partition: 0, committed: 10, latest: 13, lag: 3},
      {topic, partition: 1, committed: 4, latest: 4, lag: 0},
    ])
    expect(await admin.listGroups()).toContain(group)
  })

  it('resets and deletes a group only while nobody is in it', async () => {
    const scene = await Scene.open(options)
    const {bus, admin, topic} = await scene.withTopic(1)
    const group = unique('group')
    await bus.publish(numbered(topic, 5))
    const reader = scene.subscribe(bus, {group, topics: [topic]})
    await reader.take(5)
    const active = {code: 'COINPIPE_GROUP_ACTIVE'}
    await expect(admin.resetGroup(group, [{topic, partition: 0, offset: 2}])).rejects.toMatchObject(active)
    await expect(admin.deleteGroup(group)).rejects.toMatchObject(active)
    await reader.subscription.close()
    await admin.resetGroup(group, [{topic, partition: 0, offset: 2}])
    expect((await admin.lag(group))[0]).toMatchObject({committed: 2, lag: 3})
    const again = scene.subscribe(bus, {group, topics: [topic]})
    expect(values(await again.take(3))).toEqual(['2', '3', '4'])
    await again.subscription.close()
    await admin.deleteGroup(group)
    expect(await admin.listGroups()).not.toContain(group)
    expect(await admin.lag(group)).toEqual([])
  })
}
