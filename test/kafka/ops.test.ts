import {Consumer, Producer, stringSerializers} from '@platformatic/kafka'
import {afterAll, beforeAll, describe, expect, it, onTestFinished} from 'vitest'
import {KafkaAdmin} from '../../src/lib/bus/kafka/admin/kafka-admin.ts'
import {partitionForKey} from '../../src/lib/core/partitioner.ts'
import {electLeaders} from '../../src/lib/ops/balance.ts'
import {viewGroup, viewGroups} from '../../src/lib/ops/groups.ts'
import {findKeyMoves} from '../../src/lib/ops/key-moves.ts'
import type {GroupVerdict} from '../../src/lib/ops/lag-windows.ts'
import {planReset, reset} from '../../src/lib/ops/reset.ts'
import {describeTopic, listTopics} from '../../src/lib/ops/topics.ts'
import {planTrim, trim} from '../../src/lib/ops/trim.ts'
import {watchLag} from '../../src/lib/ops/watch-lag.ts'
import {unique} from '../contract/bus-world.ts'
import {testContext} from '../helpers/context.ts'
import {kafkaOptions, kafkaUnderTest} from '../helpers/kafka.ts'
import {toolLag, toolReassign, toolTopic} from '../helpers/kafka-tools.ts'
import {until} from '../helpers/until.ts'

const KEEP = {retentionMs: 86_400_000, retentionBytes: null}
const REBALANCE_MS = 20_000

let admin: KafkaAdmin

beforeAll(async () => {
  admin = new KafkaAdmin(kafkaOptions(), testContext())
  await admin.connect()
})

afterAll(() => admin.close())

async function newTopic(partitions: number, keys: readonly string[] = []): Promise<string> {
  const topic = unique('ops')
  await admin.ensureTopic(topic, {partitions, replicas: 2, ...KEEP})
  onTestFinished(() => admin.deleteTopic(topic))
  if (keys.length === 0) return topic
  const producer = new Producer({clientId: 'test', bootstrapBrokers: [...kafkaUnderTest().brokers], serializers: stringSerializers})
  onTestFinished(() => producer.close())
  await producer.send({messages: keys.map((key) => ({topic, partition: partitionForKey(key, partitions), key, value: 'v'})), acks: -1})
  return topic
}

/** A running member of the group, which commits nothing; resolves once it has partitions. */
async function member(group: string, topic: string): Promise<() => Promise<void>> {
  const consumer = new Consumer({groupId: group, clientId: 'a-member', bootstrapBrokers: [...kafkaUnderTest().brokers]})
  await consumer.consume({topics: [topic], autocommit: false, mode: 'earliest'})
  onTestFinished(() => consumer.close(true))
  await until('the member has partitions', async () => (await admin.describeGroup(group)).members[0]?.partitions.length, REBALANCE_MS)
  return () => consumer.close(true)
}

function newGroup(): string {
  const group = unique('ops-group')
  onTestFinished(() => admin.deleteGroup(group))
  return group
}

const KEYS = Array.from({length: 60}, (_, at) => `key-${at}`)

