import fc from 'fast-check'
import {describe, expect, it, onTestFinished} from 'vitest'
import {RecordTooLargeError, unknownTopic} from '../../../../src/lib/bus/errors.ts'
import type {PartitionBatch, SendOutcome} from '../../../../src/lib/bus/kafka/driver.ts'
import {KafkaError} from '../../../../src/lib/bus/kafka/errors.ts'
import {KnownTopics} from '../../../../src/lib/bus/kafka/known-topics.ts'
import {KAFKA_DEFAULTS, type KafkaOptions} from '../../../../src/lib/bus/kafka/options.ts'
import {Publisher} from '../../../../src/lib/bus/kafka/publisher.ts'
import {NotConnectedError, UnknownTopicError} from '../../../../src/lib/core/errors.ts'
import type {OutgoingRecord} from '../../../../src/lib/core/ports/bus.ts'
import {testContext} from '../../../helpers/context.ts'
import {until} from '../../../helpers/until.ts'

const OPTIONS: KafkaOptions = {...KAFKA_DEFAULTS, brokers: ['nowhere:1'], compression: 'none', lingerMs: 1}
const PARTITIONS = 3

/** Brokers in memory: what they take, they keep in the order it came in; what goes wrong is scripted. */
class Brokers {
  readonly log = new Map<string, string[]>()
  readonly batches: PartitionBatch[] = []
  readonly topics = new Map<string, number>([['t', PARTITIONS]])
  readonly requests: number[] = []
  created = 0
  /** Asked for each batch: undefined takes it. */
  refuse: (batch: PartitionBatch) => SendOutcome | undefined = () => undefined
  lookUp: () => Promise<void> = async () => undefined
  answers: () => Promise<void> = async () => undefined
  readonly #under = new Set<string>()

