import {describe, expect, it} from 'vitest'
import {DRAIN_MS} from '../../../../src/lib/bus/group-state.ts'
import {Holdings} from '../../../../src/lib/bus/kafka-platformatic/holdings.ts'
import {FencedError} from '../../../../src/lib/core/errors.ts'

const partitionsOf = (count: number) => Array.from({length: count}, (_, partition) => ({topic: 't', partition}))
const START = {committed: 5, earliest: 0}

function held(count: number): Holdings {
  const holdings = new Holdings('g')
  holdings.assign(partitionsOf(count), 0)
  for (const partition of partitionsOf(count)) holdings.start(partition, START)
  return holdings
}

describe('Holdings', () => {
  it('grants what it was given, once it is known where to start', () => {
    const holdings = new Holdings('g')
    holdings.assign(partitionsOf(2), 0)
    expect(holdings.grants).toEqual([])
    holdings.start({topic: 't', partition: 1}, START)
    expect(holdings.grants).toEqual([{topic: 't', partition: 1, epoch: 1, revoking: false, ...START}])
    expect(holdings.unstarted).toMatchObject([{partition: 0}])
  })

  it('keeps what should move until it is drained, and says when all of it is', () => {
    const holdings = held(3)
    holdings.assign(partitionsOf(1), 0)
    expect(holdings.grants.map(({revoking}) => revoking)).toEqual([false, true, true])
    expect(holdings.owned).toHaveLength(3)
    expect(holdings.release([], 0)).toBe(false)
    expect(holdings.release([{topic: 't', partition: 0}], 0)).toBe(false)
    expect(holdings.release([{topic: 't', partition: 1}], 0)).toBe(false)
    expect(holdings.release([{topic: 't', partition: 2}], 0)).toBe(true)
    expect(holdings.owned).toEqual(partitionsOf(1))
    expect(holdings.release([], 0)).toBe(false)
  })

  it('gives up what takes too long, and what nobody reads yet', () => {
    const slow = held(1)
    slow.assign([], 1_000)
    expect(slow.release([], 1_000 + DRAIN_MS - 1)).toBe(false)
    expect(slow.release([], 1_000 + DRAIN_MS)).toBe(true)
    const unread = new Holdings('g')
    unread.assign(partitionsOf(1), 0)
    unread.assign([], 0)
    expect(unread.release([], 0)).toBe(true)
  })

  it('keeps a partition that comes back before it was released, under the same epoch', () => {
    const holdings = held(1)
    holdings.assign([], 0)
    holdings.assign(partitionsOf(1), 0)
    expect(holdings.grants).toMatchObject([{epoch: 1, revoking: false}])
  })

  it('tells a partition that was given up and got again from what it was before', () => {
    const holdings = held(1)
    holdings.require([{topic: 't', partition: 0, epoch: 1, offset: 9}])
    holdings.clear()
    expect(() => holdings.require([{topic: 't', partition: 0, epoch: 1, offset: 9}])).toThrow(FencedError)
    holdings.assign(partitionsOf(1), 0)
    expect(() => holdings.require([{topic: 't', partition: 0, epoch: 1, offset: 9}])).toThrow(FencedError)
    holdings.require([{topic: 't', partition: 0, epoch: 2, offset: 9}])
  })

  it('leaves out commits that would move an offset back, until its log is begun anew', () => {
    const holdings = held(1)
    const at = (offset: number) => holdings.at([{topic: 't', partition: 0, offset}])
    expect(holdings.ahead(at(5))).toEqual([])
    expect(holdings.ahead(at(6))).toHaveLength(1)
    holdings.committed(at(8))
    expect(holdings.ahead(at(8))).toEqual([])
    expect(holdings.grants).toMatchObject([{committed: 8}])
    holdings.restarted({topic: 't', partition: 0})
    expect(holdings.ahead(at(1))).toHaveLength(1)
  })
})
