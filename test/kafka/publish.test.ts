import {describe, expect, it} from 'vitest'
import {KafkaClient} from '../../src/lib/bus/kafka/client.ts'
import type {PartitionBatch} from '../../src/lib/bus/kafka/driver.ts'
import type {KafkaBus} from '../../src/lib/bus/kafka/kafka-bus.ts'
import {COMPRESSIONS} from '../../src/lib/bus/kafka/options.ts'
import {untilDone} from '../../src/lib/bus/kafka/retry.ts'
import {BatchWriter, type Parcel} from '../../src/lib/bus/kafka-platformatic/batch-writer.ts'
import {systemClock} from '../../src/lib/core/clock.ts'
import {PATIENCE_MS, values} from '../contract/bus-world.ts'
import {kafkaOptions} from '../helpers/kafka.ts'
import {connectedBus, kafkaBus, newTopic, numberedFrom, range} from '../helpers/kafka-bus.ts'
import {toolConsume, toolReassign, toolTopic} from '../helpers/kafka-tools.ts'
import {silentServer} from '../helpers/silent-server.ts'
import {until} from '../helpers/until.ts'

const DURABLE = {acks: 'all', idempotent: true} as const

async function readAll(bus: KafkaBus, topic: string, count: number): Promise<unknown[]> {
  const read = async () => values(await bus.read({topic, partition: 0, offset: 0}, count + 10))
  await expect.poll(async () => (await read()).length, {timeout: PATIENCE_MS}).toBeGreaterThanOrEqual(count)
  return await read()
}

