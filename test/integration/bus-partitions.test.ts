import {expect, it} from 'vitest'
import {UnsupportedError} from '../../src/lib/core/errors.ts'
import {partitionForKey} from '../../src/lib/core/partitioner.ts'
import {embeddedBus, records} from '../helpers/embedded-bus.ts'
import {until} from '../helpers/until.ts'

const TOPIC = 'grown'
const KEYS = Array.from({length: 30}, (_, index) => `key ${index}`)
const topics = {[TOPIC]: {partitions: 2, retentionMs: null, retentionBytes: null, replicas: 2, settings: {'min.insync.replicas': '1'}}}
const keyed = KEYS.map((key) => ({topic: TOPIC, key, value: 'x'}))

it('hashes keys over the new partitions with the first publish after they were added, whichever handle added them', async () => {
  const {bus, path} = await embeddedBus({topics})
  const {bus: other} = await embeddedBus({path, topics})
  const placed = async () =>
    [await bus.publish(keyed), await other.publish(keyed)].map((results) => results.map(({partition}) => partition))
  const over = (partitions: number) => KEYS.map((key) => partitionForKey(key, partitions))
  expect(await placed()).toEqual([over(2), over(2)])
  await other.addPartitions(TOPIC, 5)
  expect(await placed()).toEqual([over(5), over(5)])
  await bus.addPartitions(TOPIC, 7)
  expect(await placed()).toEqual([over(7), over(7)])
})

it('takes publishes that are committed together with the addition', async () => {
  const {bus} = await embeddedBus({topics})
  const [before, , after] = await Promise.all([bus.publish(keyed), bus.addPartitions(TOPIC, 6), bus.publish(keyed)])
  expect(before.map(({partition}) => partition)).toEqual(KEYS.map((key) => partitionForKey(key, 2)))
  expect(after.map(({partition}) => partition)).toEqual(KEYS.map((key) => partitionForKey(key, 6)))
  const {offsets} = await bus.describeTopic(TOPIC)
  expect(offsets.reduce((sum, {latest}) => sum + latest, 0)).toBe(2 * KEYS.length)
})

it('starts new partitions at their beginning for every group that reads the topic, and for no other', async () => {
  const {bus, path, context} = await embeddedBus({topics})
  const {bus: other} = await embeddedBus({path, topics})
  await bus.publish(records(TOPIC, 3))
  await bus.publish(records('elsewhere', 1))
  const subscribe = (group: string, topic = TOPIC) => bus.subscribe({group, topics: [topic], from: 'latest'}, context.signal)
  const reading = subscribe('reading')
  const away = subscribe('away')
  const stranger = subscribe('stranger', 'elsewhere')
  for (const subscription of [reading, away, stranger]) await until('assigned', () => subscription.assignment().length > 0)
  await away.close()
  await other.addPartitions(TOPIC, 3)
  const added = {topic: TOPIC, partition: 2, committed: 0, latest: 0, lag: 0}
  for (const group of ['reading', 'away']) expect((await bus.lag(group))[2]).toEqual(added)
  expect((await bus.lag('stranger')).map(({topic}) => topic)).not.toContain(TOPIC)
  await until('the new partition is assigned', () => reading.assignment().length === 3)
})

it('keeps one copy and no settings of what the config asks for', async () => {
  const {bus} = await embeddedBus({topics})
  await bus.publish(records(TOPIC, 1))
  await bus.ensureTopic(TOPIC, topics[TOPIC])
  expect(await bus.describeTopic(TOPIC)).toMatchObject({partitions: 2, replicas: 1, settings: {}, replication: []})
  await expect(bus.alterTopic(TOPIC, {settings: {'segment.ms': '1'}})).rejects.toThrow(
    "topic 'grown' cannot get the setting 'segment.ms': the embedded log has no such settings",
  )
  await expect(bus.alterNode('embedded')).rejects.toBeInstanceOf(UnsupportedError)
})

it('shows itself as one node, with the pragmas that its promises rest on', async () => {
  const {bus, path} = await embeddedBus({topics, busyTimeoutMs: 1234})
  await bus.publish(records(TOPIC, 100, {bytes: 1000}))
  const [node] = await bus.nodes()
  expect(node).toMatchObject({id: 'embedded', address: path, controller: true, rack: null, leaders: 2, replicas: 2, outOfSync: 0})
  expect(node?.version).toMatch(/^SQLite 3\./)
  expect(node?.diskBytes).toBeGreaterThan(100_000)
  const settings = await bus.nodeSettings('embedded')
  expect(settings.every(({readOnly}) => readOnly)).toBe(true)
  expect(Object.fromEntries(settings.map(({name, value}) => [name, value]))).toMatchObject({
    auto_vacuum: 'incremental',
    busy_timeout: '1234',
    journal_mode: 'wal',
    page_size: '8192',
    synchronous: 'full',
  })
  expect(settings.filter(({isDefault}) => !isDefault).map(({name}) => name)).toEqual(['busy_timeout'])
})