  readonly send = async (batches: readonly PartitionBatch[]): Promise<SendOutcome[]> => {
    this.requests.push(batches.length)
    const keys = batches.map(({topic, partition}) => `${topic}/${partition}`)
    for (const key of keys) {
      expect(this.#under.has(key), `two batches of ${key} at once`).toBe(false)
      this.#under.add(key)
    }
    await this.answers()
    for (const key of keys) this.#under.delete(key)
    return batches.map((batch, index) => this.#take(batch, keys[index] ?? ''))
  }

  #take(batch: PartitionBatch, key: string): SendOutcome {
    this.batches.push(batch)
    const refused = this.refuse(batch)
    if (refused !== undefined) return refused
    const log = this.log.get(key) ?? []
    this.log.set(key, log)
    const baseOffset = log.length
    for (const {value} of batch.records) log.push(String(value))
    return {baseOffset}
  }

  async topic(name: string) {
    await this.lookUp()
    const count = this.topics.get(name)
    if (count === undefined) throw unknownTopic(name)
    const partitions = Array.from({length: count}, (_, index) => ({
      leader: index % 2,
      leaderEpoch: 0,
      replicas: [],
      isr: [],
      offlineReplicas: [],
    }))
    return {id: name, partitions, partitionsCount: count, lastUpdate: 0}
  }
}

function open(changes: Partial<KafkaOptions> = {}) {
  const options = {...OPTIONS, ...changes}
  const brokers = new Brokers()
  const context = testContext()
  const topics = new KnownTopics({
    client: {brokers: options.brokers, topic: (name) => brokers.topic(name)},
    clock: context.clock,
    random: context.random,
    deadlineMs: options.deliveryTimeoutMs,
    compression: options.compression,
    configOf: () => ({partitions: PARTITIONS, retentionMs: null, retentionBytes: null}),
    create: async (name, {partitions}) => {
      brokers.created += 1
      brokers.topics.set(name, partitions)
    },
    onFailure: () => undefined,
  })
  const publisher = new Publisher({driver: brokers, topics, options, context, component: 'kafka-bus'})
  onTestFinished(() => publisher.close(0))
  const publish = (records: readonly OutgoingRecord[]) => publisher.publish(records, records.length * 10)
  return {brokers, publisher, publish, context}
}

function numbered(first: number, count: number, partition?: number): OutgoingRecord[] {
  const where = partition === undefined ? {} : {partition}
  return Array.from({length: count}, (_, at) => ({topic: 't', key: null, value: String(first + at), ...where}))
}

const later = () => new KafkaError('NOT_LEADER_OR_FOLLOWER', 'moved', {retry: {kind: 'later'}})

describe('publishing to Kafka', () => {
  it('answers for each record in the order of the call, whatever partitions they go to', async () => {
    const {publish} = open()
    const mixed = [2, 0, 2, 1, 0].map((partition, at): OutgoingRecord => ({topic: 't', key: null, value: String(at), partition}))
    expect((await publish(mixed)).map(({partition, offset}) => [partition, offset])).toEqual([
      [2, 0],
      [0, 0],
      [2, 1],
      [1, 0],
      [0, 1],
    ])
  })

  it('sends what is published at once in one request for each leader', async () => {
    const {publish, brokers} = open()
    await publish(numbered(0, 1, 0))
    brokers.requests.length = 0
    await Promise.all([0, 1, 2, 0, 1, 2].map((partition) => publish(numbered(0, 10, partition))))
    expect(brokers.requests).toEqual([2, 1])
  })

  it('keeps each record once and in order, however often batches have to be sent again', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.record({size: fc.integer({min: 1, max: 40}), partition: fc.nat({max: PARTITIONS - 1})}), {minLength: 1, maxLength: 30}),
        fc.infiniteStream(fc.integer({min: 0, max: 3})),
        async (calls, dice) => {
          const {publish, brokers, publisher} = open({batchBytes: 1000, lingerMs: 0})
          let failures = 0
          brokers.refuse = () => (dice.next().value === 0 && failures++ < 5 ? {error: later()} : undefined)
          let next = 0
          const all = await Promise.all(
            calls.map(async ({size, partition}) => {
              const first = next
              next += size
              return {first, size, partition, results: await publish(numbered(first, size, partition))}
            }),
          )
          for (const {first, size, partition, results} of all) {
            const log = brokers.log.get(`t/${partition}`) ?? []
            expect(results.map(({offset}) => log[offset ?? -1])).toEqual(Array.from({length: size}, (_, at) => String(first + at)))
          }
          for (const log of brokers.log.values()) expect(log.map(Number)).toEqual(log.map(Number).sort((a, b) => a - b))
          expect([...brokers.log.values()].flat()).toHaveLength(next)
          await publisher.close(1000)
        },
      ),
      {numRuns: 15},
    )
  })

  it('sends the same batch again, so that a driver can tell', async () => {
    const {publish, brokers} = open()
    let failures = 2
    brokers.refuse = () => (failures-- > 0 ? {error: later()} : undefined)
    await publish(numbered(0, 3, 0))
    expect(brokers.batches).toHaveLength(3)
    expect(new Set(brokers.batches).size).toBe(1)
  })

  it('bounds a batch by bytes, and halves one that the brokers find too large', async () => {
    const {publish, brokers} = open({batchBytes: 1000})
    brokers.refuse = ({records}) => (records.length > 6 ? {error: new RecordTooLargeError('too large')} : undefined)
    const results = await publish(numbered(0, 100, 1))
    expect(results.map(({offset}) => offset)).toEqual(Array.from({length: 100}, (_, at) => at))
    expect(Math.max(...brokers.batches.map(({records}) => records.length))).toBeLessThan(50)
    brokers.refuse = () => ({error: new RecordTooLargeError('too large')})
    await expect(publish(numbered(0, 2, 0))).rejects.toBeInstanceOf(RecordTooLargeError)
    brokers.refuse = () => undefined
    await publish(numbered(100, 1, 1))
  })

  it('rejects with what was seen last when the deadline is over, and goes on afterwards', async () => {
    const {publish, brokers} = open({deliveryTimeoutMs: 150})
    await publish(numbered(0, 1, 0))
    brokers.refuse = () => ({error: later()})
    await expect(publish(numbered(1, 1, 0))).rejects.toMatchObject({
      code: 'COINPIPE_DEADLINE',
      retry: {kind: 'later'},
      message: expect.stringContaining('not acknowledged within 0.15 s; last seen: moved'),
    })
    brokers.refuse = () => undefined
    expect(await publish(numbered(2, 1, 0))).toEqual([{topic: 't', partition: 0, offset: 1}])
    expect(brokers.log.get('t/0')).toEqual(['0', '2'])
  })

  it('gives a batch up as a whole where brokers know it by its number', async () => {
    const {publish, brokers} = open({deliveryTimeoutMs: 200, acks: 'all', idempotent: true})
    brokers.refuse = () => ({error: later()})
    const early = publish(numbered(0, 1, 0))
    const joined = Promise.allSettled([early, publish(numbered(1, 1, 0))])
    expect((await joined).map(({status}) => status)).toEqual(['rejected', 'rejected'])
    expect(new Set(brokers.batches).size).toBe(1)
  })

  it('lets a publish wait for room, and rejects it when none comes free', async () => {
    const {publish, brokers} = open({maxQueueBytes: 100, deliveryTimeoutMs: 300})
    await publish(numbered(0, 1, 0))
    const gate = Promise.withResolvers<void>()
    brokers.answers = () => gate.promise
    const first = publish(numbered(1, 10, 0))
    const second = publish(numbered(11, 10, 0))
    await expect(second).rejects.toMatchObject({code: 'COINPIPE_DEADLINE', message: expect.stringContaining('100 bytes wait')})
    gate.resolve()
    await first
    await publish(numbered(21, 10, 0))
    expect(brokers.log.get('t/0')).not.toContain('11')
  })

  it('keeps the order of calls while their topics are looked up', async () => {
    const {publish, brokers} = open()
    const gate = Promise.withResolvers<void>()
    brokers.lookUp = () => gate.promise
    const calls = Array.from({length: 20}, (_, at) =>
      publish([...numbered(at, 1, 0), ...(at % 3 === 0 ? [{topic: 'u', key: null, value: '', partition: 0}] : [])]),
    )
    gate.resolve()
    await Promise.all(calls)
    expect(brokers.log.get('t/0')).toEqual(Array.from({length: 20}, (_, at) => String(at)))
  })

  it('creates a topic that is not there, and again when it was deleted meanwhile', async () => {
    const {publish, brokers} = open()
    const record = {topic: 'new', key: 'k', value: 'x'}
    await Promise.all([publish([record]), publish([record])])
    expect(brokers.created).toBe(1)
    brokers.topics.delete('new')
    brokers.refuse = ({topic}) => (brokers.topics.has(topic) ? undefined : {error: unknownTopic(topic)})
    await publish([record])
    expect(brokers.created).toBe(2)
  })

  it('goes on with a partition whose topic was found only after its batch had been given up', async () => {
    const {publish, brokers} = open({deliveryTimeoutMs: 1_000})
    await publish(numbered(0, 1, 0))
    const gate = Promise.withResolvers<void>()
    brokers.refuse = () => ({error: unknownTopic('t')})
    brokers.lookUp = () => gate.promise
    await expect(publish(numbered(1, 1, 0))).rejects.toMatchObject({code: 'COINPIPE_DEADLINE'})
    brokers.refuse = () => undefined
    gate.resolve()
    await publish(numbered(2, 1, 0))
    expect(brokers.log.get('t/0')).toEqual(['0', '2'])
  })

  it('says so where a topic cannot be created', async () => {
    const {publish, brokers} = open({deliveryTimeoutMs: 300})
    brokers.topics.set = () => brokers.topics
    await expect(publish([{topic: 'never', key: null, value: 'x'}])).rejects.not.toBeInstanceOf(UnknownTopicError)
    await publish(numbered(0, 1, 0))
  })

  it('refuses a partition that is not there before anything of the call is sent', async () => {
    const {publish, brokers} = open()
    const bad = [...numbered(0, 1, 0), {topic: 't', key: null, value: 'x', partition: PARTITIONS}]
    await expect(publish(bad)).rejects.toMatchObject({code: 'COINPIPE_PARTITION_OUT_OF_RANGE'})
    expect(brokers.batches).toEqual([])
  })

  it('puts keyless records of a call together, and those of other batches elsewhere', async () => {
    const {publish} = open()
    const used = new Set<number>()
    for (let round = 0; round < PARTITIONS; round++) {
      const partitions = new Set((await publish(numbered(0, 20))).map(({partition}) => partition))
      expect(partitions.size).toBe(1)
      for (const partition of partitions) used.add(partition)
    }
    expect(used.size).toBe(PARTITIONS)
  })

  it('tells nothing of offsets that it was not told', async () => {
    const {publish, brokers} = open({acks: 0})
    brokers.refuse = () => ({baseOffset: null})
    expect((await publish(numbered(0, 2, 0))).map(({offset}) => offset)).toEqual([null, null])
  })

  it('sends what waits when it is closed, but not for ever', async () => {
    const patient = open({lingerMs: 60_000})
    const sent = patient.publish(numbered(0, 1, 0))
    await patient.publisher.close(5_000)
    expect(await sent).toEqual([{topic: 't', partition: 0, offset: 0}])
    const stuck = open({maxQueueBytes: 10})
    stuck.brokers.answers = () => new Promise(() => undefined)
    const lost = Promise.allSettled([stuck.publish(numbered(0, 1, 0)), stuck.publish(numbered(1, 1, 0)), stuck.publish(numbered(2, 1, 1))])
    await until('it is under way', () => stuck.brokers.requests.length > 0)
    await stuck.publisher.close(50)
    for (const outcome of await lost) expect(outcome).toMatchObject({status: 'rejected', reason: expect.any(NotConnectedError)})
  })
})
