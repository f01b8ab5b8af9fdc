import {createRequire} from 'node:module'
import kafkajs, {type Broker as BrokerType, type Producer, type Transaction} from 'kafkajs'
import {describe, expect, it, onTestFinished, vi} from 'vitest'
import {KafkaAuthError} from '../../src/lib/bus/kafka/errors.ts'
import {KafkaBus} from '../../src/lib/bus/kafka/kafka-bus.ts'
import {COMPRESSIONS, type KafkaOptions} from '../../src/lib/bus/kafka/options.ts'
import {KafkajsDriver} from '../../src/lib/bus/kafka-kafkajs/driver.ts'
import {PlatformaticDriver} from '../../src/lib/bus/kafka-platformatic/driver.ts'
import {EXIT, FencedError, UnsupportedError} from '../../src/lib/core/errors.ts'
import type {SubscribeOptions} from '../../src/lib/core/ports/bus.ts'
import {numbered, PATIENCE_MS, QUIET_MS, Reader, unique, values} from '../contract/bus-world.ts'
import {testContext} from '../helpers/context.ts'
import {kafkaOptions} from '../helpers/kafka.ts'
import {until} from '../helpers/until.ts'

/** kafkajs does not export the class. */
const Broker = createRequire(import.meta.url)('kafkajs/src/broker/index.js') as {readonly prototype: BrokerType}
const forEver = {retentionMs: null, retentionBytes: null}

function busOf(Driver: typeof KafkajsDriver | typeof PlatformaticDriver, changes: Partial<KafkaOptions> = {}): KafkaBus {
  const bus = new KafkaBus(kafkaOptions({acks: 'all', ...changes}), (...parts) => new Driver(...parts), testContext())
  onTestFinished(() => bus.close())
  return bus
}

async function open(changes: Partial<KafkaOptions> = {}): Promise<KafkaBus> {
  const bus = busOf(KafkajsDriver, changes)
  await bus.connect()
  return bus
}

async function topicOf(bus: KafkaBus, partitions: number): Promise<string> {
  const topic = unique('kafkajs')
  await bus.ensureTopic(topic, {partitions, ...forEver})
  return topic
}

function subscribe(bus: KafkaBus, options: SubscribeOptions): Reader {
  const controller = new AbortController()
  return new Reader(bus.subscribe(options, controller.signal), controller)
}

function driverOf(changes: Partial<KafkaOptions>): KafkajsDriver {
  const driver = new KafkajsDriver(kafkaOptions(changes), testContext(), {ensureTopic: async () => undefined})
  onTestFinished(() => driver.close())
  return driver
}

/** A producer whose transactions can be left open, to be mixed with others. */
async function transactional(): Promise<Producer> {
  const {Kafka, Partitioners, logLevel} = kafkajs
  const kafka = new Kafka({brokers: [...kafkaOptions().brokers], logLevel: logLevel.NOTHING})
  const producer = kafka.producer({
    transactionalId: unique('kafkajs-txn'),
    idempotent: true,
    maxInFlightRequests: 1,
    createPartitioner: Partitioners.DefaultPartitioner,
  })
  await producer.connect()
  onTestFinished(() => producer.disconnect())
  return producer
}

const count = (reader: Reader) => reader.subscription.assignment().length

describe('publishing through kafkajs', () => {
  it.each(COMPRESSIONS)('writes with %s what both clients read', async (compression) => {
    const bus = await open({compression})
    const topic = await topicOf(bus, 1)
    await bus.publish(numbered(topic, 500, {prefix: 'compressible compressible compressible '}))
    const other = busOf(PlatformaticDriver)
    await other.connect()
    const expected = numbered(topic, 500, {prefix: 'compressible compressible compressible '}).map(({value}) => value)
    for (const reading of [bus, other]) {
      const reader = subscribe(reading, {group: unique('group'), topics: [topic]})
      expect(values(await reader.take(500))).toEqual(expected)
    }
  })

  it('sends one partition a request: a send that spans several loses acknowledged records when a broker dies', async () => {
    const bus = await open()
    const topic = await topicOf(bus, 6)
    const produce = vi.spyOn(Broker.prototype, 'produce')
    onTestFinished(() => produce.mockRestore())
    await bus.publish([0, 1, 2, 3, 4, 5].flatMap((partition) => numbered(topic, 3, {partition})))
    const asked = produce.mock.calls.map(([{topicData}]) => topicData.flatMap(({partitions}) => partitions.map(({partition}) => partition)))
    expect(asked.map((partitions) => partitions.length)).toEqual([1, 1, 1, 1, 1, 1])
    expect(asked.flat().sort()).toEqual([0, 1, 2, 3, 4, 5])
  })

  it('goes on with other topics when one that it published to is gone', async () => {
    const bus = await open()
    const [gone, other] = [await topicOf(bus, 1), await topicOf(bus, 1)]
    for (const topic of [gone, other]) await bus.publish(numbered(topic, 1))
    await bus.deleteTopic(gone)
    // What kafkajs knows is old enough to be asked for again.
    const {now} = Date
    vi.spyOn(Date, 'now').mockImplementation(() => now() + 10_000)
    onTestFinished(() => void vi.restoreAllMocks())
    expect(await bus.publish(numbered(other, 1))).toMatchObject([{offset: 1}])
  })

  it('gives no offset without acknowledgements, and the records arrive', async () => {
    const bus = await open({acks: 0})
    const topic = await topicOf(bus, 2)
    const results = await bus.publish([...numbered(topic, 2), ...numbered(topic, 1, {partition: 1})])
    expect(results.map(({offset}) => offset)).toEqual([null, null, null])
    expect(await subscribe(bus, {group: unique('group'), topics: [topic]}).take(3)).toHaveLength(3)
  })

  it('refuses to be idempotent, and names the client that can', () => {
    expect(() => busOf(KafkajsDriver, {idempotent: true})).toThrow(UnsupportedError)
  })

  it('starts from any broker that is named, and says so where none answers', async () => {
    const {brokers} = kafkaOptions()
    const bus = await open({brokers: ['127.0.0.1:1', ...brokers]})
    await bus.check()
    const driver = driverOf({brokers: ['127.0.0.1:1', '127.0.0.1:2']})
    const unreachable = {code: 'COINPIPE_KAFKA_UNREACHABLE', exitCode: EXIT.unavailable, message: expect.stringContaining('127.0.0.1:1')}
    await expect(driver.connect()).rejects.toMatchObject(unreachable)
  })

  it('says that it is not let in', async () => {
    // The listener knows no SASL: to brokers that is a user who may not enter.
    const driver = driverOf({sasl: {mechanism: 'plain', username: 'nobody', password: 'wrong'}})
    await expect(driver.connect()).rejects.toBeInstanceOf(KafkaAuthError)
  })

  it('leaves nothing open that would keep a process', async () => {
    const before = process.getActiveResourcesInfo().length
    const bus = await open()
    const topic = await topicOf(bus, 2)
    await bus.publish(numbered(topic, 1))
    await subscribe(bus, {group: unique('group'), topics: [topic]}).take(1)
    await bus.close()
    await until('all is closed', () => process.getActiveResourcesInfo().length <= before, PATIENCE_MS)
  })
})

