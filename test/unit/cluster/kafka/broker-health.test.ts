import {describe, expect, it} from 'vitest'
import {judgeBrokers} from '../../../../src/lib/cluster/kafka/broker-health.ts'
import type {BrokerView} from '../../../../src/lib/cluster/kafka/probe.ts'
import {makePlan} from '../../../../src/lib/cluster/make-plan.ts'
import {nodesOf, type PlannedNode} from '../../../../src/lib/cluster/plan.ts'

const [one, two, three] = nodesOf(makePlan({kind: 'kafka'}), 'kafka') as [PlannedNode, PlannedNode, PlannedNode]
const WHOLE: BrokerView = {
  brokers: [1, 2, 3],
  controllerId: 2,
  partitions: [{topic: 'a', partition: 0, leader: 1, replicas: [1, 2], inSync: [2, 1]}],
}

/** What is said of kafka-1 where it sees `view` and `running` run. */
function problemOf(view: BrokerView | Error, controller: number | null = 1, running = [one, two, three]): string | null | undefined {
  const views = new Map(running.map((node): [PlannedNode, BrokerView | Error] => [node, node === one ? view : WHOLE]))
  return judgeBrokers(running, views, controller).get('kafka-1')?.problem
}

describe('judgeBrokers', () => {
  it('finds nothing wrong with a whole cluster, and marks its controller', () => {
    const views = new Map([one, two, three].map((node) => [node, WHOLE]))
    const health = judgeBrokers([one, two, three], views, 2)
    expect([...health.values()]).toEqual([
      {serving: true, active: false, problem: null},
      {serving: true, active: true, problem: null},
      {serving: true, active: false, problem: null},
    ])
  })

  it('says what each broker lacks', () => {
    expect(problemOf(new Error('refused'))).toBe('kafka-1 does not answer: refused')
    expect(problemOf({...WHOLE, brokers: [2, 3]})).toBe('kafka-1 is not registered yet')
    expect(problemOf({...WHOLE, brokers: [1, 2]})).toBe('kafka-1 does not know kafka-3 yet')
    expect(problemOf(WHOLE, null)).toBe('there is no active controller')
  })

  it('does not wait for brokers that are dead', () => {
    expect(problemOf({...WHOLE, brokers: [1, 2]}, 1, [one, two])).toBeNull()
  })

  it('counts the partitions that a broker keeps and is behind with, or that have no leader', () => {
    const behind = {topic: 'b', partition: 3, leader: 2, replicas: [2, 1], inSync: [2]}
    const leaderless = {topic: 'c', partition: 0, leader: -1, replicas: [1], inSync: [1]}
    expect(problemOf({...WHOLE, partitions: [behind, leaderless, ...WHOLE.partitions]})).toBe(
      'kafka-1 is not in sync for 2 partitions, b-3 among them',
    )
    const ofOthers = {topic: 'd', partition: 0, leader: 2, replicas: [2, 3], inSync: [2]}
    expect(problemOf({...WHOLE, partitions: [ofOthers]})).toBeNull()
  })
})
