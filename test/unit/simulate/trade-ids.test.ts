import fc from 'fast-check'
import {describe, expect, it} from 'vitest'
import {blockOf, ID_BLOCK_MS, idOffset, idText, parseId} from '../../../src/lib/simulate/trade-ids.ts'

const BLOCK_MS = blockOf(1_763_700_000_000)

describe('trade ids', () => {
  it('has 17 digits, beyond what a double counts exactly', () => {
    const id = idText(BLOCK_MS, idOffset(1))
    expect(id).toMatch(/^\d{17}$/)
    expect(Number.isSafeInteger(Number(id))).toBe(false)
  })

  it('never repeats within a block', () => {
    const ids = new Set(Array.from({length: 200_000}, (_, k) => idOffset(k)))
    expect(ids.size).toBe(200_000)
  })

  it('is not in the order of trades, and strays by less than a block', () => {
    const ids = Array.from({length: 100}, (_, k) => BigInt(idText(BLOCK_MS, idOffset(k))))
    expect(ids).not.toEqual(ids.toSorted((a, b) => (a < b ? -1 : 1)))
    const [least, most] = [BigInt(BLOCK_MS) * 10_000n, BigInt(BLOCK_MS + ID_BLOCK_MS) * 10_000n]
    for (const id of ids) expect(id >= least && id < most).toBe(true)
  })

  it('reads back what it wrote', () => {
    fc.assert(
      fc.property(fc.integer({min: 500_000_000, max: 4_000_000_000}), fc.integer({min: 0, max: 19_999_999}), (blocks, offset) => {
        const blockMs = blocks * ID_BLOCK_MS
        expect(parseId(idText(blockMs, offset))).toEqual({blockMs, offset})
      }),
    )
  })

  it.each(['', 'abc', '-1', '1.5', '1'.repeat(19)])('refuses %o as an id', (text) => {
    expect(parseId(text)).toBeNull()
  })
})
