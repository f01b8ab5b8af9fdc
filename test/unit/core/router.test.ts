import fc from 'fast-check'
import {describe, expect, it} from 'vitest'
import {partitionForKey} from '../../../src/lib/core/partitioner.ts'
import {createRouter, type RouterOptions} from '../../../src/lib/core/router.ts'

const TOPIC = 'market.trade'
const market = (symbol: string) => ({exchange: 'upbit', symbol})

/** Groups of distinct symbols, pinned to partitions of a topic; some symbols are in no group. */
const setups = fc
  .record({
    partitions: fc.integer({min: 1, max: 12}),
    symbols: fc.uniqueArray(fc.stringMatching(/^[A-Z]{2,5}-KRW$/), {minLength: 4, maxLength: 30}),
    pins: fc.array(fc.nat(), {minLength: 1, maxLength: 4}),
  })
  .map(({partitions, symbols, pins}) => {
    const members = (index: number) => symbols.filter((_, position) => position % (pins.length + 1) === index)
    const groups = Object.fromEntries(pins.map((_, index) => [`g${index}`, members(index)]))
    const pin = Object.fromEntries(pins.map((partition, index) => [`g${index}`, partition % partitions]))
    const options: RouterOptions = {topics: {[TOPIC]: {partitions, pin}}, groups}
    return {options, partitions, groups, pin, loose: members(pins.length)}
  })

describe('createRouter', () => {
  it('sends every symbol of a pinned group to its partition', () => {
    fc.assert(
      fc.property(setups, ({options, groups, pin}) => {
        const router = createRouter(options)
        for (const [group, symbols] of Object.entries(groups)) {
          for (const symbol of symbols) expect(router.partitionOf(TOPIC, market(symbol))).toBe(pin[group])
        }
      }),
    )
  })

  it('keeps other symbols off pinned partitions, as long as there are others', () => {
    fc.assert(
      fc.property(setups, ({options, partitions, pin, loose}) => {
        const router = createRouter(options)
        const taken = new Set(Object.values(pin))
        for (const symbol of loose) {
          const partition = router.partitionOf(TOPIC, market(symbol)) ?? -1
          expect(partition).toBeGreaterThanOrEqual(0)
          expect(partition).toBeLessThan(partitions)
          if (taken.size < partitions) expect(taken.has(partition)).toBe(false)
        }
      }),
    )
  })

  it('answers the same again, and the same from another router', () => {
    fc.assert(
      fc.property(setups, ({options, loose}) => {
        const [one, two] = [createRouter(options), createRouter(options)]
        for (const symbol of loose) {
          const first = one.partitionOf(TOPIC, market(symbol))
          expect(one.partitionOf(TOPIC, market(symbol))).toBe(first)
          expect(two.partitionOf(TOPIC, market(symbol))).toBe(first)
        }
      }),
    )
  })

  it('hashes the record key over the partitions that are left', () => {
    const router = createRouter({topics: {[TOPIC]: {partitions: 6, pin: {majors: 1}}}, groups: {majors: ['BTC-KRW']}})
    const left = [0, 2, 3, 4, 5]
    for (const symbol of ['ETH-KRW', 'XRP-KRW', 'LAMB-BTC']) {
      expect(router.partitionOf(TOPIC, market(symbol))).toBe(left[partitionForKey(`upbit:${symbol}`, left.length)])
    }
  })

  it('leaves topics without pins to the bus', () => {
    const router = createRouter({topics: {[TOPIC]: {partitions: 6, pin: {}}}, groups: {majors: ['BTC-KRW']}})
    expect(router.partitionOf(TOPIC, market('BTC-KRW'))).toBeUndefined()
    expect(router.partitionOf('market.book', market('BTC-KRW'))).toBeUndefined()
  })
})
