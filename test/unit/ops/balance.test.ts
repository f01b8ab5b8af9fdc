import {describe, expect, it} from 'vitest'
import {electionFailures} from '../../../src/lib/ops/balance.ts'

const election = (topic: string, partition: number, error: string | null) => ({topic, partition, error})

describe('electionFailures', () => {
  it('says once what many partitions have in common, and leaves out those that were elected', () => {
    const down = 'PREFERRED_LEADER_NOT_AVAILABLE: the preferred leader was not available'
    expect(electionFailures([election('a', 0, down), election('a', 1, null), election('b', 0, down)])).toEqual([
      {
        error: down,
        partitions: [
          {topic: 'a', partition: 0},
          {topic: 'b', partition: 0},
        ],
      },
    ])
  })

  it('goes by the name of the error where each partition is told something else', () => {
    const elections = [
      election('a', 0, 'PREFERRED_LEADER_NOT_AVAILABLE: no leader for a-0'),
      election('a', 1, 'PREFERRED_LEADER_NOT_AVAILABLE: no leader for a-1'),
      election('a', 2, 'UNKNOWN_SERVER_ERROR'),
    ]
    expect(electionFailures(elections).map(({error, partitions}) => [error, partitions.length])).toEqual([
      ['PREFERRED_LEADER_NOT_AVAILABLE', 2],
      ['UNKNOWN_SERVER_ERROR', 1],
    ])
  })
})
