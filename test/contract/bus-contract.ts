import {isUtf8} from 'node:buffer'
import {describe, expect, it} from 'vitest'
import {NotConnectedError} from '../../src/lib/core/errors.ts'
import {partitionForKey} from '../../src/lib/core/partitioner.ts'
import type {BusMessage, OutgoingRecord, Value} from '../../src/lib/core/ports/bus.ts'
import {until} from '../helpers/until.ts'
import {settling} from './bus-settling-contract.ts'
import {type BusContractOptions, numbered, PATIENCE_MS, QUIET_MS, Scene, unique, values} from './bus-world.ts'

/** What every bus promises about publishing, reading and settling. Groups and transactions have suites of their own. */
export function busContract(options: BusContractOptions): void {
  describe(`bus contract: ${options.name}`, () => {
    opening(options)
    publishing(options)
    reading(options)
    settling(options)
  })
}

function opening(options: BusContractOptions): void {
  it('opens, checks, closes, and closes again', async () => {
    const scene = await Scene.open(options)
    const {bus} = await scene.connect()
    await bus.check()
    await bus.close()
    await bus.close()
  })

  it('refuses work before connect and after close', async () => {
    const scene = await Scene.open(options)
    const {bus} = scene.handle()
    const record = {topic: unique('topic'), key: null, value: 'x'}
    await expect(bus.publish([record])).rejects.toBeInstanceOf(NotConnectedError)
    await bus.connect()
    await bus.close()
    await expect(bus.publish([record])).rejects.toBeInstanceOf(NotConnectedError)
    await expect(bus.check()).rejects.toBeInstanceOf(NotConnectedError)
  })

  it('keeps the records when a handle is closed and another opened', async () => {
    const scene = await Scene.open(options)
    const first = await scene.withTopic(1)
    await first.bus.publish(numbered(first.topic, 3))
    await first.bus.close()
    const second = await scene.connect()
    expect(values(await second.admin.read({topic: first.topic, partition: 0, offset: 0}, 10))).toEqual(['0', '1', '2'])
  })
}

