import {spawn} from 'node:child_process'
import {describe, expect, it, onTestFinished} from 'vitest'
import {KafkaClient} from '../../src/lib/bus/kafka/client.ts'
import {FencedError, UnsupportedError} from '../../src/lib/core/errors.ts'
import {numbered, PATIENCE_MS, type Reader, unique, values} from '../contract/bus-world.ts'
import {kafkaOptions, kafkaUnderTest} from '../helpers/kafka.ts'
import {kafkaScene} from '../helpers/kafka-scene.ts'
import {until} from '../helpers/until.ts'

const count = (reader: Reader) => reader.subscription.assignment().length
/** A JVM starts, and members hear of each other with their heartbeats. */
const FOREIGN_MS = 30_000

describe('groups on Kafka', () => {
  it('takes in partitions that are added, and reads them from their beginning', async () => {
    const {scene} = await kafkaScene()
    const {bus, admin, topic} = await scene.withTopic(2)
    const reader = scene.subscribe(bus, {group: unique('group'), topics: [topic], from: 'latest'})
    await until('both assigned', () => count(reader) === 2, PATIENCE_MS)
    await admin.addPartitions(topic, 4)
    await bus.publish([...numbered(topic, 2, {partition: 2, prefix: 'c'}), ...numbered(topic, 1, {partition: 3, prefix: 'd'})])
    expect(values(await reader.take(3, PATIENCE_MS)).sort()).toEqual(['c0', 'c1', 'd0'])
  })

  it('starts all members at the end that join a fresh group together', async () => {
    const {scene} = await kafkaScene()
    const {bus, topic} = await scene.withTopic(6)
    const all = (prefix: string) => [0, 1, 2, 3, 4, 5].flatMap((partition) => numbered(topic, 1, {partition, prefix}))
    await bus.publish(all('old'))
    const group = unique('group')
    const readers = [1, 2, 3].map(() => scene.subscribe(bus, {group, topics: [topic], from: 'latest'}))
    await until('they share', () => readers.every((reader) => count(reader) === 2), PATIENCE_MS)
    await bus.publish(all('new'))
    const got = await Promise.all(readers.map((reader) => reader.take(2)))
    expect(values(got.flat())).toEqual(Array.from({length: 6}, () => 'new0'))
  })

  it("shares its partitions with Kafka's own client", async () => {
    const {scene} = await kafkaScene()
    const {bus, admin, topic} = await scene.withTopic(4)
    const group = unique('group')
    const reader = scene.subscribe(bus, {group, topics: [topic]})
    await until('all assigned', () => count(reader) === 4, PATIENCE_MS)
    const stop = foreignConsumer(topic, group, 'CooperativeStickyAssignor')
    await until('they share', () => count(reader) === 2, FOREIGN_MS)
    await until(
      'the other has its share',
      async () => {
        const {members} = await admin.describeGroup(group)
        return members.length === 2 && members.every(({partitions}) => partitions.length === 2)
      },
      FOREIGN_MS,
    )
    stop()
    await until('all are back', () => count(reader) === 4, FOREIGN_MS)
  })

  it('says so where the members of a group share in another way', async () => {
    const {scene} = await kafkaScene()
    const {bus, admin, topic} = await scene.withTopic(1)
    const group = unique('group')
    foreignConsumer(topic, group, 'RangeAssignor')
    await until('the other is in', async () => (await admin.describeGroup(group)).members.length === 1, FOREIGN_MS)
    const reader = scene.subscribe(bus, {group, topics: [topic]})
    await expect(reader.next()).rejects.toBeInstanceOf(UnsupportedError)
  })

  it('comes back after it was put out, and what it had read before is refused', async () => {
    const {scene} = await kafkaScene()
    const {bus, admin, topic} = await scene.withTopic(1)
    await bus.publish(numbered(topic, 2))
    const group = unique('group')
    const reader = scene.subscribe(bus, {group, topics: [topic]})
    const late = await reader.next()
    const {members} = await admin.describeGroup(group)
    await putOut(group, String(members[0]?.id))
    await expect(late.ack()).rejects.toBeInstanceOf(FencedError)
    expect(values(await reader.take(2, PATIENCE_MS))).toEqual(['0', '1'])
    expect(await admin.lag(group)).toMatchObject([{committed: 2}])
  })

  it('goes on committing while its group is shared anew', async () => {
    const {scene} = await kafkaScene()
    const {bus, admin, topic} = await scene.withTopic(4)
    await bus.publish([0, 1, 2, 3].flatMap((partition) => numbered(topic, 300, {partition})))
    const group = unique('group')
    const reader = scene.subscribe(bus, {group, topics: [topic], maxBatchRecords: 10})
    await reader.take(10)
    const others = [1, 2, 3].map(() => scene.subscribe(bus, {group, topics: [topic], maxBatchRecords: 10}))
    const seen = await Promise.all([reader, ...others].map((one) => readQuietly(one)))
    const all = seen.flat().map(({partition, value}) => `${partition}:${value}`)
    expect(all).toHaveLength(1190)
    expect(new Set(all).size).toBe(1190)
    expect((await admin.lag(group)).map(({lag}) => lag)).toEqual([0, 0, 0, 0])
  })

  it('is left at once by a member that is closed while it joins', async () => {
    const {scene} = await kafkaScene()
    const {bus, admin, topic} = await scene.withTopic(1)
    const group = unique('group')
    const reader = scene.subscribe(bus, {group, topics: [topic]})
    await reader.subscription.close()
    const next = scene.subscribe(bus, {group, topics: [topic]})
    await until('the next one has it', () => count(next) === 1, 5_000)
    expect((await admin.describeGroup(group)).members).toHaveLength(1)
  })
})

/** Reads and acks until nothing has come for a while. */
async function readQuietly(reader: Reader) {
  const messages = []
  for (;;) {
    const result = await reader.result(4_000)
    if (result === 'nothing' || result.done) return messages
    messages.push(...result.value.items)
    await result.value.ack()
  }
}

async function putOut(group: string, memberId: string): Promise<void> {
  const client = new KafkaClient(kafkaOptions())
  await client.connect()
  await client.call({group}, 'LeaveGroup', [group, [{memberId, groupInstanceId: null, reason: 'test'}]])
  await client.close()
}

/** `kafka-console-consumer` as a member of a group. */
function foreignConsumer(topic: string, group: string, assignor: string): () => void {
  const {brokers, classpath} = kafkaUnderTest()
  const java = ['-Xmx128m', '-XX:TieredStopAtLevel=1', '-cp', classpath, 'org.apache.kafka.tools.consumer.ConsoleConsumer']
  const property = `partition.assignment.strategy=org.apache.kafka.clients.consumer.${assignor}`
  const args = ['--bootstrap-server', brokers.join(','), '--topic', topic, '--group', group]
  const child = spawn('java', [...java, ...args, '--command-property', property], {stdio: 'ignore'})
  const stop = () => void child.kill()
  onTestFinished(stop)
  return stop
}
