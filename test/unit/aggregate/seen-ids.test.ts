import fc from 'fast-check'
import {describe, expect, it} from 'vitest'
import {SeenIds} from '../../../src/lib/aggregate/seen-ids.ts'

const NEVER_OLD = Number.MAX_SAFE_INTEGER

describe('SeenIds', () => {
  it('knows ids again, apart by market', () => {
    const seen = new SeenIds({maxIds: 100, maxAgeUs: NEVER_OLD})
    expect(seen.add('1', 7, 0, 1)).toBe(true)
    expect(seen.add('1', 8, 1, 1)).toBe(true)
    expect(seen.add('1', 7, 2, 1)).toBe(false)
  })

  it('takes no id for another in two hundred thousand like ones', () => {
    const seen = new SeenIds({maxIds: 1 << 20, maxAgeUs: NEVER_OLD})
    let known = 0
    for (let i = 0; i < 100_000; i++) {
      if (!seen.add(String(17_000_000_000_000_000n + BigInt(i)), 1, i, 1)) known++
      if (!seen.add(String(i), 2, i, 1)) known++
    }
    expect(known).toBe(0)
  })

  it('forgets the older generation when the newer is full, and when it is over age', () => {
    const byCount = new SeenIds({maxIds: 2, maxAgeUs: NEVER_OLD})
    for (const [offset, id] of ['a', 'b', 'c', 'd'].entries()) byCount.add(id, 0, offset, 1)
    expect(byCount.add('a', 0, 4, 1)).toBe(false)
    expect(byCount.add('e', 0, 5, 1)).toBe(true)
    expect(byCount.add('b', 0, 6, 1)).toBe(true)

    const byAge = new SeenIds({maxIds: 100, maxAgeUs: 10})
    byAge.add('a', 0, 0, 0)
    byAge.add('b', 0, 1, 11)
    expect(byAge.add('a', 0, 2, 12)).toBe(false)
    byAge.add('c', 0, 3, 25)
    byAge.add('d', 0, 4, 40)
    expect(byAge.add('b', 0, 5, 41)).toBe(true)
  })

  it('is the same again after the ids since the older generation were read again', () => {
    const ids = fc.array(fc.integer({min: 0, max: 30}).map(String), {maxLength: 80})
    fc.assert(
      fc.property(ids, ids, fc.integer({min: 1, max: 12}), (before, after, maxIds) => {
        const options = {maxIds, maxAgeUs: 25}
        const first = new SeenIds(options)
        for (const [offset, id] of before.entries()) first.add(id, 3, offset, offset)
        const second = new SeenIds(options, JSON.parse(JSON.stringify(first.generations)))
        for (const [offset, id] of before.entries()) second.remember(id, 3, offset)
        const answers = (seen: SeenIds) => after.map((id, i) => seen.add(id, 3, before.length + i, before.length + i))
        // A set that never saw an id has no generation to go back to.
        if (before.length > 0) expect(answers(second)).toEqual(answers(first))
      }),
    )
  })
})
