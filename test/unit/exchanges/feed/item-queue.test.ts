import {describe, expect, it, vi} from 'vitest'
import {AbortedError, NotConnectedError} from '../../../../src/lib/core/errors.ts'
import type {Delivery} from '../../../../src/lib/core/ports/component.ts'
import type {SourceItem} from '../../../../src/lib/core/ports/source.ts'
import {ItemQueue, type QueueOptions} from '../../../../src/lib/exchanges/feed/item-queue.ts'

function item(name: string | number): SourceItem {
  return {kind: 'rejected', rejected: {frame: String(name), code: 'COINPIPE_FRAME_MALFORMED', message: '', receivedTime: 0}}
}

function names(delivery: Delivery<SourceItem>): (string | Uint8Array)[] {
  return delivery.items.map((entry) => (entry.kind === 'rejected' ? entry.rejected.frame : ''))
}

function setUp(options: Partial<QueueOptions> = {}) {
  const onFull = vi.fn()
  const onRoom = vi.fn()
  const queue = new ItemQueue({maxRecords: 100, maxBytes: 1000, batchRecords: 3, lingerMs: 1, onFull, onRoom, ...options})
  const deliveries = queue.deliveries()
  const next = async () => {
    const {value, done} = await deliveries.next()
    if (done) throw new Error('the deliveries ended')
    return value
  }
  return {queue, deliveries, next, onFull, onRoom}
}

describe('ItemQueue', () => {
  it('delivers in order, in batches of bounded size', async () => {
    const {queue, next} = setUp()
    for (const name of ['a', 'b', 'c', 'd']) queue.push(item(name), 1)
    expect(names(await next())).toEqual(['a', 'b', 'c'])
    expect(names(await next())).toEqual(['d'])
  })

  it('lets a lone item wait for company, but not for long', async () => {
    const {queue, next} = setUp({lingerMs: 20})
    const first = next()
    queue.push(item('a'), 1)
    await Promise.resolve()
    queue.push(item('b'), 1)
    expect(names(await first)).toEqual(['a', 'b'])
  })

  it('delivers again what was acked with an error, before anything newer and in the old order', async () => {
    const {queue, next} = setUp()
    for (let i = 0; i < 9; i++) queue.push(item(i), 1)
    const [first, second] = [await next(), await next()]
    await first.ack(new NotConnectedError('the bus is gone'))
    await second.ack(new NotConnectedError('the bus is gone'))
    expect(names(await next())).toEqual(['0', '1', '2'])
    expect(names(await next())).toEqual(['3', '4', '5'])
    expect(names(await next())).toEqual(['6', '7', '8'])
  })

  it('does not add to a batch that comes again', async () => {
    const {queue, next} = setUp()
    queue.push(item('a'), 1)
    const first = await next()
    await first.ack(new NotConnectedError('the bus is gone'))
    queue.push(item('b'), 1)
    expect(names(first)).toEqual(['a'])
    expect(names(await next())).toEqual(['a'])
    expect(names(await next())).toEqual(['b'])
  })

  it('says when it is full by records, and that there is room once half of it is acked', async () => {
    const {queue, next, onFull, onRoom} = setUp({maxRecords: 6})
    for (let i = 0; i < 6; i++) queue.push(item(i), 1)
    expect(onFull).toHaveBeenCalledTimes(1)
    const [first, second] = [await next(), await next()]
    expect(onRoom).not.toHaveBeenCalled()
    await first.ack()
    expect(onRoom).toHaveBeenCalledTimes(1)
    await second.ack()
    expect(queue.records).toBe(0)
    expect(onRoom).toHaveBeenCalledTimes(1)
  })

  it('says when it is full by bytes', async () => {
    const {queue, next, onFull, onRoom} = setUp({maxBytes: 1000})
    queue.push(item('large'), 1000)
    expect(onFull).toHaveBeenCalledTimes(1)
    await (await next()).ack()
    expect(onRoom).toHaveBeenCalledTimes(1)
    expect(queue.bytes).toBe(0)
  })

  it('resolves an own batch once it is acked, not before', async () => {
    const {queue, next} = setUp()
    let isAcked = false
    const acked = queue.deliver([item('found')], 1).then(() => {
      isAcked = true
    })
    queue.push(item('live'), 1)
    const found = await next()
    expect(names(found)).toEqual(['found'])
    expect(names(await next())).toEqual(['live'])
    expect(isAcked).toBe(false)
    await found.ack()
    await acked
    expect(isAcked).toBe(true)
  })

  it('delivers what it holds when it ends, then waits for the acks, then ends', async () => {
    const {queue, deliveries, next} = setUp({lingerMs: 60_000})
    queue.push(item('a'), 1)
    queue.end()
    queue.push(item('too late'), 1)
    const last = await next()
    expect(names(last)).toEqual(['a'])
    const end = deliveries.next()
    await last.ack()
    expect((await end).done).toBe(true)
  })

  it('throws what it ended with, after what it holds', async () => {
    const {queue, deliveries, next} = setUp()
    queue.push(item('a'), 1)
    queue.end(new NotConnectedError('refused'))
    await (await next()).ack()
    await expect(deliveries.next()).rejects.toThrow('refused')
  })

  it('ends at once when it is closed, and says so to those who wait for an ack', async () => {
    const {queue, deliveries} = setUp()
    const acked = queue.deliver([item('found')], 1)
    await deliveries.next()
    queue.close()
    await expect(acked).rejects.toThrow(AbortedError)
    expect((await deliveries.next()).done).toBe(true)
    await expect(queue.deliver([item('late')], 1)).rejects.toThrow(AbortedError)
  })
})
