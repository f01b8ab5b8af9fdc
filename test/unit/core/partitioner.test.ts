import {readFileSync} from 'node:fs'
import {describe, expect, it} from 'vitest'
import {murmur2, partitionForKey} from '../../../src/lib/core/partitioner.ts'

type Vector = [key: string, hash: number, of3: number, of6: number, of7: number]

const vectors = JSON.parse(readFileSync(new URL('../../fixtures/partitioner/vectors.json', import.meta.url), 'utf8')) as Vector[]

describe('partitioner', () => {
  it('hashes as the Java client does', () => {
    expect(vectors.length).toBeGreaterThanOrEqual(200)
    for (const [key, hash] of vectors) expect([key, murmur2(Buffer.from(key))]).toEqual([key, hash])
  })

  it('puts keys where the Java client does, among 3, 6 and 7 partitions', () => {
    for (const [key, , of3, of6, of7] of vectors) {
      expect([key, partitionForKey(key, 3), partitionForKey(key, 6), partitionForKey(key, 7)]).toEqual([key, of3, of6, of7])
    }
  })

  it('hashes a view at any place of its buffer', () => {
    const padded = Buffer.from('xxupbit:BTC-KRWxx')
    expect(murmur2(padded.subarray(2, -2))).toBe(murmur2(Buffer.from('upbit:BTC-KRW')))
  })
})
