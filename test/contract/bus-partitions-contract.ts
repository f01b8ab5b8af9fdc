import {isDeepStrictEqual} from 'node:util'
import {expect, it} from 'vitest'
import {partitionForKey} from '../../src/lib/core/partitioner.ts'
import type {Bus} from '../../src/lib/core/ports/bus.ts'
import {until} from '../helpers/until.ts'
import {type BusContractOptions, numbered, PATIENCE_MS, Scene, unique, values} from './bus-world.ts'

const KEYS = Array.from({length: 40}, (_, index) => `upbit:COIN${index}-KRW`)

/** Adding partitions to a topic that is in use: part of busAdminContract. On Kafka others learn of them with their next look at the metadata. */
export function addingPartitions(options: BusContractOptions): void {
  it('adds partitions, and refuses as many or fewer', async () => {
    const scene = await Scene.open(options)
    const {bus, admin, topic} = await scene.withTopic(2)
    await bus.publish(numbered(topic, 3))
    await admin.addPartitions(topic, 4)
    expect(await admin.describeTopic(topic)).toMatchObject({
      partitions: 4,
      offsets: [3, 0, 0, 0].map((latest, partition) => ({topic, partition, earliest: 0, latest})),
    })
    const refused = {code: 'COINPIPE_INVALID_INPUT'}
    for (const partitions of [4, 3, 0, 4.5]) await expect(admin.addPartitions(topic, partitions)).rejects.toMatchObject(refused)
    await expect(admin.addPartitions(unique('missing'), 4)).rejects.toMatchObject({code: 'COINPIPE_UNKNOWN_TOPIC'})
    await expect(admin.ensureTopic(topic, {partitions: 2, retentionMs: null, retentionBytes: null})).rejects.toMatchObject({
      code: 'COINPIPE_TOPIC_MISMATCH',
    })
    expect((await admin.describeTopic(topic)).partitions).toBe(4)
  })

  it('hashes keys over all partitions from then on, through handles that published before', async () => {
    const scene = await Scene.open(options)
    const {bus, admin, topic} = await scene.withTopic(2)
    const {bus: other} = await scene.connect()
    const placed = async (from: Bus) => (await from.publish(KEYS.map((key) => ({topic, key, value: 'x'})))).map(({partition}) => partition)
    const over = (partitions: number) => KEYS.map((key) => partitionForKey(key, partitions))
    for (const handle of [bus, other]) expect(await placed(handle)).toEqual(over(2))
    await admin.addPartitions(topic, 5)
    for (const handle of [bus, other]) {
      await until('keys to go over five partitions', async () => isDeepStrictEqual(await placed(handle), over(5)), PATIENCE_MS)
    }
  })

  it.each(['earliest', 'latest'] as const)('gives new partitions to a running group from their beginning (from: %s)', async (from) => {
    const scene = await Scene.open(options)
    const {bus, admin, topic} = await scene.withTopic(1)
    await bus.publish(numbered(topic, 1, {prefix: 'old'}))
    const group = unique('group')
    const reader = scene.subscribe(bus, {group, topics: [topic], from})
    await until('assigned', () => reader.subscription.assignment().length === 1, PATIENCE_MS)
    await admin.addPartitions(topic, 3)
    const added = [1, 2].flatMap((partition) => numbered(topic, 2, {partition, prefix: `${partition}:`}))
    await until('a publish to the new partitions', () => bus.publish(added).catch(() => false as const), PATIENCE_MS)
    await until('the new partitions are assigned', () => reader.subscription.assignment().length === 3, PATIENCE_MS)
    const expected = [...(from === 'earliest' ? ['old0'] : []), '1:0', '1:1', '2:0', '2:1']
    const got = values(await reader.take(expected.length, PATIENCE_MS))
    expect(got.sort()).toEqual(expected.sort())
    await until('all is committed', async () => (await admin.lag(group)).every(({lag}) => lag === 0), PATIENCE_MS)
  })

  it('has a group that was away for a while read new partitions from their beginning', async () => {
    const scene = await Scene.open(options)
    const {bus, admin, topic} = await scene.withTopic(1)
    const group = unique('group')
    const first = scene.subscribe(bus, {group, topics: [topic], from: 'latest'})
    await until('assigned', () => first.subscription.assignment().length === 1, PATIENCE_MS)
    await first.subscription.close()
    await admin.addPartitions(topic, 2)
    await until('a publish', () => bus.publish(numbered(topic, 2, {partition: 1})).catch(() => false as const), PATIENCE_MS)
    const second = scene.subscribe(bus, {group, topics: [topic], from: 'latest'})
    expect(values(await second.take(2, PATIENCE_MS))).toEqual(['0', '1'])
  })
}
