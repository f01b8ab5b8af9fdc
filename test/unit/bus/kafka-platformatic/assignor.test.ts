import fc from 'fast-check'
import {describe, expect, it} from 'vitest'
import {partitionKey} from '../../../../src/lib/bus/assign.ts'
import {
  decodeClaim,
  decodeShare,
  encodeClaim,
  encodeShare,
  type GroupMemberClaim,
  planShares,
} from '../../../../src/lib/bus/kafka-platformatic/assignor.ts'
import type {TopicPartition} from '../../../../src/lib/core/ports/bus.ts'

const partitionsOf = (count: number) => Array.from({length: count}, (_, partition) => ({topic: 't', partition}))
const member = (id: string, owned: readonly TopicPartition[] = [], generation = -1): GroupMemberClaim => ({
  ...{id, instanceId: null, topics: ['t']},
  ...{owned, generation},
})
const keys = (partitions: readonly TopicPartition[] | undefined) => (partitions ?? []).map(partitionKey).sort()

/** Shares anew until nobody has to give anything up. */
function rounds(members: readonly GroupMemberClaim[], partitions: readonly TopicPartition[]) {
  const seen: ReadonlyMap<string, readonly TopicPartition[]>[] = []
  let claims = members
  for (let generation = 1; generation < 10; generation++) {
    const {shares} = planShares(claims, partitions, new Map())
    seen.push(shares)
    const moved = claims.some(({id, owned}) => keys(owned).join() !== keys(shares.get(id)).join())
    claims = claims.map((claim) => ({...claim, owned: shares.get(claim.id) ?? [], generation}))
    if (!moved) return seen
  }
  throw new Error('shares never settle')
}

describe('sharing a group', () => {
  it('settles evenly within two rounds, and never gives a partition away that another still owns', () => {
    fc.assert(
      fc.property(
        fc.integer({min: 1, max: 6}),
        fc.integer({min: 0, max: 20}),
        fc.array(fc.nat(7), {maxLength: 20}),
        (count, size, owners) => {
          const partitions = partitionsOf(size)
          const members = Array.from({length: count}, (_, index) =>
            member(
              `m${index}`,
              partitions.filter(({partition}) => owners[partition] === index),
              1,
            ),
          )
          const seen = rounds(members, partitions)
          expect(seen.length).toBeLessThanOrEqual(3)
          const owned = new Map(members.flatMap(({id, owned: all}) => all.map((partition) => [partitionKey(partition), id])))
          for (const [id, share] of seen[0] ?? []) {
            for (const partition of share) expect([undefined, id]).toContain(owned.get(partitionKey(partition)))
          }
          const last = [...(seen.at(-1)?.values() ?? [])]
          expect(last.flat().map(partitionKey).sort()).toEqual(keys(partitions))
          const sizes = last.map((share) => share.length)
          expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1)
        },
      ),
    )
  })

  it('believes the later of two claims, and of two equal ones neither', () => {
    const both = partitionsOf(2)
    const later = planShares([member('a', both, 4), member('b', both, 5)], both, new Map())
    expect(keys(later.shares.get('b'))).toHaveLength(1)
    expect(keys(later.shares.get('a'))).toEqual([])
    const equal = planShares([member('a', both, 5), member('b', both, 5)], both, new Map())
    expect(equal.unowned).toEqual(both)
  })

  it('gives a static member that was started again what it had', () => {
    const all = partitionsOf(4)
    const [first, second] = [all.slice(0, 2), all.slice(2)]
    const remembered = new Map(second.map((partition) => [partitionKey(partition), 'two']))
    const members = [member('x', first, 3), {...member('a'), instanceId: 'one'}, {...member('b'), instanceId: 'two'}]
    const {shares} = planShares(members, all, remembered)
    expect(keys(shares.get('b')).length).toBeGreaterThan(0)
    expect(keys(second)).toEqual(expect.arrayContaining(keys(shares.get('b'))))
  })

  it('writes and reads what members say, and what they are given', () => {
    const text = fc.string({minLength: 1, maxLength: 20, unit: 'grapheme-ascii'})
    const partitions = fc
      .uniqueArray(fc.record({topic: text, partition: fc.nat(50)}), {selector: partitionKey})
      .map((all) => all.sort((a, b) => (a.topic < b.topic ? -1 : a.topic > b.topic ? 1 : a.partition - b.partition)))
    fc.assert(
      fc.property(fc.uniqueArray(text), partitions, fc.integer({min: -1, max: 2 ** 31 - 1}), (topics, owned, generation) => {
        const claim = decodeClaim(encodeClaim({topics, owned, generation}))
        expect({...claim, owned: keys(claim.owned)}).toEqual({topics: [...topics].sort(), owned: keys(owned), generation})
        const share = decodeShare(encodeShare({partitions: owned, knownTopics: topics}))
        expect({...share, partitions: keys(share.partitions)}).toEqual({partitions: keys(owned), knownTopics: topics})
      }),
    )
  })

  it('reads an assignment by another program, whose data is its own', () => {
    expect(decodeShare(Buffer.alloc(0))).toEqual({partitions: [], knownTopics: []})
    const foreign = encodeShare({partitions: partitionsOf(1), knownTopics: ['t']})
    foreign.fill(0xff, foreign.length - 5)
    expect(decodeShare(foreign)).toEqual({partitions: partitionsOf(1), knownTopics: []})
  })
})
