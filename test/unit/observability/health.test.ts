import {describe, expect, it} from 'vitest'
import type {Clock} from '../../../src/lib/core/context.ts'
import {createHealth} from '../../../src/lib/observability/health.ts'

function manualClock() {
  let us = 1_000
  const clock: Clock = {nowUs: () => us, monotonicMs: () => us / 1000, sleep: () => Promise.resolve()}
  return {clock, advance: (by: number) => (us += by)}
}

describe('createHealth', () => {
  it('is up while nothing says otherwise, and reports the worst state', () => {
    const health = createHealth(manualClock().clock)
    expect(health.report()).toEqual({state: 'up', components: {}})
    health.set('bus', 'up')
    health.set('feed', 'degraded', 'reconnecting')
    expect(health.report().state).toBe('degraded')
    health.set('store', 'starting')
    expect(health.report().state).toBe('starting')
    health.set('bus', 'down', 'disk full')
    expect(health.report()).toMatchObject({state: 'down', components: {bus: {state: 'down', message: 'disk full'}}})
  })

  it('tells since when a state holds, and forgets the message with it', () => {
    const {clock, advance} = manualClock()
    const health = createHealth(clock)
    health.set('bus', 'down', 'locked')
    advance(50)
    health.set('bus', 'down', 'still locked')
    expect(health.report().components.bus).toEqual({state: 'down', message: 'still locked', since: 1_000})
    health.set('bus', 'up')
    expect(health.report().components.bus).toEqual({state: 'up', since: 1_050})
  })
})
