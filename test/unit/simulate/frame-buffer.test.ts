import fc from 'fast-check'
import {describe, expect, it} from 'vitest'
import {binaryFrames, listTexts} from '../../../src/lib/simulate/frame-buffer.ts'

/** Reads unmasked, unfragmented frames (RFC 6455, section 5.2). */
function readFrames(bytes: Buffer): string[] {
  const texts: string[] = []
  for (let at = 0; at < bytes.length; ) {
    expect(bytes[at]).toBe(0x82)
    const short = bytes[at + 1]!
    const [length, start] =
      short < 126
        ? [short, at + 2]
        : short === 126
          ? [bytes.readUInt16BE(at + 2), at + 4]
          : [Number(bytes.readBigUInt64BE(at + 2)), at + 10]
    texts.push(bytes.toString('latin1', start, start + length))
    at = start + length
  }
  return texts
}

describe('binaryFrames', () => {
  it('frames any texts one after the other', () => {
    const text = fc.oneof(
      fc.string(),
      fc.integer({min: 100, max: 70_000}).map((length) => 'x'.repeat(length)),
    )
    fc.assert(
      fc.property(
        fc.array(
          text.map((any) => any.replace(/[^ -~]/g, '.')),
          {maxLength: 6},
        ),
        (texts) => {
          expect(readFrames(binaryFrames(texts))).toEqual(texts)
        },
      ),
    )
  })

  it.each([0, 125, 126, 65_535, 65_536])('takes a text of %i characters', (length) => {
    expect(readFrames(binaryFrames(['y'.repeat(length)]))).toEqual(['y'.repeat(length)])
  })
})

describe('listTexts', () => {
  it('fills arrays up to the limit', () => {
    expect(listTexts(['1', '2', '3'], 2)).toEqual(['[1,2]', '[3]'])
  })
})
