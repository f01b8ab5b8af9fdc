import fc from 'fast-check'
import {describe, expect, it} from 'vitest'
import {hashBytes, hashText, recordId, TextHash} from '../../../src/lib/core/ids.ts'
import {arbitraryUtf8Text} from '../../helpers/arbitrary-text.ts'

const hashTexts = (texts: readonly string[]) => texts.reduce((hash, text) => hash.add(text), new TextHash()).digest()

describe('recordId', () => {
  it('joins type, exchange, symbol and key', () => {
    expect(recordId('trade', 'upbit', 'BTC-KRW', '17')).toBe('trade:upbit:BTC-KRW:17')
  })
})

describe('TextHash', () => {
  it('never changes, for ids are stored', () => {
    expect(hashTexts([])).toMatchInlineSnapshot(`"6c81fa8c5cd8b6e0"`)
    expect(hashTexts(['127', '46.48838371'])).toMatchInlineSnapshot(`"ffbbb12f69652964"`)
    expect(hashTexts(['비트코인'])).toMatchInlineSnapshot(`"0825ee1134d17451"`)
  })

  it('is 16 hex digits and tells rows of texts apart that look the same when joined', () => {
    expect(hashTexts(['1', '23'])).toMatch(/^[0-9a-f]{16}$/)
    expect(new Set([hashTexts(['1', '23']), hashTexts(['12', '3']), hashTexts(['123']), hashTexts(['123', ''])]).size).toBe(4)
  })

  it('gives different texts different hashes, and the same text the same', () => {
    const texts = fc.array(arbitraryUtf8Text(20), {maxLength: 8})

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

  it('is the same for a text and for its bytes in a buffer, whatever follows them', () => {
    fc.assert(
      fc.property(arbitraryUtf8Text(12), fc.uint8Array({minLength: 3, maxLength: 5}), (text, rest) => {
        const ofText = new Int32Array(4)
        const ofBytes = new Int32Array(4)
        const bytes = Buffer.concat([Buffer.from('x'), Buffer.from(text), rest])
        hashText(text, ofText, 1)
        hashBytes(new DataView(bytes.buffer, bytes.byteOffset, bytes.length), 1, bytes.length - rest.length, ofBytes, 1)
        expect(ofBytes).toEqual(ofText)
      }),
    )
  })
})