describe('reading through kafkajs', () => {
  it('lets a member finish what it read before the partitions are shared anew', async () => {
    const [bus, other] = [await open(), await open()]
    const [topic, group] = [await topicOf(bus, 2), unique('group')]
    await bus.publish([...numbered(topic, 1), ...numbered(topic, 1, {partition: 1})])
    const asked: number[] = []
    const startAt = async (partitions: readonly {partition: number}[]) => {
      asked.push(...partitions.map(({partition}) => partition))
      return []
    }
    const a = subscribe(bus, {group, topics: [topic], startAt, maxBatchRecords: 1, maxInFlight: 2})
    const deliveries = [await a.next(), await a.next()]
    const b = subscribe(other, {group, topics: [topic]})
    await until('b waits for a', async () => (await bus.describeGroup(group)).phase === 'rebalancing', PATIENCE_MS)
    for (const delivery of deliveries) await delivery.ack()
    await until('they share', () => count(a) === 1 && count(b) === 1, PATIENCE_MS)
    expect(await b.result(QUIET_MS)).toBe('nothing')
    // What a kept it went on with, without being asked where to start.
    expect(asked.sort()).toEqual([0, 1])
  })

  it('goes on without a member that does not finish in time, and refuses its ack of what was taken away', async () => {
    const [bus, other] = [await open({rebalanceTimeoutMs: 4_000}), await open()]
    const [topic, group] = [await topicOf(bus, 2), unique('group')]
    await bus.publish([...numbered(topic, 1), ...numbered(topic, 1, {partition: 1})])
    const a = subscribe(bus, {group, topics: [topic], maxBatchRecords: 1, maxInFlight: 2})
    const late = [await a.next(), await a.next()]
    const b = subscribe(other, {group, topics: [topic]})
    const taken = await b.next(PATIENCE_MS)
    const acks = await Promise.allSettled(late.map((delivery) => delivery.ack()))
    const refused = acks.filter((ack) => ack.status === 'rejected')
    expect(refused.map(({reason}) => reason)).toEqual([expect.any(FencedError)])
    expect(late.flatMap(({items}) => items)).toEqual(expect.arrayContaining([...taken.items]))
    await taken.ack()
  })

  it('shows nothing of transactions that overlapped and were aborted', async () => {
    const bus = await open()
    const topic = await topicOf(bus, 1)
    const [one, two] = [await transactional(), await transactional()]
    for (let round = 0; round < 5; round++) {
      const [good, bad, worse] = [await one.transaction(), await two.transaction(), await (await transactional()).transaction()]
      const write = (transaction: Transaction, value: string) => transaction.send({topic, messages: [{value}]})
      await write(worse, 'aborted')
      await write(bad, 'aborted')
      await write(good, `good${round}`)
      await write(worse, 'aborted')
      await write(bad, 'aborted')
      // In the other order than they began.
      await bad.abort()
      await good.commit()
      await worse.abort()
    }
    await bus.publish(numbered(topic, 1, {prefix: 'end'}))
    const seen = async (isolation: 'committed' | 'uncommitted', expected: number) =>
      values(await subscribe(bus, {group: unique('group'), topics: [topic], isolation}).take(expected, PATIENCE_MS))
    expect(await seen('committed', 6)).toEqual(['good0', 'good1', 'good2', 'good3', 'good4', 'end0'])
    expect((await seen('uncommitted', 26)).filter((value) => value === 'aborted')).toHaveLength(20)
  })
})