function publishing(options: BusContractOptions): void {
  it('answers with one place per record, offsets dense in each partition', async () => {
    const scene = await Scene.open(options)
    const {bus, topic} = await scene.withTopic(2)
    const records = [0, 1, 0, 1, 0].map((partition): OutgoingRecord => ({topic, partition, key: null, value: 'x'}))
    expect(await bus.publish(records)).toEqual([
      {topic, partition: 0, offset: 0},
      {topic, partition: 1, offset: 0},
      {topic, partition: 0, offset: 1},
      {topic, partition: 1, offset: 1},
      {topic, partition: 0, offset: 2},
    ])
    expect(await bus.publish([])).toEqual([])
  })

  it('gives concurrent publishes of several handles offsets without holes or repeats', async () => {
    const scene = await Scene.open(options)
    const {bus, topic, admin} = await scene.withTopic(1)
    const {bus: other} = await scene.connect()
    const results = await Promise.all(
      Array.from({length: 40}, (_, round) => (round % 2 === 0 ? bus : other).publish(numbered(topic, 5, {prefix: `${round}:`}))),
    )
    const offsets = results.flat().map((result) => result.offset as number)
    expect(offsets.sort((a, b) => a - b)).toEqual(Array.from({length: 200}, (_, offset) => offset))
    expect(await admin.read({topic, partition: 0, offset: 0}, 1000)).toHaveLength(200)
  })

  it('keeps the order of publish calls of one handle', async () => {
    const scene = await Scene.open(options)
    const {bus, topic, admin} = await scene.withTopic(1)
    await Promise.all(Array.from({length: 30}, (_, index) => bus.publish(numbered(topic, 1, {first: index}))))
    expect(values(await admin.read({topic, partition: 0, offset: 0}, 100))).toEqual(Array.from({length: 30}, (_, index) => String(index)))
  })

  it("takes the caller's partition, else Java's hash of the key", async () => {
    const scene = await Scene.open(options)
    const {bus, topic} = await scene.withTopic(6)
    const keys = ['upbit:BTC-KRW', 'bithumb:비트코인', '', 'a', 'upbit:ETH-KRW']
    const byKey = await bus.publish(keys.map((key) => ({topic, key, value: 'x'})))
    expect(byKey.map((result) => result.partition)).toEqual(keys.map((key) => partitionForKey(key, 6)))
    const chosen = await bus.publish(keys.map((key, index) => ({topic, key, value: 'x', partition: index})))
    expect(chosen.map((result) => result.partition)).toEqual([0, 1, 2, 3, 4])
  })

  it('puts the keyless records of a batch into one partition', async () => {
    const scene = await Scene.open(options)
    const {bus, topic} = await scene.withTopic(6)
    const results = await bus.publish(Array.from({length: 20}, () => ({topic, key: null, value: 'x'})))
    expect(new Set(results.map((result) => result.partition)).size).toBe(1)
  })

  it('keeps text, bytes, keys, headers and tombstones exactly', async () => {
    const scene = await Scene.open(options)
    const {bus, topic} = await scene.withTopic(1)
    const pooled = Buffer.from('a view into a shared pool')
    const sent: OutgoingRecord[] = [
      {topic, key: 'k', value: 'text'},
      {topic, key: '키', value: '비트코인 🚀 \u0000 \n é'},
      {topic, key: '', value: ''},
      {topic, key: null, value: null},
      {topic, key: 'gone', value: null, headers: {reason: 'tombstone'}},
      {topic, key: 'bytes', value: Uint8Array.from([0, 255, 128, 10, 0])},
      {topic, key: 'no bytes', value: new Uint8Array(0)},
      {topic, key: 'pool', value: pooled.subarray(2, 6)},
      {topic, key: 'headers', value: '1', headers: {code: 'COINPIPE_X', text: '값 "quoted"', empty: ''}},
      {topic, key: 'large', value: 'x'.repeat(300_000)},
    ]
    await bus.publish(sent)
    const reader = scene.subscribe(bus, {group: unique('group'), topics: [topic]})
    const got = await reader.take(sent.length)
    const plain = (value: Value | null) => (value instanceof Uint8Array ? [...value] : value)
    const kept = (value: Value | null) =>
      options.bytesOnly && value instanceof Uint8Array && isUtf8(value) ? Buffer.from(value).toString() : plain(value)
    expect(got.map(({key, value, headers}) => ({key, value: plain(value), headers}))).toEqual(
      sent.map(({key, value, headers}) => ({key, value: kept(value), headers: headers ?? {}})),
    )
  })

  it('stamps records with the time of arrival, never stepping back', async () => {
    const scene = await Scene.open(options)
    const {bus, admin, topic} = await scene.withTopic(1)
    const before = Date.now()
    for (let index = 0; index < 5; index++) await bus.publish(numbered(topic, 2))
    const stamps = (await admin.read({topic, partition: 0, offset: 0}, 100)).map((message) => message.timestampMs)
    expect(stamps).toEqual([...stamps].sort((a, b) => a - b))
    expect(stamps[0]).toBeGreaterThanOrEqual(before - 1000)
    expect(stamps.at(-1)).toBeLessThanOrEqual(Date.now() + 1000)
  })

  it('creates a topic that is published to', async () => {
    const scene = await Scene.open(options)
    const {bus, admin} = await scene.connect()
    const topic = `market.${unique('auto')}`
    await bus.publish([{topic, key: 'k', value: 'x'}])
    expect((await admin.describeTopic(topic)).partitions).toBe(6)
  })

  it('refuses a partition out of range, a bad topic name and an oversized record', async () => {
    const scene = await Scene.open(options)
    const {bus, admin, topic} = await scene.withTopic(2)
    await expect(bus.publish([{topic, partition: 2, key: null, value: 'x'}])).rejects.toMatchObject({
      code: 'COINPIPE_PARTITION_OUT_OF_RANGE',
    })
    await expect(bus.publish([{topic: 'no/slash', key: null, value: 'x'}])).rejects.toMatchObject({code: 'COINPIPE_INVALID_INPUT'})
    const large = {topic, key: null, value: new Uint8Array(17 * 1024 * 1024)}
    await expect(bus.publish([large])).rejects.toMatchObject({code: 'COINPIPE_RECORD_TOO_LARGE', retry: {kind: 'never'}})
    expect((await admin.describeTopic(topic)).offsets.map((partition) => partition.latest)).toEqual([0, 0])
  })

  it('loses no other publish to a bad one at the same time, and of the bad one nothing stays', async () => {
    const scene = await Scene.open(options)
    const {bus, admin, topic} = await scene.withTopic(2)
    const good = (index: number) => numbered(topic, 2, {first: index * 2})
    const results = await Promise.allSettled([
      bus.publish(good(0)),
      bus.publish([...numbered(topic, 1, {prefix: 'bad'}), {topic, partition: 9, key: null, value: 'bad'}]),
      bus.publish(good(1)),
    ])
    expect(results.map((result) => result.status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
    if (bus.capabilities.idempotence) {
      expect(values(await admin.read({topic, partition: 0, offset: 0}, 10))).toEqual(['0', '1', '2', '3'])
    }
  })
}

function reading(options: BusContractOptions): void {
  it('delivers in order, in batches of at most maxBatchRecords', async () => {
    const scene = await Scene.open(options)
    const {bus, topic} = await scene.withTopic(1)
    await bus.publish(numbered(topic, 25))
    const reader = scene.subscribe(bus, {group: unique('group'), topics: [topic], maxBatchRecords: 10})
    const sizes: number[] = []
    const seen: BusMessage[] = []
    while (seen.length < 25) {
      const delivery = await reader.next()
      sizes.push(delivery.items.length)
      seen.push(...delivery.items)
      await delivery.ack()
    }
    expect(values(seen)).toEqual(Array.from({length: 25}, (_, index) => String(index)))
    expect(seen.map((message) => message.offset)).toEqual(Array.from({length: 25}, (_, index) => index))
    expect(Math.max(...sizes)).toBeLessThanOrEqual(10)
  })

  it('bounds a batch by bytes, and lets a larger record through alone', async () => {
    const scene = await Scene.open(options)
    const {bus, topic} = await scene.withTopic(1)
    const lengths = [40, 40, 40, 500, 40]
    await bus.publish(lengths.map((length) => ({topic, partition: 0, key: null, value: 'x'.repeat(length)})))
    const reader = scene.subscribe(bus, {group: unique('group'), topics: [topic], maxBatchBytes: 100})
    const batches: number[][] = []
    for (let count = 0; count < lengths.length; ) {
      const delivery = await reader.next()
      batches.push(delivery.items.map((item) => item.value?.length ?? 0))
      count += delivery.items.length
      await delivery.ack()
    }
    expect(batches.flat()).toEqual(lengths)
    for (const batch of batches) expect(batch.length === 1 || batch.reduce((a, b) => a + b, 0) <= 100).toBe(true)
  })

  it('reads all partitions, none of which starves', async () => {
    const scene = await Scene.open(options)
    const {bus, topic} = await scene.withTopic(3)
    await bus.publish([...numbered(topic, 2, {partition: 1}), ...numbered(topic, 2, {partition: 2}), ...numbered(topic, 2000)])
    const reader = scene.subscribe(bus, {group: unique('group'), topics: [topic], maxBatchRecords: 50})
    const all = await reader.take(2004)
    // Partitions may be on different nodes, of which one answers first.
    expect(new Set(all.slice(0, 1000).map((message) => message.partition))).toEqual(new Set([0, 1, 2]))
    expect(all.filter((message) => message.partition === 0).map((message) => message.offset)).toEqual(
      Array.from({length: 2000}, (_, at) => at),
    )
  })

  it('delivers what is published later, from this handle and from another', async () => {
    const scene = await Scene.open(options)
    const {bus, topic} = await scene.withTopic(1)
    const {bus: other} = await scene.connect()
    const reader = scene.subscribe(bus, {group: unique('group'), topics: [topic]})
    expect(await reader.result(QUIET_MS)).toBe('nothing')
    await bus.publish(numbered(topic, 1, {prefix: 'own'}))
    expect(values(await reader.take(1))).toEqual(['own0'])
    await other.publish(numbered(topic, 1, {prefix: 'other'}))
    expect(values(await reader.take(1))).toEqual(['other0'])
  })

  it('starts at the end where asked to, and stays there over a restart before the first ack', async () => {
    const scene = await Scene.open(options)
    const {bus, topic} = await scene.withTopic(1)
    await bus.publish(numbered(topic, 3, {prefix: 'old'}))
    const group = unique('group')
    const first = scene.subscribe(bus, {group, topics: [topic], from: 'latest'})
    await until('partition assigned', () => first.subscription.assignment().length === 1, PATIENCE_MS)
    await bus.publish(numbered(topic, 2, {prefix: 'new'}))
    expect(values((await first.next()).items)[0]).toBe('new0')
    await first.subscription.close()
    const second = scene.subscribe(bus, {group, topics: [topic], from: 'latest'})
    expect(values(await second.take(2))).toEqual(['new0', 'new1'])
  })

  it('lets startAt win over the committed offset, and asks only about new partitions', async () => {
    const scene = await Scene.open(options)
    const {bus, topic} = await scene.withTopic(2)
    await bus.publish([...numbered(topic, 5), ...numbered(topic, 5, {partition: 1})])
    const group = unique('group')
    const first = scene.subscribe(bus, {group, topics: [topic]})
    await first.take(10)
    await first.subscription.close()
    const asked: number[] = []
    const second = scene.subscribe(bus, {
      group,
      topics: [topic],
      startAt: async (partitions) => {
        asked.push(...partitions.map(({partition}) => partition))
        return [{topic, partition: 0, offset: 3}]
      },
    })
    expect((await second.take(2)).map(({partition, offset}) => [partition, offset])).toEqual([
      [0, 3],
      [0, 4],
    ])
    expect(asked.sort()).toEqual([0, 1])
    expect(await second.result(QUIET_MS)).toBe('nothing')
  })

  it.each(['an ack', 'a transaction'])('does not move the committed offset back by %s of what startAt has read again', async (how) => {
    const scene = await Scene.open(options)
    const {bus, admin, topic} = await scene.withTopic(1)
    if (how === 'a transaction' && !bus.capabilities.transactions) return
    await bus.publish(numbered(topic, 5))
    const group = unique('group')
    const first = scene.subscribe(bus, {group, topics: [topic]})
    await first.take(5)
    await first.subscription.close()
    const startAt = async () => [{topic, partition: 0, offset: 1}]
    const second = scene.subscribe(bus, {group, topics: [topic], maxBatchRecords: 2, startAt})
    const delivery = await second.next()
    expect(delivery.items.map(({offset}) => offset)).toEqual([1, 2])
    if (how === 'an ack') await delivery.ack()
    else await bus.transaction({id: unique('tx')}, async (transaction) => transaction.consume(delivery))
    expect(await admin.lag(group)).toMatchObject([{committed: 5, lag: 0}])
  })

  it('ends when its signal aborts, also while it waits', async () => {
    const scene = await Scene.open(options)
    const {bus, topic} = await scene.withTopic(1)
    const reader = scene.subscribe(bus, {group: unique('group'), topics: [topic]})
    const waiting = reader.result(10_000)
    await until('partition assigned', () => reader.subscription.assignment().length === 1, PATIENCE_MS)
    reader.abort()
    expect(await waiting).toMatchObject({done: true})
  })

  it('still commits a delivery that is acked after the abort', async () => {
    const scene = await Scene.open(options)
    const {bus, admin, topic} = await scene.withTopic(1)
    await bus.publish(numbered(topic, 2))
    const group = unique('group')
    const reader = scene.subscribe(bus, {group, topics: [topic]})
    const delivery = await reader.next()
    reader.abort()
    await delivery.ack()
    await reader.subscription.close()
    expect((await admin.lag(group)).map(({committed}) => committed)).toEqual([delivery.items.length])
  })

  it('ends when it is closed, and closes twice', async () => {
    const scene = await Scene.open(options)
    const {bus, topic} = await scene.withTopic(1)
    const reader = scene.subscribe(bus, {group: unique('group'), topics: [topic]})
    const waiting = reader.result(10_000)
    await reader.subscription.close()
    await reader.subscription.close()
    expect(await waiting).toMatchObject({done: true})
    expect(reader.subscription.assignment()).toEqual([])
  })
}
