import fc from 'fast-check'
import {describe, expect, it} from 'vitest'
import {type RawRecord, splitRecords} from '../../../src/lib/ops/split-records.ts'

async function split(chunks: readonly Uint8Array[], delimiter: string, maxBytes = 1000): Promise<RawRecord[]> {
  async function* source() {
    yield* chunks
  }
  const records: RawRecord[] = []
  for await (const batch of splitRecords(source(), Buffer.from(delimiter), maxBytes)) records.push(...batch)
  return records
}

describe('splitRecords', () => {
  it('cuts as String.split does, wherever the chunks end', async () => {
    const text = fc.array(fc.constantFrom('a', 'b', 'ab', 'ü', ''), {maxLength: 30}).map((parts) => parts.join(''))
    await fc.assert(
      fc.asyncProperty(text, fc.constantFrom('a', 'ab', 'aab', 'bb'), fc.array(fc.nat(10)), async (whole, delimiter, sizes) => {
        const bytes = Buffer.from(whole)
        const chunks: Buffer[] = []
        let at = 0
        for (const size of sizes) {
          chunks.push(bytes.subarray(at, at + size))
          at += size
        }
        chunks.push(bytes.subarray(at))
        const expected = whole.split(delimiter)
        if (expected.at(-1) === '') expected.pop()
        const records = await split(chunks, delimiter)
        expect(records.map((record) => record.bytes?.toString())).toEqual(expected)
        expect(records.map(({number}) => number)).toEqual(expected.map((_, index) => index + 1))
      }),
    )
  })

  it('counts a record that is too long, and keeps nothing of it', async () => {
    const records = await split([Buffer.from('ok\n'), Buffer.alloc(800, 'x'), Buffer.alloc(800, 'x'), Buffer.from('\nok')], '\n')
    expect(records.map(({number, size, bytes}) => [number, size, bytes?.toString()])).toEqual([
      [1, 2, 'ok'],
      [2, 1600, undefined],
      [3, 2, 'ok'],
    ])
  })
})
