import {expect, it} from 'vitest'
import {FencedError, NotConnectedError} from '../../src/lib/core/errors.ts'
import type {BusMessage} from '../../src/lib/core/ports/bus.ts'
import type {Delivery} from '../../src/lib/core/ports/component.ts'
import {type BusContractOptions, numbered, orNothing, QUIET_MS, Scene, unique, values} from './bus-world.ts'

/** Acks, refusals and backpressure: part of busContract. */
export function settling(options: BusContractOptions): void {
  const setUp = async (count: number, extra: {maxBatchRecords?: number; maxInFlight?: number} = {}) => {
    const scene = await Scene.open(options)
    const handle = await scene.withTopic(1)
    await handle.bus.publish(numbered(handle.topic, count))
    const group = unique('group')
    const subscribe = () => scene.subscribe(handle.bus, {group, topics: [handle.topic], maxBatchRecords: 1, ...extra})
    const committed = async () => (await handle.admin.lag(group))[0]?.committed ?? null
    return {...handle, group, subscribe, committed}
  }

  it('goes on behind the last ack after a restart', async () => {
    const {subscribe, committed} = await setUp(4)
    const first = subscribe()
    await first.take(2)
    expect(await committed()).toBe(2)
    await first.next()
    await first.subscription.close()
    expect(values(await subscribe().take(2))).toEqual(['2', '3'])
  })

  it('delivers again what was refused, and all behind it', async () => {
    const {subscribe, committed} = await setUp(4)
    const reader = subscribe()
    const [first, second, third] = [await reader.next(), await reader.next(), await reader.next()]
    await first.ack()
    await second.ack(new Error('the sink was down'))
    await third.ack()
    expect(await committed()).toBe(1)
    expect(values(await reader.take(3))).toEqual(['1', '2', '3'])
    expect(await committed()).toBe(4)
  })

  it('keeps refused records in order while an earlier delivery is still open', async () => {
    const {subscribe, committed} = await setUp(3)
    const reader = subscribe()
    const [first, second] = [await reader.next(), await reader.next()]
    await second.ack(new Error('not now'))
    const again = await reader.next()
    expect(values(again.items)).toEqual(['1'])
    await first.ack()
    await again.ack()
    expect(await committed()).toBe(2)
  })

  it('commits in the order of deliveries: an ack waits for those before it', async () => {
    const {subscribe, committed} = await setUp(3)
    const reader = subscribe()
    const deliveries: Delivery<BusMessage>[] = [await reader.next(), await reader.next(), await reader.next()]
    const third = deliveries[2]?.ack() ?? Promise.reject(new Error('no delivery'))
    const second = deliveries[1]?.ack() ?? Promise.reject(new Error('no delivery'))
    expect(await orNothing(Promise.race([third, second]), QUIET_MS)).toBe('nothing')
    expect(await committed()).toBeNull()
    await deliveries[0]?.ack()
    await Promise.all([second, third])
    expect(await committed()).toBe(3)
  })

  it('stops reading at maxInFlight, and goes on with the first ack', async () => {
    const {subscribe} = await setUp(10, {maxInFlight: 3})
    const reader = subscribe()
    const open = [await reader.next(), await reader.next(), await reader.next()]
    expect(await reader.result(QUIET_MS)).toBe('nothing')
    await open[0]?.ack()
    expect(values((await reader.next()).items)).toEqual(['3'])
    expect(await reader.result(QUIET_MS)).toBe('nothing')
  })

  it('ends at an abort while it is held up by open deliveries', async () => {
    const {subscribe} = await setUp(5, {maxInFlight: 1})
    const reader = subscribe()
    await reader.next()
    const waiting = reader.result(10_000)
    reader.abort()
    expect(await waiting).toMatchObject({done: true})
  })

  it('rejects an ack after close, having committed nothing', async () => {
    const {subscribe, committed} = await setUp(1)
    const reader = subscribe()
    const delivery = await reader.next()
    await reader.subscription.close()
    await expect(delivery.ack()).rejects.toSatisfy((error) => error instanceof NotConnectedError || error instanceof FencedError)
    expect(await committed()).toBeNull()
  })
}
