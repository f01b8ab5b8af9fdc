import fc from 'fast-check'
import {describe, expect, it} from 'vitest'
import {partitionForKey} from '../../../src/lib/core/partitioner.ts'
import {checkMore, countKeyMoves, describeKeyMoves, expectedMoveShare, findKeyMoves} from '../../../src/lib/ops/key-moves.ts'
import {embeddedBus} from '../../helpers/embedded-bus.ts'

const counts = fc.integer({min: 1, max: 60})

describe('expectedMoveShare', () => {
  it('is the share of all hashes whose remainder changes', () => {
    fc.assert(
      fc.property(counts, counts, (before, after) => {
        const hashes = Array.from({length: before * after}, (_, hash) => hash)
        const moved = hashes.filter((hash) => hash % before !== hash % after)
        expect(expectedMoveShare(before, after)).toBeCloseTo(moved.length / hashes.length, 12)
      }),
    )
  })

  it.each([
    [6, 12, 0.5],
    [3, 12, 0.75],
    [3, 7, 6 / 7],
    [6, 7, 6 / 7],
    [6, 9, 2 / 3],
  ])('from %d to %d partitions: %d', (before, after, share) => {
    expect(expectedMoveShare(before, after)).toBeCloseTo(share, 12)
  })
})

describe('countKeyMoves', () => {
  it('counts keys once and records each', () => {
    const key = 'BTC-KRW'
    const [before, after] = [3, 7]
    const moves = partitionForKey(key, before) !== partitionForKey(key, after)
    const partition = partitionForKey(key, before)
    const records = [
      {key, partition},
      {key, partition},
      {key: null, partition: 0},
    ]
    expect(countKeyMoves(records, before, after)).toMatchObject({
      sampled: 3,
      keyed: 2,
      keys: 1,
      movedKeys: Number(moves),
      movedRecords: 2 * Number(moves),
      placedOtherwise: 0,
    })
  })

  it('says which keys the hash has not placed', () => {
    const elsewhere = (partitionForKey('k', 3) + 1) % 3
    const moves = countKeyMoves([{key: 'k', partition: elsewhere}], 3, 6)
    expect(moves.placedOtherwise).toBe(1)
    expect(describeKeyMoves(moves).at(-1)).toMatch(/1 key lie/)
  })

  it('comes close to the expected share with many keys', () => {
    const records = Array.from({length: 20_000}, (_, at) => ({key: `key-${at}`, partition: partitionForKey(`key-${at}`, 6)}))
    const {keys, movedKeys, expectedShare} = countKeyMoves(records, 6, 9)
    expect(movedKeys / keys).toBeCloseTo(expectedShare, 1)
  })
})

describe('findKeyMoves', () => {
  it('looks at the newest thousand records of each partition', async () => {
    const {bus} = await embeddedBus()
    await bus.ensureTopic('t', {partitions: 2, retentionMs: null, retentionBytes: null})
    const old = Array.from({length: 500}, (_, at) => ({topic: 't', partition: 0, key: `old-${at}`, value: ''}))
    const recent = Array.from({length: 1000}, (_, at) => ({topic: 't', partition: 0, key: `new-${at % 10}`, value: ''}))
    await bus.publish([...old, ...recent, {topic: 't', partition: 1, key: null, value: ''}])
    const moves = await findKeyMoves(bus, await bus.describeTopic('t'), 4)
    expect(moves).toMatchObject({sampled: 1001, keyed: 1000, keys: 10, expectedShare: 0.5})
  })

  it('says so where nothing has a key', async () => {
    const {bus} = await embeddedBus()
    await bus.ensureTopic('t', {partitions: 1, retentionMs: null, retentionBytes: null})
    await bus.publish([{topic: 't', key: null, value: ''}])
    const moves = await findKeyMoves(bus, await bus.describeTopic('t'), 2)
    expect(describeKeyMoves(moves)).toEqual(['the newest 1 record have no key: order inside a key is not at stake'])
    expect(describeKeyMoves(countKeyMoves([], 3, 6))).toEqual(['there is no record yet whose key could move'])
  })
})

describe('checkMore', () => {
  it.each([2, 3])('refuses %d in place of 3', (after) => {
    expect(() => checkMore('t', 3, after)).toThrow(/topic 't' has 3 partitions/)
  })
})
