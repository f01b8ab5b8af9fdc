import fc from 'fast-check'
import {describe, expect, it} from 'vitest'
import {assignPartitions, partitionKey} from '../../../src/lib/bus/assign.ts'

const partitions = (topic: string, count: number) => Array.from({length: count}, (_, partition) => ({topic, partition}))
const member = (id: string, ...topics: string[]) => ({id, topics})

function shares(assignment: ReadonlyMap<string, string>): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const id of assignment.values()) counts[id] = (counts[id] ?? 0) + 1
  return counts
}

describe('assignPartitions', () => {
  it('gives all to the only member, and shares with a second', () => {
    const alone = assignPartitions([member('a', 't')], partitions('t', 6), new Map())
    expect(shares(alone)).toEqual({a: 6})
    const shared = assignPartitions([member('a', 't'), member('b', 't')], partitions('t', 6), alone)
    expect(shares(shared)).toEqual({a: 3, b: 3})
    expect([...shared].filter(([key, id]) => alone.get(key) !== id)).toHaveLength(3)
  })

  it('gives nobody what nobody reads', () => {
    expect(assignPartitions([member('a', 'other')], partitions('t', 2), new Map()).size).toBe(0)
    expect(assignPartitions([], partitions('t', 2), new Map([['t/0', 'gone']])).size).toBe(0)
  })

  it('assigns everything readable, only to readers, fairly, and changes nothing the second time', () => {
    const topics = ['t', 'u', 'v']
    const members = fc.uniqueArray(fc.record({id: fc.stringMatching(/^[a-f]{1,3}$/), topics: fc.subarray(topics, {minLength: 1})}), {
      selector: (candidate) => candidate.id,
      maxLength: 6,
    })
    const counts = fc.array(fc.nat(7), {minLength: 3, maxLength: 3})
    const before = fc.dictionary(fc.stringMatching(/^[tuv]\/[0-6]$/), fc.stringMatching(/^[a-f]{1,3}$/))
    fc.assert(
      fc.property(members, counts, before, (candidates, sizes, current) => {
        const all = topics.flatMap((topic, index) => partitions(topic, sizes[index] ?? 0))
        const assignment = assignPartitions(candidates, all, new Map(Object.entries(current)))
        const byId = new Map(candidates.map((candidate) => [candidate.id, candidate]))
        for (const partition of all) {
          const owner = assignment.get(partitionKey(partition))
          const readable = candidates.some((candidate) => candidate.topics.includes(partition.topic))
          expect(owner !== undefined).toBe(readable)
          if (owner !== undefined) expect(byId.get(owner)?.topics).toContain(partition.topic)
        }
        const sums = shares(assignment)
        for (const partition of all) {
          const owner = assignment.get(partitionKey(partition))
          for (const taker of candidates.filter((candidate) => candidate.topics.includes(partition.topic))) {
            expect((sums[owner ?? ''] ?? 0) - (sums[taker.id] ?? 0)).toBeLessThan(2)
          }
        }
        expect(assignPartitions([...candidates].reverse(), all, assignment)).toEqual(assignment)
      }),
    )
  })
})
