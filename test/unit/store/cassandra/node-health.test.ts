import {describe, expect, it} from 'vitest'
import {NodeHealth} from '../../../../src/lib/store/cassandra/node-health.ts'
import {FakeClock} from '../../../helpers/fake-clock.ts'

const A = {name: 'a'}
const B = {name: 'b'}
const C = {name: 'c'}
type Node = typeof A

function scene() {
  const clock = new FakeClock()
  const health = new NodeHealth<Node>(clock, () => 0.5)
  const order = (a = 0, b = 0, c = 0) => {
    const {good, bad} = health.order([
      {node: A, inFlight: a},
      {node: B, inFlight: b},
      {node: C, inFlight: c},
    ])
    return `${good.map(({name}) => name).join('')}|${bad.map(({name}) => name).join('')}`
  }
  const answer = (latencies: Readonly<Record<string, number>>, times = 50) => {
    for (let i = 0; i < times; i++) for (const node of [A, B, C]) health.answered(node, latencies[node.name] ?? 1)
  }
  return {clock, health, order, answer}
}

describe('the health of nodes', () => {
  it('puts those with the fewest requests under way first', () => {
    const {order} = scene()
    expect(order(3, 1, 2)).toBe('bca|')
  })

  it('avoids a node that failed, longer each time, until it answers', () => {
    const {clock, health, order} = scene()
    health.failed(B)
    expect(order()).toBe('ac|b')
    clock.advance(2001)
    expect(order()).toBe('abc|')
    health.failed(B)
    clock.advance(2001)
    expect(order()).toBe('ac|b')
    clock.advance(2000)
    expect(order()).toBe('abc|')
    health.answered(B, 1)
    health.failed(B)
    clock.advance(2001)
    expect(order()).toBe('abc|')
  })

  it('counts what was under way when a node stopped as one failure', () => {
    const {clock, health, order} = scene()
    for (let i = 0; i < 30; i++) health.failed(B)
    clock.advance(2001)
    expect(order()).toBe('abc|')
  })

  it('avoids a node that has requests and answers none, before they time out', () => {
    const {clock, health, order} = scene()
    health.asked({node: B, inFlight: 0})
    clock.advance(200)
    expect(order(0, 5, 0)).toBe('acb|')
    clock.advance(150)
    expect(order(0, 5, 0)).toBe('ac|b')
    health.answered(B, 350)
    expect(order(0, 4, 0)).toBe('acb|')
  })

  it('does not take a node for stuck that has nothing to do, or that lost one answer long ago', () => {
    const {clock, health, order} = scene()
    health.asked({node: B, inFlight: 0})
    clock.advance(1000)
    expect(order(0, 0, 0)).toBe('abc|')
    clock.advance(30_000)
    expect(order(0, 1, 0)).toBe('acb|')
  })

  it('avoids a node that is far slower than the others, asks it now and then, and takes it back when it is quick', () => {
    const {clock, health, order, answer} = scene()
    answer({a: 2, b: 200, c: 3})
    expect(order()).toBe('abc|')
    expect(order()).toBe('ac|b')
    clock.advance(501)
    expect(order()).toBe('abc|')
    expect(order()).toBe('ac|b')
    for (let i = 0; i < 50; i++) health.answered(B, 2)
    expect(order()).toBe('abc|')
    expect(order()).toBe('abc|')
  })

  it('takes no node for slow where all are', () => {
    const {order, answer} = scene()
    answer({a: 200, b: 300, c: 250})
    expect(order()).toBe('abc|')
    expect(order()).toBe('abc|')
  })
})
