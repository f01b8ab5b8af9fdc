import {describe, expect, it} from 'vitest'
import {checkSame, makePlan} from '../../../src/lib/cluster/make-plan.ts'
import {type ClusterKind, planSchema, proxiesOf} from '../../../src/lib/cluster/plan.ts'

const SECURITY = {user: 'joe', password: 'secret', tls: true}

describe('makePlan', () => {
  it('gives every broker and ZooKeeper an address of its own, in the order in which they start', () => {
    const {nodes, name} = makePlan({kind: 'kafka-zk', proxy: true})
    expect(name).toBe('kafka-zk')
    expect(nodes.map(({id, host, ports}) => `${id} ${host}:${ports.client}`)).toEqual([
      'zookeeper-1 127.0.0.31:2181',
      'zookeeper-2 127.0.0.32:2181',
      'zookeeper-3 127.0.0.33:2181',
      'toxiproxy 127.0.0.20:8474',
      'kafka-1 127.0.0.21:9092',
      'kafka-2 127.0.0.22:9092',
      'kafka-3 127.0.0.23:9092',
    ])
  })

  it.each([
    [1, ['broker,controller']],
    [2, ['broker,controller', 'broker']],
    [3, ['broker,controller', 'broker,controller', 'broker,controller']],
    [4, ['broker,controller', 'broker,controller', 'broker,controller', 'broker']],
  ])('lets %i KRaft nodes have controllers that can agree', (nodes, roles) => {
    expect(makePlan({kind: 'kafka', nodes}).nodes.map(({roles}) => roles.join())).toEqual(roles)
  })

  it('needs one ZooKeeper for a small cluster', () => {
    expect(makePlan({kind: 'kafka-zk', nodes: 1}).nodes.map(({id}) => id)).toEqual(['zookeeper-1', 'kafka-1'])
  })

  it('takes hosts, port and heap, and puts listeners on the ports behind', () => {
    const {nodes} = makePlan({kind: 'kafka', nodes: 1, hosts: ['127.0.0.60'], port: 19_092, heapMb: 128, proxy: true, security: SECURITY})
    expect(nodes[0]).toMatchObject({program: 'toxiproxy', host: '127.0.0.60'})
    expect(nodes[1]).toMatchObject({
      host: '127.0.0.60',
      heapMb: 128,
      ports: {client: 19_092, controller: 19_093, sasl: 19_094, ssl: 19_095, behindProxy: 19_096, proxied: 19_097},
    })
    expect(nodes[1]?.listeners.find(({name}) => name === 'PROXIED')).toEqual({
      name: 'PROXIED',
      protocol: 'PLAINTEXT',
      port: 19_096,
      advertised: {host: '127.0.0.60', port: 19_097},
    })
  })

  it.each(['kafka', 'kafka-zk', 'cassandra', 'registry'] as const)('makes a plan of %s that its state file can hold', (kind) => {
    const plan = makePlan({kind})
    expect(planSchema.parse(JSON.parse(JSON.stringify(plan)))).toEqual(plan)
  })

  it.each([
    ['no nodes', {nodes: 0}, /a cluster of 0 nodes/],
    ['too many nodes', {nodes: 10}, /a cluster of 10 nodes/],
    ['half a node', {nodes: 1.5}, /1.5 nodes/],
    ['too few addresses', {hosts: ['127.0.0.1']}, /1 addresses for 3 nodes/],
    ['an address twice', {nodes: 2, hosts: ['127.0.0.1', '127.0.0.1']}, /given twice/],
    ['no room above the port', {port: 65_535}, /port 65535/],
    ['a tiny heap', {heapMb: 4}, /4 MiB/],
    ['a name that is no folder', {name: '../x'}, /name '..\/x'/],
  ])('refuses %s', (_, options, message) => {
    expect(() => makePlan({kind: 'kafka', ...options})).toThrow(message)
  })

  it('gives Cassandra nodes behind a proxy a second address each, for the port has to stay the same', () => {
    const plan = makePlan({kind: 'cassandra', nodes: 2, proxy: true})
    expect(plan.nodes.map(({id, host, proxiedHost}) => [id, host, proxiedHost])).toEqual([
      ['toxiproxy', '127.0.0.10', null],
      ['cassandra-1', '127.0.0.11', '127.0.1.11'],
      ['cassandra-2', '127.0.0.12', '127.0.1.12'],
    ])
    expect(proxiesOf(plan)).toEqual([
      {name: 'cassandra-1', listen: {host: '127.0.1.11', port: 9042}, upstream: {host: '127.0.0.11', port: 9042}},
      {name: 'cassandra-2', listen: {host: '127.0.1.12', port: 9042}, upstream: {host: '127.0.0.12', port: 9042}},
    ])
    expect(() => makePlan({kind: 'cassandra', nodes: 1, hosts: ['10.0.0.1'], proxy: true})).toThrow(/10.0.0.1 has no address beside it/)
  })

  it('refuses what a kind has no use for', () => {
    expect(() => makePlan({kind: 'cassandra', security: SECURITY})).toThrow(/not for cassandra/)
    expect(() => makePlan({kind: 'kafka', fastStart: true})).toThrow(/for Cassandra clusters/)
  })

  it('refuses an unknown kind, and a proxy for what has no brokers', () => {
    expect(() => makePlan({kind: 'redis' as ClusterKind})).toThrow(expect.objectContaining({code: 'COINPIPE_CLUSTER_OPTIONS', exitCode: 2}))
    expect(() => makePlan({kind: 'registry', proxy: true})).toThrow(/not for registry/)
  })

  it('names how many addresses ZooKeeper mode needs', () => {
    const hosts = ['127.0.0.1', '127.0.0.2', '127.0.0.3']
    expect(() => makePlan({kind: 'kafka-zk', hosts})).toThrow(
      expect.objectContaining({remedy: ['give 3 for brokers and then 3 for ZooKeepers with --hosts']}),
    )
  })
})

describe('checkSame', () => {
  const plan = makePlan({kind: 'kafka-zk', nodes: 3, security: SECURITY})

  it('lets pass what is not asked, and what is as asked', () => {
    checkSame(plan, {kind: 'kafka-zk'})
    const hosts = [21, 22, 23, 31, 32, 33].map((last) => `127.0.0.${last}`)
    checkSame(plan, {kind: 'kafka-zk', nodes: 3, hosts, port: 9092, heapMb: 256, proxy: false, driver: 'jvm', security: SECURITY})
  })

  it.each([
    [{nodes: 5}, /has nodes 3, not 5/],
    [{port: 1}, /has port 9092, not 1/],
    [{heapMb: 64}, /has heap 256 MiB, not 64 MiB/],
    [{proxy: true}, /has proxy false, not true/],
    [{driver: 'compose'} as const, /has driver jvm, not compose/],
    [{security: {...SECURITY, password: 'other'}}, /has other users$/],
  ])('names what differs: %o', (options, message) => {
    expect(() => checkSame(plan, {kind: 'kafka-zk', ...options})).toThrow(message)
  })

  it('tells a cluster that starts fast from one that does not', () => {
    const fast = makePlan({kind: 'cassandra', fastStart: true})
    checkSame(fast, {kind: 'cassandra'})
    expect(() => checkSame(makePlan({kind: 'cassandra'}), {kind: 'cassandra', fastStart: true})).toThrow(/has fast start false, not true/)
  })

  it('says the kind first where a name is taken by another one', () => {
    expect(() => checkSame(plan, {kind: 'kafka'})).toThrow(/has kind kafka-zk, not kafka/)
  })
})
