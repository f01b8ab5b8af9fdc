import fc from 'fast-check'
import {describe, expect, it} from 'vitest'
import {hashTexts, recordId} from '../../../src/lib/core/ids.ts'

describe('recordId', () => {
  it('joins type, exchange, symbol and key', () => {
    expect(recordId('trade', 'upbit', 'BTC-KRW', '17')).toBe('trade:upbit:BTC-KRW:17')
  })
})

describe('hashTexts', () => {
  it('never changes, for ids are stored', () => {
    expect(hashTexts([])).toMatchInlineSnapshot(`"a6d5df852e37066a"`)
    expect(hashTexts(['127', '46.48838371'])).toMatchInlineSnapshot(`"852e612404f57b31"`)
    expect(hashTexts(['비트코인'])).toMatchInlineSnapshot(`"9a490292c8428dda"`)
  })

  it('is 16 hex digits and tells rows of texts apart that look the same when joined', () => {
    expect(hashTexts(['1', '23'])).toMatch(/^[0-9a-f]{16}$/)
    expect(new Set([hashTexts(['1', '23']), hashTexts(['12', '3']), hashTexts(['123']), hashTexts(['123', ''])]).size).toBe(4)
  })

  it('gives different texts different hashes, and the same text the same', () => {
    const texts = fc
      .array(fc.string({unit: 'binary', maxLength: 20}), {maxLength: 8})
      .map((row) => row.filter((text) => !text.includes('\u001f')))
    fc.assert(
      fc.property(texts, texts, (a, b) => {
        expect(hashTexts(a) === hashTexts(b)).toBe(JSON.stringify(a) === JSON.stringify(b))
      }),
    )
  })

  it('spreads neighbours: 200,000 books that differ in one digit do not collide', () => {
    const seen = new Set<string>()
    for (let i = 0; i < 200_000; i++) seen.add(hashTexts(['127', '46.48838371', '126', `0.${i}`, '125', '3']))
    expect(seen.size).toBe(200_000)
  })
})
