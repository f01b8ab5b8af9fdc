import {describe, expect, it} from 'vitest'
import {NotConnectedError} from '../../../src/lib/core/errors.ts'
import {Outage} from '../../../src/lib/pipeline/outage.ts'
import {testContext} from '../../helpers/context.ts'
import {FakeClock} from '../../helpers/fake-clock.ts'

const AWAY = new NotConnectedError('away')

function scene() {
  const clock = new FakeClock()
  const context = {...testContext(), clock}
  const said: string[] = []
  for (const level of ['warn', 'info'] as const)
    context.logger[level] = (_fields: object, message: string) => said.push(`${level} ${message}`)
  return {
    clock,
    said,
    outage: new Outage('cassandra', context),
    isUp: () => context.metrics.total('coinpipe_sink_up', {component: 'cassandra'}),
  }
}

describe('an outage', () => {
  it('is said once, and its end once, however many writes are tried however often', () => {
    const {outage, said, isUp} = scene()
    const [a, b] = [{}, {}]
    for (const write of [a, b, a, b]) outage.failed(write, AWAY)
    outage.succeeded(a)
    expect([said, isUp()]).toEqual([['warn cannot write; trying until it can'], 0])
    outage.succeeded(b)
    expect([said.at(-1), isUp()]).toEqual(['info writes again', 1])
    expect(said).toHaveLength(2)
  })

  it('is no news soon after the one before, neither its begin nor its end', () => {
    const {outage, said, clock} = scene()
    const write = {}
    for (let hiccup = 0; hiccup < 5; hiccup++) {
      outage.failed(write, AWAY)
      outage.succeeded(write)
      clock.advance(1000)
    }
    expect(said).toHaveLength(2)
    clock.advance(20_000)
    outage.failed(write, AWAY)
    expect(said).toHaveLength(3)
  })

  it('is news even then, once it lasts', () => {
    const {outage, said, clock} = scene()
    const write = {}
    outage.failed(write, AWAY)
    outage.succeeded(write)
    outage.failed(write, AWAY)
    expect(said).toHaveLength(2)
    clock.advance(10_000)
    outage.failed(write, AWAY)
    outage.failed(write, AWAY)
    outage.succeeded(write)
    expect(said.slice(2)).toEqual(['warn cannot write; trying until it can', 'info writes again'])
  })

  it('is not over because a write is given up', () => {
    const {outage, said, isUp} = scene()
    const write = {}
    outage.failed(write, AWAY)
    outage.gaveUp(write)
    expect([said, isUp()]).toEqual([['warn cannot write; trying until it can'], 0])
  })
})