describe('publishing', () => {
  it("compresses so that Kafka's own consumer reads it", async () => {
    const plain = await connectedBus({acks: 'all'})
    const topic = await newTopic(plain)
    for (const [at, compression] of COMPRESSIONS.entries()) {
      const bus = await connectedBus({acks: 'all', compression})
      await bus.publish(numberedFrom(topic, at * 100, 100))
    }
    const all = range(COMPRESSIONS.length * 100)
    expect(await readAll(plain, topic, all.length)).toEqual(all)
    expect(await toolConsume(topic, all.length)).toEqual(all)
  })

  it('writes each record once and in order while its partition moves from broker to broker', async () => {
    const bus = await connectedBus(DURABLE)
    const topic = await newTopic(bus, {replicas: 2})
    const brokers = (await bus.nodes()).map(({id}) => Number(id))
    let next = 0
    let stop = false
    const publishing = (async () => {
      while (!stop) {
        const calls = [0, 1, 2].map((call) => bus.publish(numberedFrom(topic, next + call * 50, 50)))
        next += 150
        await Promise.all(calls)
      }
    })()
    for (const turn of [0, 1, 2]) {
      const replicas = [0, 1].map((step) => brokers[(turn + step) % brokers.length] as number)
      await toolReassign(topic, [replicas])
      const moved = async () => {
        await bus.electLeaders([topic])
        const {leader, replicas: now} = (await toolTopic(topic)).replication[0] ?? {}
        return leader === replicas[0] && now?.length === replicas.length
      }
      await until('the partition moved', moved, PATIENCE_MS)
    }
    stop = true
    await publishing
    expect(await readAll(bus, topic, next)).toEqual(range(next))
  })

  it('is told by the brokers of a repeat, and where it is', async () => {
    const bus = await connectedBus(DURABLE)
    const topic = await newTopic(bus)
    const client = new KafkaClient(kafkaOptions())
    await client.connect()
    try {
      const writer = new BatchWriter({client, clock: systemClock, requestTimeoutMs: 10_000})
      const init = () => client.call<{producerId: bigint; producerEpoch: number}>('any', 'InitProducerId', [null, 60_000, -1n, -1])
      // A broker may be new to its part of the coordinators' work.
      const identity = await untilDone(init, {clock: systemClock, deadlineMs: PATIENCE_MS})
      const batch: PartitionBatch = {topic, partition: 0, compression: 'lz4', records: numberedFrom(topic, 0, 3)}
      const parcel = (baseSequence: number): Parcel => ({
        batch,
        producer: {producerId: identity.producerId, producerEpoch: identity.producerEpoch, baseSequence, transactional: false},
      })
      const write = (baseSequence: number) => writer.write([parcel(baseSequence)], {acks: -1, transactionalId: null})
      expect(await write(0)).toEqual([{baseOffset: 0}])
      expect(await write(3)).toEqual([{baseOffset: 3}])
      expect(await write(0)).toEqual([{baseOffset: 0}])
      expect(await write(9)).toMatchObject([{name: 'OUT_OF_ORDER_SEQUENCE_NUMBER'}])
      expect(await write(6)).toEqual([{baseOffset: 6}])
      expect(await readAll(bus, topic, 9)).toHaveLength(9)
    } finally {
      await client.close()
    }
  })

  it("keeps to the topic's largest batch, and refuses a record that is larger", async () => {
    const bus = await connectedBus({compression: 'none'})
    const topic = await newTopic(bus, {settings: {'max.message.bytes': '2000'}})
    const results = await bus.publish(numberedFrom(topic, 0, 500))
    expect(results.map(({offset}) => offset)).toEqual(Array.from({length: 500}, (_, at) => at))
    const large = bus.publish([{topic, key: null, value: 'x'.repeat(3000)}])
    await expect(large).rejects.toMatchObject({code: 'COINPIPE_RECORD_TOO_LARGE', retry: {kind: 'never'}})
    expect(await readAll(bus, topic, 500)).toEqual(range(500))
  })

  it('says nothing of offsets without acknowledgements', async () => {
    const bus = await connectedBus({acks: 0})
    const topic = await newTopic(bus)
    expect(await bus.publish(numberedFrom(topic, 0, 2))).toEqual([0, 1].map(() => ({topic, partition: 0, offset: null})))
    expect(await readAll(bus, topic, 2)).toEqual(['0', '1'])
  })

  it('makes a topic anew that was deleted while it published', async () => {
    const [bus, other] = [await connectedBus(), await connectedBus()]
    const topic = await newTopic(bus)
    await bus.publish(numberedFrom(topic, 0, 1))
    await other.deleteTopic(topic)
    await bus.publish(numberedFrom(topic, 1, 1))
    expect((await bus.describeTopic(topic)).partitions).toBe(3)
    expect(await readAll(bus, topic, 1)).toEqual(['1'])
  })

  it('sends what waits before it closes', async () => {
    const bus = await connectedBus({lingerMs: 60_000, acks: 'all'})
    const topic = await newTopic(await connectedBus())
    const published = bus.publish(numberedFrom(topic, 0, 3))
    await bus.close()
    expect((await published).map(({offset}) => offset)).toEqual([0, 1, 2])
  })
})

describe('bad input', () => {
  it('says within seconds that nobody answers', async () => {
    const limits = {connectTimeoutMs: 500, requestTimeoutMs: 1000}
    const wrong = {code: 'COINPIPE_KAFKA_UNREACHABLE', exitCode: 4}
    await expect(kafkaBus({...limits, brokers: ['127.0.0.1:1']}).connect()).rejects.toMatchObject(wrong)
    await expect(kafkaBus({...limits, brokers: [await silentServer()]}).connect()).rejects.toMatchObject(wrong)
    await expect(kafkaBus({...limits, brokers: ['nowhere.invalid:9092']}).connect()).rejects.toMatchObject(wrong)
  })

  it('goes by a broker that takes connections and never answers', async () => {
    const bus = await connectedBus({
      brokers: [await silentServer(), ...kafkaOptions().brokers],
      connectTimeoutMs: 500,
      requestTimeoutMs: 2000,
    })
    const topic = await newTopic(bus)
    await bus.publish(numberedFrom(topic, 0, 1))
  })

  it('refuses options that do not go together before it connects', () => {
    const invalid = expect.objectContaining({code: 'COINPIPE_INVALID_INPUT'})
    expect(() => kafkaBus({brokers: []})).toThrow(invalid)
    expect(() => kafkaBus({idempotent: true, acks: 1})).toThrow(invalid)
    expect(() => kafkaBus({compression: 'brotli' as 'none'})).toThrow(invalid)
  })
})
