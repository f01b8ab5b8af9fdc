import fc from 'fast-check'
import {describe, expect, it} from 'vitest'
import {AbortedError} from '../../../../src/lib/core/errors.ts'
import {RateLimiter} from '../../../../src/lib/exchanges/feed/rate-limiter.ts'
import {FakeClock} from '../../../helpers/fake-clock.ts'

const never = new AbortController().signal

describe('RateLimiter', () => {
  it('never grants more than its count in any window, whatever the pauses between requests', async () => {
    const pauses = fc.array(fc.integer({min: 0, max: 700}), {minLength: 1, maxLength: 60})
    await fc.assert(
      fc.asyncProperty(pauses, fc.integer({min: 1, max: 8}), async (waits, count) => {
        const clock = new FakeClock()
        const limiter = new RateLimiter({count, perMs: 1000}, clock)
        const grants: number[] = []
        for (const wait of waits) {
          clock.advance(wait)
          await limiter.acquire(never)
          grants.push(clock.monotonicMs())
        }
        for (const [index, at] of grants.entries()) {
          const inWindow = grants.slice(index).filter((other) => other < at + 1000).length
          expect(inWindow).toBeLessThanOrEqual(count)
        }
      }),
    )
  })

  it('does not wait while there is room', async () => {
    const clock = new FakeClock()
    const limiter = new RateLimiter({count: 3, perMs: 1000}, clock)
    const start = clock.monotonicMs()
    for (let i = 0; i < 3; i++) await limiter.acquire(never)
    expect(clock.monotonicMs()).toBe(start)
    await limiter.acquire(never)
    expect(clock.monotonicMs()).toBe(start + 1000)
  })

  it('grants nothing while it is blocked, and the longest block counts', async () => {
    const clock = new FakeClock()
    const limiter = new RateLimiter({count: 3, perMs: 1000}, clock)
    const start = clock.monotonicMs()
    limiter.block(5000)
    limiter.block(10)
    await limiter.acquire(never)
    expect(clock.monotonicMs()).toBe(start + 5000)
  })

  it('rejects a waiting request when its signal aborts', async () => {
    const clock = new FakeClock()
    const limiter = new RateLimiter({count: 1, perMs: 1000}, clock)
    await limiter.acquire(never)
    await expect(limiter.acquire(AbortSignal.abort())).rejects.toThrow(AbortedError)
  })
})
