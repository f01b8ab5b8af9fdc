import {totalmem} from 'node:os'
import {describe, expect, it} from 'vitest'
import {describePlan, planOf} from '../../../../src/lib/cluster/node/describe.ts'
import {machineMb, parseBeside, parseMb} from '../../../../src/lib/cluster/node/options.ts'
import {planNode} from '../../../../src/lib/cluster/node/spec.ts'

describe('the flags of a node', () => {
  it('take sizes as whole MiB', () => {
    expect(parseMb('8GiB')).toBe(8192)
    expect(parseMb('1000000B')).toBe(0)
    expect(() => parseMb('8192')).toThrow("'8192' is not a size")
  })

  it('take a list of what else runs, or none', () => {
    expect(parseBeside('zookeeper,cassandra')).toEqual(['zookeeper', 'cassandra'])
    expect(parseBeside('none')).toEqual([])
    expect(() => parseBeside('redis')).toThrow("'redis' is not what may run beside a node")
  })

  it('default to the memory that there is', () => {
    expect(machineMb()).toBeGreaterThan(0)
    expect(machineMb()).toBeLessThanOrEqual(totalmem() / 2 ** 20)
  })
})

describe('a printed plan', () => {
  it('shows memory, settings and programs', () => {
    const spec = planNode({kind: 'kafka', id: 1, hosts: ['mac1', 'mac2', 'mac3'], mode: 'zookeeper', totalMb: 8192})
    const plan = planOf(spec, '/data/nodes/kafka-1')
    expect(plan.programs).toContain('org.apache.kafka:kafka_2.13:3.9.2')
    const lines = describePlan(plan)
    expect(lines).toEqual(
      expect.arrayContaining([
        '  broker               1536  (heap 1024, direct 256, the rest of the JVM 256)',
        '  page cache           1024',
        '# server.properties',
        'broker.id=1',
      ]),
    )
  })
})
