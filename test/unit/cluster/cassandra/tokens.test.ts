import {describe, expect, it} from 'vitest'
import {replicaSets, tokenFor} from '../../../../src/lib/cluster/cassandra/ring.ts'
import {tokensOf} from '../../../../src/lib/cluster/cassandra/tokens.ts'

const COUNTS = [1, 2, 3, 4, 5, 6, 7, 8, 9]
const RING = 2 ** 64

function ringOf(count: number): Map<string, string[]> {
  return new Map(Array.from({length: count}, (_, index) => [`n${index + 1}`, tokensOf(index + 1, count).map(String)]))
}

/** Share of all rows that each node keeps a copy of. */
function shares(ring: ReadonlyMap<string, readonly string[]>): Map<string, number> {
  const sets = replicaSets(ring, 2)
  const kept = new Map<string, number>()
  sets.forEach(({token, hosts}, index) => {
    const before = sets.at(index - 1)?.token ?? 0n
    const width = Number(token - before)
    for (const host of hosts) kept.set(host, (kept.get(host) ?? 0) + (width > 0 ? width : width + RING) / RING)
  })
  return kept
}

describe('tokensOf', () => {
  it.each(COUNTS)('gives %i nodes 16 tokens each that Cassandra takes, none of them twice', (count) => {
    const all = [...ringOf(count).values()].flat().map(BigInt)
    expect(new Set(all).size).toBe(16 * count)
    expect(all.every((token) => token > -(2n ** 63n) && token < 2n ** 63n)).toBe(true)
  })

  it.each(COUNTS)('spreads the copies evenly over %i nodes', (count) => {
    for (const share of shares(ringOf(count)).values()) expect(share).toBeCloseTo(Math.min(2, count) / count, 1)
  })

  it.each(COUNTS.slice(1))('makes every two of %i nodes keep rows together', (count) => {
    const ring = ringOf(count)
    const sets = replicaSets(ring, 2)
    for (const one of ring.keys()) {
      for (const other of ring.keys()) {
        if (one === other) continue
        const token = tokenFor(sets, one, other)
        expect(sets.find((set) => set.token === token)?.hosts.toSorted()).toEqual([one, other].toSorted())
      }
    }
  })
})

describe('replicaSets', () => {
  it('goes round the ring and skips the tokens of a node that has a copy already', () => {
    const ring = new Map([
      ['a', ['-10', '0']],
      ['b', ['10']],
      ['c', ['20']],
    ])
    expect(replicaSets(ring, 2)).toEqual([
      {token: -10n, hosts: ['a', 'b']},
      {token: 0n, hosts: ['a', 'b']},
      {token: 10n, hosts: ['b', 'c']},
      {token: 20n, hosts: ['c', 'a']},
    ])
  })

  it('has no token for a node that is not in the ring', () => {
    expect(tokenFor(replicaSets(new Map([['a', ['0']]]), 2), 'a', 'b')).toBeUndefined()
  })
})
