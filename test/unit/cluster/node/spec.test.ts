import fc from 'fast-check'
import {describe, expect, it} from 'vitest'
import {clusterId, type NodeRequest, planNode} from '../../../../src/lib/cluster/node/spec.ts'

const MACS = ['mac1', 'mac2', 'mac3']

function plan(request: Partial<NodeRequest>) {
  return planNode({kind: 'kafka', id: 1, hosts: MACS, mode: 'kraft', totalMb: 8192, ...request})
}

describe('a node of a server', () => {
  it('takes its name and addresses from its place among the hosts', () => {
    expect(plan({id: 2})).toMatchObject({name: 'kafka-2', host: 'mac2', listen: 'mac2', external: {host: 'mac2', port: 9092}})
  })

  it('is known to clients, and listens, where it is told to', () => {
    expect(plan({external: 'pub.example:19092', listen: '0.0.0.0'})).toMatchObject({
      host: 'mac1',
      listen: '0.0.0.0',
      external: {host: 'pub.example', port: 19_092},
    })
    expect(plan({external: '[fd00::1]:9092'}).external).toEqual({host: 'fd00::1', port: 9092})
  })

  it('shares the machine with what the other servers run', () => {
    const parts = (request: Partial<NodeRequest>) => {
      const {own, beside} = plan(request).memory
      return [own, ...beside].map(({part}) => part)
    }
    expect(parts({})).toEqual(['broker+controller', 'cassandra'])
    expect(parts({kind: 'cassandra'})).toEqual(['cassandra', 'broker+controller'])
    expect(parts({mode: 'zookeeper'})).toEqual(['broker', 'zookeeper', 'cassandra'])
    expect(parts({beside: []})).toEqual(['broker+controller'])
    expect(parts({hosts: [...MACS, 'mac4'], id: 4})).toEqual(['broker', 'cassandra'])
  })

  it.each<[string, Partial<NodeRequest>, string]>([
    ['a number without a host', {id: 4}, 'there is no server number 4 among 3'],
    ['a host twice', {hosts: ['mac1', 'mac1']}, 'a server is named twice'],
    ['a host with a port', {hosts: ['mac1:9092']}, "'mac1:9092' is not the name or address of a server"],
    ['an empty host', {hosts: ['mac1', '']}, "'' is not the name or address"],
    ['no port for clients', {external: 'mac1'}, "'mac1' is not an address for clients"],
    ['a port that is taken', {external: 'mac1:9093'}, "'mac1:9093' is not an address for clients"],
    ['a fourth ZooKeeper', {kind: 'zookeeper', id: 4, hosts: [...MACS, 'mac4']}, 'ZooKeeper runs on the first 3 of 4 servers'],
  ])('refuses %s', (_, request, message) => {
    expect(() => plan(request)).toThrow(message)
    expect(() => plan(request)).toThrow(expect.objectContaining({code: 'COINPIPE_CLUSTER_NODE_OPTIONS', exitCode: 2}))
  })
})

describe('the id of a cluster', () => {
  it('is the same on every server, and another for other hosts', () => {
    expect(plan({id: 1}).clusterId).toBe(plan({id: 3}).clusterId)
    expect(plan({hosts: ['mac1']}).clusterId).not.toBe(plan({}).clusterId)
    expect(plan({hosts: ['mac1'], clusterId: MACS.join(',')}).clusterId).toBe(plan({}).clusterId)
  })

  it('is taken as given where it is one of Kafka', () => {
    expect(clusterId('4L6g3nShT-eMCtK--X86sw')).toBe('4L6g3nShT-eMCtK--X86sw')
  })

  it('is 16 bytes that Kafka reads, whatever the text', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        const id = clusterId(text)
        expect(id).toMatch(/^[A-Za-z0-9_][A-Za-z0-9_-]{21}$/)
        expect(Buffer.from(id, 'base64url')).toHaveLength(16)
        expect(clusterId(id)).toBe(id)
      }),
    )
  })
})
