import {describe, expect, it} from 'vitest'
import {FencedError, InvalidInputError, UnsupportedError} from '../../src/lib/core/errors.ts'
import type {BusMessage, Isolation, SubscribeOptions, Transaction} from '../../src/lib/core/ports/bus.ts'
import type {Delivery} from '../../src/lib/core/ports/component.ts'
import {until} from '../helpers/until.ts'
import {type BusContractOptions, numbered, PATIENCE_MS, QUIET_MS, Scene, unique, values} from './bus-world.ts'

/** What a bus that declares transactions promises; one that does not must refuse them by name. */
export function busTransactionsContract(options: BusContractOptions): void {
  describe(`bus contract, transactions: ${options.name}`, () => {
    it('writes and consumes together', async () => {
      const setUp = await transactionScene(options)
      if (setUp === null) return
      const {bus, source, target, group, reader, committed, read} = setUp
      await bus.publish(numbered(source, 3))
      const delivery = await reader.next()
      const answer = await bus.transaction({id: unique('txn')}, async (transaction) => {
        await transaction.publish(numbered(target, 2))
        await transaction.publish(numbered(target, 1, {first: 2}))
        transaction.consume(delivery)
        expect(await read()).toEqual([])
        return 'done'
      })
      expect(answer).toBe('done')
      await expect.poll(read, {timeout: PATIENCE_MS}).toEqual(['0', '1', '2'])
      await expect.poll(committed, {timeout: PATIENCE_MS}).toBe(delivery.items.length)
      await reader.subscription.close()
      expect(group).toBeTruthy()
    })

    it('leaves nothing behind when its function throws, and delivers again', async () => {
      const setUp = await transactionScene(options)
      if (setUp === null) return
      const {bus, source, target, reader, committed, read} = setUp
      await bus.publish(numbered(source, 2))
      const delivery = await reader.next()
      const failure = new InvalidInputError('not this one')
      const attempt = bus.transaction({id: unique('txn')}, async (transaction) => {
        await transaction.publish(numbered(target, 2))
        transaction.consume(delivery)
        throw failure
      })
      await expect(attempt).rejects.toBe(failure)
      expect(await read()).toEqual([])
      expect(await committed()).toBeNull()
      expect(values(await reader.take(2))).toEqual(['0', '1'])
    })

    it('leaves a group that has read it no lag, whatever else it put into the log', async () => {
      const setUp = await transactionScene(options)
      if (setUp === null) return
      const {bus, scene, admin, target} = setUp
      const group = unique('group')
      const reader = scene.subscribe(bus, {group, topics: [target], maxInFlight: 1})
      for (const first of [0, 2]) {
        await bus.transaction({id: unique('txn')}, (transaction) => transaction.publish(numbered(target, 2, {first})))
        expect(values(await reader.take(2))).toEqual([String(first), String(first + 1)])
      }
      expect(await reader.result(QUIET_MS)).toBe('nothing')
      const lags = async () => (await admin.lag(group)).map(({lag}) => lag)
      await expect.poll(lags, {timeout: PATIENCE_MS}).toEqual([0])
      await bus.publish(numbered(target, 1, {first: 4}))
      expect(values(await reader.take(1))).toEqual(['4'])
      await expect.poll(lags, {timeout: PATIENCE_MS}).toEqual([0])
    })

    it('settles deliveries together that have the end of another transaction between them', async () => {
      const setUp = await transactionScene(options, {maxInFlight: 2})
      if (setUp === null) return
      const {bus, source, target, reader, committed} = setUp
      const deliveries: Delivery<BusMessage>[] = []
      for (const first of [0, 1]) {
        await bus.transaction({id: unique('txn')}, (transaction) => transaction.publish(numbered(source, 1, {first})))
        deliveries.push(await reader.next())
        expect(await reader.result(QUIET_MS)).toBe('nothing')
      }
      await bus.transaction({id: unique('txn')}, async (transaction) => {
        await transaction.publish(numbered(target, 1))
        for (const delivery of deliveries) transaction.consume(delivery)
      })
      await expect.poll(committed, {timeout: PATIENCE_MS}).toBeGreaterThan(1)
    })

    it('is fenced by a newer holder of its id', async () => {
      const setUp = await transactionScene(options)
      if (setUp === null) return
      const {bus, scene, source, target, reader, committed, read} = setUp
      const {bus: newer} = await scene.connect()
      await bus.publish(numbered(source, 2))
      const delivery = await reader.next()
      const id = unique('txn')
      const older = bus.transaction({id}, async (transaction) => {
        await transaction.publish(numbered(target, 1, {prefix: 'older'}))
        transaction.consume(delivery)
        await newer.transaction({id}, (other) => other.publish(numbered(target, 1, {prefix: 'newer'})))
      })
      await expect(older).rejects.toBeInstanceOf(FencedError)
      await expect.poll(read, {timeout: PATIENCE_MS}).toEqual(['newer0'])
      expect(await committed()).toBeNull()
    })

    it('is fenced when its partition was taken away', async () => {
      const setUp = await transactionScene(options, {instanceId: 'one'})
      if (setUp === null) return
      const {bus, scene, source, target, group, reader, read} = setUp
      await bus.publish(numbered(source, 1))
      const delivery = await reader.next()
      const {bus: other} = await scene.connect()
      const attempt = bus.transaction({id: unique('txn')}, async (transaction) => {
        await transaction.publish(numbered(target, 1))
        transaction.consume(delivery)
        const heir = scene.subscribe(other, {group, topics: [source], instanceId: 'one'})
        await until('another holds the partition', () => heir.subscription.assignment().length === 1, PATIENCE_MS)
      })
      await expect(attempt).rejects.toBeInstanceOf(FencedError)
      expect(await read()).toEqual([])
    })

    it('keeps the order of deliveries: it waits for earlier acks, and later acks wait for it', async () => {
      const setUp = await transactionScene(options, {maxBatchRecords: 1})
      if (setUp === null) return
      const {bus, source, target, reader, committed} = setUp
      await bus.publish(numbered(source, 3))
      const [first, second, third] = [await reader.next(), await reader.next(), await reader.next()]
      const transaction = bus.transaction({id: unique('txn')}, async (open) => {
        await open.publish(numbered(target, 1))
        open.consume(second)
      })
      const last = third.ack()
      expect(await committed()).toBeNull()
      await first.ack()
      await Promise.all([transaction, last])
      await expect.poll(committed, {timeout: PATIENCE_MS}).toBe(3)
    })

    it('refuses a delivery that was acked, one of another bus, and use after its end', async () => {
      const setUp = await transactionScene(options)
      if (setUp === null) return
      const {bus, scene, source, target, reader} = setUp
      await bus.publish(numbered(source, 1))
      const delivery = await reader.next()
      const {bus: other} = await scene.connect()
      const elsewhere = other.transaction({id: unique('txn')}, async (transaction) => transaction.consume(delivery))
      await expect(elsewhere).rejects.toBeInstanceOf(InvalidInputError)
      await delivery.ack()
      const twice = bus.transaction({id: unique('txn')}, async (transaction) => transaction.consume(delivery))
      await expect(twice).rejects.toBeInstanceOf(InvalidInputError)
      let kept: Transaction | undefined
      await bus.transaction({id: unique('txn')}, async (transaction) => {
        kept = transaction
      })
      await expect(kept?.publish(numbered(target, 1))).rejects.toBeInstanceOf(InvalidInputError)
    })
    isolation(options)
  })
}

