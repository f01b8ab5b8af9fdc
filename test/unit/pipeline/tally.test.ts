import fc from 'fast-check'
import {describe, expect, it} from 'vitest'
import {Tally} from '../../../src/lib/pipeline/tally.ts'

describe('tally', () => {
  it('counts what was seen of each market apart, and copies beyond the first', () => {
    const tally = new Tally(
      new Map([
        ['BTC-KRW', ['16182675020003000', '7', '99999999999999999']],
        ['ETH-KRW', ['7']],
      ]),
    )
    for (const id of ['7', '7', '99999999999999999', '8']) tally.add('BTC-KRW', id)
    tally.add('XRP-KRW', '7')
    expect(tally.result()).toEqual({found: 2, repeated: 1})
  })

  it('finds exactly the ids that it was given', () => {
    const ids = fc.uniqueArray(fc.bigInt({min: 0n, max: 2n ** 63n}).map(String))
    fc.assert(
      fc.property(ids, ids, (known, others) => {
        const tally = new Tally(new Map([['BTC-KRW', known]]))
        for (const id of [...known, ...others]) tally.add('BTC-KRW', id)
        const common = others.filter((id) => known.includes(id)).length
        expect(tally.result()).toEqual({found: known.length, repeated: common})
      }),
    )
  })
})
