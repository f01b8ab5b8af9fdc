import fc from 'fast-check'
import {describe, expect, it} from 'vitest'
import {memoryPlan, PARTS} from '../../../../src/lib/cluster/node/memory.ts'
import {CoinpipeError} from '../../../../src/lib/core/errors.ts'

describe('the memory of a server', () => {
  it('of 8 GiB holds a broker with its controller and a Cassandra node, and leaves room for the page cache', () => {
    expect(memoryPlan({totalMb: 8192, part: 'broker+controller', beside: ['cassandra']})).toEqual({
      totalMb: 8192,
      systemMb: 2048,
      own: {part: 'broker+controller', heapMb: 1152, directMb: 288, jvmMb: 256, totalMb: 1696},
      beside: [{part: 'cassandra', heapMb: 2048, directMb: 768, jvmMb: 384, totalMb: 3200}],
      pageCacheMb: 1248,
    })
  })

  it('of 8 GiB holds a broker, a ZooKeeper and a Cassandra node', () => {
    const {own, beside, pageCacheMb} = memoryPlan({totalMb: 8192, part: 'broker', beside: ['zookeeper', 'cassandra']})
    expect([own, ...beside].map(({heapMb}) => heapMb)).toEqual([1024, 256, 2048])
    expect(pageCacheMb).toBe(1024)
  })

  it('of 4 GiB does not hold both, and is refused with its shares and a way out', () => {
    const plan = () => memoryPlan({totalMb: 4096, part: 'broker+controller', beside: ['cassandra']})
    expect(plan).toThrow('4096 MiB do not suffice: 1024 for the system, broker+controller 976, cassandra 1792, and then 304 MiB')
    expect(plan).toThrow(expect.objectContaining({exitCode: 2, remedy: expect.arrayContaining([expect.stringContaining('--heap')])}))
  })

  it('of 4 GiB holds either alone, or both with a smaller heap', () => {
    expect(memoryPlan({totalMb: 4096, part: 'cassandra', beside: []}).own.heapMb).toBe(1024)
    expect(memoryPlan({totalMb: 4096, part: 'cassandra', beside: ['broker'], heapMb: 640}).own).toMatchObject({heapMb: 640, directMb: 240})
  })

  it('refuses a heap that the server could not live with', () => {
    expect(() => memoryPlan({totalMb: 8192, part: 'cassandra', beside: [], heapMb: 100})).toThrow('is not between 256 and 31744 MiB')
    expect(() => memoryPlan({totalMb: 262_144, part: 'cassandra', beside: [], heapMb: 40_000})).toThrow('is not between')
  })

  it('is never given out twice', () => {
    const part = fc.constantFrom(...PARTS)
    fc.assert(
      fc.property(fc.integer({min: 256, max: 1_048_576}), part, fc.uniqueArray(part), (totalMb, part, beside) => {
        try {
          const plan = memoryPlan({totalMb, part, beside})
          const given = [plan.own, ...plan.beside].reduce((sum, {totalMb}) => sum + totalMb, plan.systemMb + plan.pageCacheMb)
          expect(given).toBe(totalMb)
          expect(plan.pageCacheMb).toBeGreaterThanOrEqual(totalMb / 8)
        } catch (error) {
          if (!(error instanceof CoinpipeError)) throw error
          expect(error.code).toBe('COINPIPE_CLUSTER_NODE_OPTIONS')
        }
      }),
    )
  })
})