function isolation(options: BusContractOptions): void {
  it('keeps records of a transaction that was given up from readers, unless they ask for them', async () => {
    const setUp = await transactionScene(options)
    if (setUp === null) return
    const {bus, scene, admin, target} = setUp
    const given = bus.transaction({id: unique('txn')}, async (transaction) => {
      await transaction.publish(numbered(target, 2, {prefix: 'aborted'}))
      throw new InvalidInputError('not this one')
    })
    await expect(given).rejects.toBeInstanceOf(InvalidInputError)
    await bus.publish(numbered(target, 1, {prefix: 'plain'}))
    const from = {topic: target, partition: 0, offset: 0}
    const committed = async () => values(await admin.read(from, 100, {isolation: 'committed'}))
    await expect.poll(committed, {timeout: PATIENCE_MS}).toEqual(['plain0'])
    const all = values(await admin.read(from, 100, {isolation: 'uncommitted', waitMs: PATIENCE_MS}))
    expect(all.filter((value) => !String(value).startsWith('aborted'))).toEqual(['plain0'])
    const subscribe = (level: Isolation) => scene.subscribe(bus, {group: unique('group'), topics: [target], isolation: level})
    expect(values(await subscribe('committed').take(1))).toEqual(['plain0'])
    const reader = subscribe('uncommitted')
    expect(values(await reader.take(all.length))).toEqual(all)
  })

  it('shows nothing of an open transaction to those who read what is committed', async () => {
    const setUp = await transactionScene(options)
    if (setUp === null) return
    const {bus, scene, admin, target} = setUp
    const reader = scene.subscribe(bus, {group: unique('group'), topics: [target]})
    await until('assigned', () => reader.subscription.assignment().length === 1, PATIENCE_MS)
    await bus.transaction({id: unique('txn')}, async (transaction) => {
      await transaction.publish(numbered(target, 2))
      expect(await admin.read({topic: target, partition: 0, offset: 0}, 10, {waitMs: QUIET_MS})).toEqual([])
      expect(await reader.result(QUIET_MS)).toBe('nothing')
    })
    expect(values(await reader.take(2))).toEqual(['0', '1'])
  })
}

/** Null where the bus has no transactions: then it is asserted that it says so. */
async function transactionScene(options: BusContractOptions, extra: Partial<SubscribeOptions> = {}) {
  const scene = await Scene.open(options)
  const {bus, admin, topic: source} = await scene.withTopic(1)
  if (!bus.capabilities.transactions) {
    await expect(bus.transaction({id: unique('txn')}, async () => undefined)).rejects.toBeInstanceOf(UnsupportedError)
    return null
  }
  const {topic: target} = await scene.withTopic(1)
  const group = unique('group')
  const reader = scene.subscribe(bus, {group, topics: [source], ...extra})
  const committed = async () => (await admin.lag(group))[0]?.committed ?? null
  const read = async () => values(await admin.read({topic: target, partition: 0, offset: 0}, 100))
  return {scene, bus, admin, source, target, group, reader, committed, read}
}
