import {describe, expect, it} from 'vitest'
import {limitsOf} from '../../../../src/lib/pipeline/autoscale/limits.ts'

const FLAGS = {min: 1, max: 6, 'target-lag': 30_000, stabilize: 15_000, 'cool-down': 120_000, interval: 1000}

describe('the limits', () => {
  it('let there be as many workers as partitions where --max does not say', () => {
    const topics = {'market.trade': {partitions: 3, retentionMs: null, retentionBytes: null}}
    const {max: _max, ...flags} = FLAGS
    expect(limitsOf(flags, {topics} as never, ['market.trade', 'market.book'], Number.POSITIVE_INFINITY).max).toBe(3 + 6)
  })

  it('keep that to what the machine carries, unless --max or --min says more', () => {
    const {max: _max, ...flags} = FLAGS
    expect(limitsOf(flags, {topics: {}}, ['market.trade'], 4).max).toBe(4)
    expect(limitsOf({...flags, min: 5}, {topics: {}}, ['market.trade'], 4).max).toBe(5)
    expect(limitsOf(FLAGS, {topics: {}}, ['market.trade'], 4).max).toBe(6)
  })

  it.each([
    [{min: 7}, '--min 7 is more than --max 6'],
    [{'target-lag': 0}, '--target-lag is 0'],
    [{interval: 50}, '--interval 50ms is too short'],
    [{stabilize: 1999}, '--stabilize 1999ms is too short for --interval 1s'],
    [{'cool-down': 0}, '--cool-down 0'],
  ])('refuse %o', (change, message) => {
    const check = () => limitsOf({...FLAGS, ...change}, {topics: {}}, ['market.trade'], 4)
    expect(check).toThrow(expect.objectContaining({exitCode: 2, message: expect.stringContaining(message), remedy: [expect.any(String)]}))
  })
})
