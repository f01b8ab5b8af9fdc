import {describe, expect, it} from 'vitest'
import {
  DRAIN_MS,
  EMPTY_GROUP,
  evict,
  type GroupState,
  HEARTBEAT_MS,
  join,
  LEASE_MS,
  leave,
  type Member,
  mayCommit,
  release,
  renew,
  settle,
} from '../../../src/lib/bus/group-state.ts'
import {currentProcess} from '../../../src/lib/core/process-identity.ts'

const partitions = [0, 1, 2, 3].map((partition) => ({topic: 't', partition}))
const here = currentProcess()
const dead = {...here, startTime: '1'}
const elsewhere = {...here, scope: 'another machine'}

function member(id: string, extra: Partial<Member> = {}): Member {
  return {id, instanceId: null, topics: ['t'], process: here, leaseUntilMs: LEASE_MS, ...extra}
}

function step(before: GroupState, change: (state: GroupState) => GroupState, nowMs = 0): GroupState {
  return settle(before, change(before), partitions, nowMs)
}

const owned = (state: GroupState, id: string) => state.holdings.filter((holding) => holding.owner === id).map(({partition}) => partition)
const targeted = (state: GroupState, id: string) =>
  state.holdings.filter((holding) => holding.target === id).map(({partition}) => partition)
const grown = (...members: Member[]) => members.reduce((state, next) => step(state, (old) => join(old, next)), EMPTY_GROUP)

describe('group state', () => {
  it('raises the generation with every change, and only then', () => {
    const one = grown(member('a'))
    expect(one.generation).toBe(1)
    expect(step(one, (state) => renew(state, 'a', 5)).generation).toBe(1)
    const two = step(one, (state) => join(state, member('b')))
    expect(two.generation).toBe(2)
    const three = step(two, (state) => leave(state, 'b'))
    expect(three.generation).toBe(3)
    expect(step(three, (state) => leave(state, 'a'))).toMatchObject({generation: 4, members: [], holdings: []})
  })

  it('lets an owner drain: the partition moves when it is released', () => {
    const shared = grown(member('a'), member('b'))
    expect([owned(shared, 'a'), owned(shared, 'b')]).toEqual([[0, 1, 2, 3], []])
    const moving = targeted(shared, 'b')
    expect(moving).toHaveLength(2)
    const released = step(shared, (state) => release(state, 'a', [{topic: 't', partition: moving[0] ?? -1}]))
    expect(owned(released, 'b')).toEqual([moving[0]])
    expect(owned(released, 'a')).toHaveLength(3)
  })

  it('does not let go of what should stay, whoever asks', () => {
    const alone = grown(member('a'))
    expect(step(alone, (state) => release(state, 'a', partitions))).toEqual(alone)
  })

  it('takes the partition away from an owner that does not drain in time', () => {
    const shared = grown(member('a'), member('b'))
    const waiting = step(shared, (state) => renew(state, 'a', DRAIN_MS - 1), DRAIN_MS - 1)
    expect(owned(waiting, 'b')).toEqual([])
    const taken = step(shared, (state) => state, DRAIN_MS)
    expect(owned(taken, 'b')).toHaveLength(2)
    const [stolen] = owned(taken, 'b')
    expect(mayCommit(taken, 'a', {topic: 't', partition: stolen ?? -1}, 1)).toBe(false)
  })

  it('evicts a dead process at once, and a silent one when its lease is over', () => {
    const group = grown(member('a'), member('b', {process: dead}), member('c', {process: elsewhere}))
    expect(evict(group, HEARTBEAT_MS).members.map(({id}) => id)).toEqual(['a', 'c'])
    expect(evict(group, LEASE_MS).members).toEqual([])
  })

  it('keeps a dead static member for its lease, and gives its partitions back under its name', () => {
    const group = grown(member('a', {instanceId: 'one', process: dead}), member('b', {instanceId: 'two'}))
    expect(evict(group, LEASE_MS - 1).members).toHaveLength(2)
    expect(leave(group, 'a').members).toHaveLength(2)
    const back = step(group, (state) => join(state, member('a2', {instanceId: 'one'})))
    expect(owned(back, 'a2')).toEqual(owned(group, 'a'))
    expect(owned(back, 'a')).toEqual([])
    expect(back.generation).toBe(group.generation + 1)
  })

  it('fences an earlier holding of the same member by its epoch', () => {
    const alone = grown(member('a'))
    const gone = step(alone, (state) => leave(state, 'a'))
    const again = step(gone, (state) => join(state, member('a')))
    const first = {topic: 't', partition: 0}
    expect(mayCommit(again, 'a', first, again.holdings[0]?.epoch ?? -1)).toBe(true)
    expect(mayCommit(again, 'a', first, alone.holdings[0]?.epoch ?? -1)).toBe(false)
  })

  it('moves a partition back to its owner when the newcomer leaves before it was drained', () => {
    const shared = grown(member('a'), member('b'))
    const back = step(shared, (state) => leave(state, 'b'))
    expect(
      back.holdings.every(({owner, target, epoch, releaseByMs}) => owner === 'a' && target === 'a' && epoch === 1 && releaseByMs === null),
    ).toBe(true)
  })
})
