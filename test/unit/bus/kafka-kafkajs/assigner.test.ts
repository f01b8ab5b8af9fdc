import {describe, expect, it} from 'vitest'
import {decodeAssignment, decodeMembers, encodeAssignment, encodeTopics} from '../../../../src/lib/bus/kafka-kafkajs/assigner.ts'

describe('what members of a group tell each other', () => {
  it('comes back as it was sent', () => {
    const partitions = [
      {topic: 'b', partition: 2},
      {topic: 'b', partition: 0},
      {topic: 'a', partition: 1},
    ]
    const starts = new Map([
      ['a/1', 2 ** 40],
      ['b/0', 0],
    ])
    expect(decodeAssignment(encodeAssignment({partitions, starts}))).toEqual({partitions, starts})
    expect(decodeMembers([{memberId: 'one', memberMetadata: encodeTopics(['a', 'b'])}])).toEqual([{id: 'one', topics: ['a', 'b']}])
  })

  it('names starts only of the partitions that are given out', () => {
    const assignment = {partitions: [{topic: 'a', partition: 0}], starts: new Map([['a/1', 5]])}
    expect(decodeAssignment(encodeAssignment(assignment)).starts).toEqual(new Map())
  })

  it('is nothing where the leader gave nothing', () => {
    expect(decodeAssignment(Buffer.alloc(0))).toEqual({partitions: [], starts: new Map()})
  })
})
