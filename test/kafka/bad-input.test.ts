import {writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {describe, expect, it, onTestFinished} from 'vitest'
import type {KafkaBus} from '../../src/lib/bus/kafka/kafka-bus.ts'
import type {KafkaOptions} from '../../src/lib/bus/kafka/options.ts'
import {MAX_RECORD_BYTES} from '../../src/lib/bus/limits.ts'
import {ClusterService} from '../../src/lib/cluster/service.ts'
import {loadConfig} from '../../src/lib/config/load.ts'
import type {TopicConfig} from '../../src/lib/core/ports/bus.ts'
import {unique} from '../contract/bus-world.ts'
import {testContext} from '../helpers/context.ts'
import {kafkaUnderTest} from '../helpers/kafka.ts'
import {connectedBus, newTopic} from '../helpers/kafka-bus.ts'
import {busWith, connectedWith, consume, DRIVER_NAMES, failureOf} from '../helpers/kafka-drivers.ts'
import {silentServer} from '../helpers/silent-server.ts'
import {tempDir} from '../helpers/temp-dir.ts'
import {until} from '../helpers/until.ts'

/** With the defaults of everything, nobody waits longer for an error than this. */
const BOUND_MS = 15_000
/** A request to a paused broker takes 10 s to fail. */
const SETTLE_MS = 30_000
const {brokers, own} = kafkaUnderTest()
const forever = {retentionMs: null, retentionBytes: null}

/** What it fails with; every error says what to type next, and comes in time. */
async function refusal(work: () => Promise<unknown>) {
  const {error, elapsedMs} = await failureOf(work)
  expect(elapsedMs).toBeLessThan(BOUND_MS)
  expect(error.remedy?.length).toBeGreaterThan(0)
  return error
}

async function valuesOf(bus: KafkaBus, topic: string, partition: number): Promise<unknown[]> {
  return (await bus.read({topic, partition, offset: 0}, 100)).map(({value}) => value)
}

describe.each(DRIVER_NAMES)('bad input, through %s', (driver) => {
  it('says that nobody is at that address', async () => {
    const unreachable = (seen: RegExp) => ({
      code: 'COINPIPE_KAFKA_UNREACHABLE',
      exitCode: 4,
      retry: {kind: 'later'},
      message: expect.stringMatching(seen),
      remedy: expect.arrayContaining([expect.stringContaining('--brokers')]),
    })
    const connect = (...addresses: string[]) => refusal(() => busWith(driver, {brokers: addresses}).connect())
    expect(await connect('127.0.0.1:1')).toMatchObject(unreachable(/127\.0\.0\.1:1 .*ECONNREFUSED/))
    expect(await connect('nowhere.invalid:9092')).toMatchObject(unreachable(/nowhere\.invalid/))
    const silent = [await silentServer(), await silentServer(), await silentServer()]
    expect(await connect(...silent)).toMatchObject(unreachable(new RegExp(silent.join(', '))))
  })

  it.each([
    ['is down', async () => '127.0.0.1:1'],
    ['takes connections and never answers', () => silentServer()],
  ])('works where one of three brokers %s', async (_, third) => {
    const startMs = performance.now()
    const bus = await connectedWith(driver, {brokers: [await third(), ...brokers.slice(0, 2)]})
    const topic = await newTopic(await connectedBus())
    await bus.publish([{topic, key: null, value: 'v'}])
    expect(await consume(bus, topic, 1)).toMatchObject([{value: 'v'}])
    expect(performance.now() - startMs).toBeLessThan(BOUND_MS)
  })

  it('says that there is no such topic, to those who would not make one', async () => {
    const bus = await connectedWith(driver)
    const topic = unique('missing')
    const position = {topic, partition: 0, offset: 0}
    const missing = {code: 'COINPIPE_UNKNOWN_TOPIC', exitCode: 2, retry: {kind: 'never'}, message: `there is no topic '${topic}'`}
    for (const work of [
      () => bus.read(position, 1),
      () => bus.read(position, 1, {waitMs: 60_000}),
      () => bus.offsetsAt(topic, 0),
      () => bus.describeTopic(topic),
      () => bus.trim([position]),
      () => bus.alterTopic(topic, {retentionMs: 1}),
      () => bus.addPartitions(topic, 2),
      () => bus.deleteTopic(topic),
    ]) {
      expect(await refusal(work)).toMatchObject(missing)
    }
  })

  it('says that a topic is not as it was asked for', async () => {
    const bus = await connectedWith(driver)
    const topic = await newTopic(bus, {partitions: 6, replicas: 1})
    const ask = (config: Partial<TopicConfig>) => refusal(() => bus.ensureTopic(topic, {partitions: 6, ...forever, ...config}))
    const mismatch = (message: RegExp, remedy: string) => ({
      code: 'COINPIPE_TOPIC_MISMATCH',
      exitCode: 2,
      message: expect.stringMatching(message),
      remedy: [expect.stringContaining(remedy)],
    })
    expect(await ask({replicas: 2})).toMatchObject(mismatch(/has 1 replica of.*2 were asked/, `topics.${topic}.replicas to 1`))
    expect(await ask({partitions: 8})).toMatchObject(mismatch(/has 6 partitions, 8 were asked/, `topics.${topic}.partitions to 6`))
    expect(await ask({partitions: 3})).toMatchObject(mismatch(/has 6 partitions, 3 were asked/, `topics.${topic}.partitions to 6`))
  })

  it('says that there are not as many brokers as copies were asked for', async () => {
    const bus = await connectedWith(driver, {replicas: 4})
    const topic = unique('four')
    const tooFew = {code: 'COINPIPE_INVALID_INPUT', exitCode: 2, message: expect.stringMatching(/4 replicas.*3 brokers/)}
    expect(await refusal(() => bus.ensureTopic(topic, {partitions: 1, ...forever}))).toMatchObject(tooFew)
    expect(await refusal(() => bus.publish([{topic, key: null, value: 'v'}]))).toMatchObject(tooFew)
  })

  it('refuses a record that no log takes before anything of the call is sent', async () => {
    const bus = await connectedWith(driver)
    const topic = await newTopic(bus)
    const large = 'x'.repeat(MAX_RECORD_BYTES + 1)
    const records = ['small', large].map((value) => ({topic, key: null, value}))
    const tooLarge = {code: 'COINPIPE_RECORD_TOO_LARGE', retry: {kind: 'never'}, message: expect.stringContaining(String(MAX_RECORD_BYTES))}
    expect(await refusal(() => bus.publish(records))).toMatchObject(tooLarge)
    expect(await valuesOf(bus, topic, 0)).toEqual([])
  })

  it('refuses a record that the brokers do not take, and keeps what else was published', async () => {
    const bus = await connectedWith(driver, {compression: 'none', acks: 'all'})
    const topic = await newTopic(bus, {partitions: 2, settings: {'max.message.bytes': '2000'}})
    const small = (partition: number, value: string) => ({topic, partition, key: null, value})
    const before = bus.publish([small(0, 'before')])
    const mixed = refusal(() => bus.publish([small(0, 'x'.repeat(3000)), small(1, 'beside')]))
    const after = bus.publish([small(0, 'after')])
    expect(await mixed).toMatchObject({
      code: 'COINPIPE_RECORD_TOO_LARGE',
      message: expect.stringContaining(topic),
      remedy: [expect.stringContaining('--setting max.message.bytes')],
    })
    await Promise.all([before, after])
    expect(await valuesOf(bus, topic, 0)).toEqual(['before', 'after'])
    expect(await valuesOf(bus, topic, 1)).toEqual(['beside'])
  })

  it('says that a pinned partition is not in the real topic, whatever the config says', async () => {
    const topic = await newTopic(await connectedBus(), {partitions: 6})
    const bus = await connectedWith(driver, {topics: {[topic]: {partitions: 8, ...forever}}})
    const error = await refusal(() => bus.publish([5, 7].map((partition) => ({topic, partition, key: null, value: 'v'}))))
    expect(error).toMatchObject({
      code: 'COINPIPE_PARTITION_OUT_OF_RANGE',
      exitCode: 2,
      retry: {kind: 'never'},
      message: expect.stringMatching(/partition 7 .*has 0 to 5/),
      remedy: [expect.stringContaining(`topics.${topic}.pin`)],
    })
    expect(await valuesOf(bus, topic, 5)).toEqual([])
  })

  it('does not reset a group that has members', async () => {
    const bus = await connectedWith(driver)
    const [topic, group] = [await newTopic(bus), unique('active')]
    await bus.publish([{topic, key: null, value: 'v'}])
    const controller = new AbortController()
    const subscription = bus.subscribe({group, topics: [topic]}, controller.signal)
    const {value: delivery} = await subscription[Symbol.asyncIterator]().next()
    await delivery?.ack()
    const active = {code: 'COINPIPE_GROUP_ACTIVE', exitCode: 2, message: expect.stringContaining(group)}
    expect(await refusal(() => bus.resetGroup(group, [{topic, partition: 0, offset: 0}]))).toMatchObject(active)
    expect(await refusal(() => bus.deleteGroup(group))).toMatchObject(active)
    await subscription.close()
    await bus.resetGroup(group, [{topic, partition: 0, offset: 0}])
  })
})

// Others may need the brokers of a cluster that the tests did not start.
describe.skipIf(own === null).each(DRIVER_NAMES)('with fewer copies in sync than the topic wants, through %s', (driver) => {
  it('publishing ends at its deadline, or goes on once there are enough', async () => {
    const context = testContext()
    const hasty = await connectedWith(driver, {acks: 'all', deliveryTimeoutMs: 2_000})
    const patient = await connectedWith(driver, {acks: 'all'}, context)
    const admin = await connectedBus()
    const topic = await newTopic(admin, {replicas: 3, settings: {'min.insync.replicas': '3'}})
    const records = [{topic, key: null, value: 'v'}]
    const inSync = async () => (await admin.describeTopic(topic)).replication?.[0]?.isr.length
    const resume = await pauseBroker()
    await until('a copy is out of sync', async () => (await inSync()) === 2, SETTLE_MS)
    expect(await refusal(() => hasty.publish(records))).toMatchObject({
      code: 'COINPIPE_DEADLINE',
      exitCode: 4,
      retry: {kind: 'later'},
      message: expect.stringMatching(/2 s; last seen: .*min\.insync\.replicas/),
      remedy: expect.arrayContaining([expect.stringContaining('min.insync.replicas')]),
    })
    const published = patient.publish(records)
    const labels = {component: 'kafka-bus', code: 'COINPIPE_KAFKA'}
    await until('it was tried again', () => context.metrics.total('coinpipe_retries_total', labels) > 0, BOUND_MS)
    await resume()
    expect(await published).toEqual([{topic, partition: 0, offset: 0}])
  })
})

/** Stops the last broker of the cluster for a while; it goes on when the test is over at the latest. */
async function pauseBroker(): Promise<() => Promise<void>> {
  const {name: cluster, dataDir} = own ?? {name: '', dataDir: ''}
  const service = new ClusterService({dataDir}, testContext())
  const resume = async () => {
    await service.kill('kafka-3', 'CONT', {cluster})
    await until('the cluster is whole', async () => (await service.status(cluster))[0]?.state === 'whole', SETTLE_MS)
  }
  await service.kill('kafka-3', 'STOP', {cluster})
  onTestFinished(resume)
  return resume
}

describe('bad input in the config', () => {
  const load = async (text: string) => {
    const folder = await tempDir()
    const path = join(folder, 'coinpipe.yaml')
    await writeFile(path, `version: 1\n${text}\n`)
    return await loadConfig({path, env: {}, defaultDataDir: folder})
  }

  it.each([
    ['an unknown codec', 'bus: {kind: kafka, brokers: ["a:1"], compression: brotli}', /bus\.compression.*brotli.*zstd/],
    ['an unknown codec of a topic', 'topics: {market.trade: {compression: brotli}}', /topics\.market\.trade\.compression.*brotli.*zstd/],
    [
      'a partition that the topic will not have',
      'groups: {majors: [BTC-KRW]}\ntopics: {market.trade: {pin: {majors: 7}}}',
      /partition 7.*0 to 5/,
    ],
    ['an address that is none', 'bus: {kind: kafka, brokers: ["nowhere"]}', /bus\.brokers.*nowhere/],
    [
      'more copies in sync than there are',
      'bus: {kind: kafka, brokers: ["a:1"], replicas: 1}\ntopics: {market.trade: {minInsyncReplicas: 2}}',
      /min\.insync/,
    ],
  ])('refuses %s', async (_, text, message) => {
    const {error} = await failureOf(() => load(text))
    expect(error).toMatchObject({code: 'COINPIPE_CONFIG_INVALID', exitCode: 2, message: expect.stringMatching(message)})
  })

  it('refuses options of a bus that cannot be', () => {
    const invalid = expect.objectContaining({code: 'COINPIPE_INVALID_INPUT', exitCode: 2})
    const make = (changes: Partial<KafkaOptions>) => () => busWith('kafkajs', changes)
    expect(make({brokers: []})).toThrow(invalid)
    expect(make({compression: 'brotli' as 'none'})).toThrow(invalid)
  })
})
