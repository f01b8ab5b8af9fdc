import {expect, it} from 'vitest'
import {describeGroup} from '../../../src/lib/bus/describe-group.ts'
import {EMPTY_GROUP, type Holding, type Member} from '../../../src/lib/bus/group-state.ts'

const member = (id: string, instanceId: string | null = null): Member => ({
  id,
  instanceId,
  topics: ['t'],
  process: {pid: 7, startTime: 'then', scope: 'here'},
  leaseUntilMs: 0,
})
const holding = (partition: number, owner: string, target: string): Holding => ({
  topic: 't',
  partition,
  owner,
  target,
  epoch: 1,
  releaseByMs: null,
})

it('tells who is in a group and what each holds', () => {
  const state = {generation: 3, members: [member('a'), member('b', 'one')], holdings: [holding(0, 'a', 'a'), holding(1, 'b', 'b')]}
  const common = {client: 'pid 7', host: null}
  expect(describeGroup('g', state)).toEqual({
    group: 'g',
    generation: 3,
    phase: 'stable',
    coordinator: null,
    members: [
      {id: 'a', instanceId: null, ...common, partitions: [{topic: 't', partition: 0}]},
      {id: 'b', instanceId: 'one', ...common, partitions: [{topic: 't', partition: 1}]},
    ],
  })
})

it('is rebalancing while a partition is on its way to another member, and empty without members', () => {
  const moving = {generation: 1, members: [member('a'), member('b')], holdings: [holding(0, 'a', 'a'), holding(1, 'a', 'b')]}
  expect(describeGroup('g', moving).phase).toBe('rebalancing')
  expect(describeGroup('g', EMPTY_GROUP).phase).toBe('empty')
})
