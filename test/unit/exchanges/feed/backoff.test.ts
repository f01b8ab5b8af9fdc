import fc from 'fast-check'
import {describe, expect, it} from 'vitest'
import {backoffMs} from '../../../../src/lib/exchanges/feed/backoff.ts'

describe('backoffMs', () => {
  it('is spread over the whole range from 0, doubles with each attempt and stops at the cap', () => {
    const limits = {baseMs: 100, capMs: 1000}
    expect([0, 1, 2, 3, 4, 50].map((attempt) => backoffMs(attempt, limits, () => 0.5))).toEqual([50, 100, 200, 400, 500, 500])
    fc.assert(
      fc.property(fc.integer({min: 0, max: 5000}), fc.double({min: 0, max: 1, maxExcluded: true, noNaN: true}), (attempt, random) => {
        const wait = backoffMs(attempt, limits, () => random)
        expect(wait).toBeGreaterThanOrEqual(0)
        expect(wait).toBeLessThanOrEqual(1000)
      }),
    )
  })
})