describe('topics', () => {
  it('shows what kafka-topics shows', async () => {
    const topic = await newTopic(3, KEYS)
    const {replication} = await toolTopic(topic)
    const view = await describeTopic(admin, topic)
    expect(view.partitions.map(({partition, leader, replicas, isr}) => ({topic, partition, leader, replicas, isr}))).toEqual(replication)
    expect(view).toMatchObject({topic, replicas: 2, records: KEYS.length, underReplicated: 0, retentionMs: 86_400_000})
    const {settings: _, partitions, ...summary} = view
    expect(await listTopics(admin)).toContainEqual({...summary, partitions: partitions.length})
  })

  it('counts over real keys which will move', async () => {
    const topic = await newTopic(3, KEYS)
    const moves = await findKeyMoves(admin, await admin.describeTopic(topic), 6)
    const moved = KEYS.filter((key) => partitionForKey(key, 3) !== partitionForKey(key, 6)).length
    expect(moves).toMatchObject({sampled: KEYS.length, keys: KEYS.length, movedKeys: moved, movedRecords: moved, placedOtherwise: 0})
  })

  it('trims what it says', async () => {
    const topic = await newTopic(3, KEYS)
    const rows = await planTrim(admin, {topic, before: {kind: 'offset', offset: 2}})
    expect(rows.map(({partition, records}) => [partition, records])).toEqual([0, 1, 2].map((partition) => [partition, 2]))
    await trim(admin, rows)
    expect((await describeTopic(admin, topic)).records).toBe(KEYS.length - 6)
  })

  it('gives partitions back to their preferred leaders, and shows the balance', async () => {
    const topic = await newTopic(3)
    const {replication} = await admin.describeTopic(topic)
    await toolReassign(
      topic,
      replication.map(({replicas}) => replicas.toReversed()),
    )
    await until('the replicas are in their new order', async () => {
      const {replication: now} = await admin.describeTopic(topic)
      return now.every(({replicas}, at) => replicas[0] === replication[at]?.replicas[1])
    })
    const {elections, before, after} = await electLeaders(admin, [topic], testContext())
    expect(elections).toEqual([0, 1, 2].map((partition) => ({topic, partition, error: null})))
    expect(before.map(({preferredShare}) => preferredShare).filter((share) => share !== null)).toEqual(expect.arrayContaining([0]))
    expect(after.filter(({preferredShare}) => preferredShare !== null && preferredShare !== 1)).toEqual([])
    expect(after.reduce((sum, {leaders}) => sum + leaders, 0)).toBe(3)
    expect((await electLeaders(admin, [topic], testContext())).elections).toEqual([])
  })
})

describe('groups', () => {
  it('shows what kafka-consumer-groups shows, and who reads', async () => {
    const [topic, group] = [await newTopic(3, KEYS), newGroup()]
    await admin.resetGroup(
      group,
      [0, 1, 2].map((partition) => ({topic, partition, offset: partition})),
    )
    await member(group, topic)
    const view = await viewGroup(admin, group)
    expect(view.lag.map(({topic, partition, committed, latest, lag}) => ({topic, partition, committed, latest, lag}))).toEqual(
      await toolLag(group),
    )
    const [who] = view.members
    expect(view.lag.map(({memberId, clientId, host}) => [memberId, clientId, host])).toEqual(
      [0, 1, 2].map(() => [who?.id, 'a-member', who?.host]),
    )
  })

  it('resets a group that nobody runs, and no other', async () => {
    const [topic, group] = [await newTopic(2, KEYS), newGroup()]
    await admin.resetGroup(group, [{topic, partition: 0, offset: 3}])
    const rows = await planReset(admin, {group, to: {kind: 'shift', by: -1}})
    expect(rows).toEqual([{topic, partition: 0, current: 3, next: 2, again: 1, skipped: 0}])
    const leave = await member(group, topic)
    await expect(reset(admin, group, rows)).rejects.toMatchObject({code: 'COINPIPE_GROUP_ACTIVE'})
    await leave()
    await until('nobody runs it', async () => (await admin.describeGroup(group)).members.length === 0, REBALANCE_MS)
    await reset(admin, group, await planReset(admin, {group, to: {kind: 'time', atMs: Date.now() - 3_600_000}, topic}))
    expect((await admin.lag(group)).map(({committed}) => committed)).toEqual([0, 0])
  })

  it('tells a member that does not move from one that is gone', async () => {
    const [topic, group] = [await newTopic(1, KEYS), newGroup()]
    await admin.resetGroup(group, [{topic, partition: 0, offset: 3}])
    const leave = await member(group, topic)
    expect(await judged(group)).toMatchObject({status: 'ERR', complete: 1, partitions: [{status: 'STALL', committed: 3}]})
    await leave()
    await until('nobody runs it', async () => (await viewGroups(admin, [group]))[0]?.members.length === 0, REBALANCE_MS)
    expect(await judged(group)).toMatchObject({status: 'ERR', partitions: [{status: 'STOP'}]})
  })
})

/** The verdict of the tenth look. */
async function judged(group: string): Promise<GroupVerdict | undefined> {
  let looks = 0
  for await (const verdicts of watchLag(admin, {group, intervalMs: 20}, testContext())) {
    looks += 1
    if (looks === 10) return verdicts[0]
  }
  return undefined
}
