import {describe, expect, it} from 'vitest'
import {parse} from 'yaml'
import {argumentFile, launchOf} from '../../../../src/lib/cluster/node/launch.ts'
import {remedyOf} from '../../../../src/lib/cluster/node/remedies.ts'
import {type NodeRequest, planNode} from '../../../../src/lib/cluster/node/spec.ts'

const FOLDER = '/data/nodes/it'

function spec(request: Partial<NodeRequest> = {}) {
  return planNode({kind: 'kafka', id: 2, hosts: ['mac1', 'mac2', 'mac3'], mode: 'kraft', totalMb: 8192, ...request})
}

function properties(text = ''): Record<string, string | undefined> {
  return Object.fromEntries(
    text
      .trimEnd()
      .split('\n')
      .map((line) => line.split(/=(.*)/s).slice(0, 2)),
  )
}

function broker(request: Partial<NodeRequest> = {}) {
  return properties(launchOf(spec(request), FOLDER).files['server.properties'])
}

describe('a broker', () => {
  it('with a controller has listeners for clients, brokers and controllers', () => {
    expect(broker({external: 'pub.example:19092'})).toMatchObject({
      'process.roles': 'broker,controller',
      'node.id': '2',
      'controller.quorum.voters': '1@mac1:9093,2@mac2:9093,3@mac3:9093',
      listeners: 'INTERNAL://mac2:9094,EXTERNAL://mac2:19092,CONTROLLER://mac2:9093',
      'advertised.listeners': 'INTERNAL://mac2:9094,EXTERNAL://pub.example:19092',
      'inter.broker.listener.name': 'INTERNAL',
      'listener.security.protocol.map': 'INTERNAL:PLAINTEXT,EXTERNAL:PLAINTEXT,CONTROLLER:PLAINTEXT',
      'log.dirs': '/data/nodes/it/data',
    })
  })

  it('keeps two copies for a day, and writes on with one server down', () => {
    expect(broker()).toMatchObject({
      'default.replication.factor': '2',
      'min.insync.replicas': '1',
      'offsets.topic.replication.factor': '3',
      'transaction.state.log.min.isr': '2',
      'log.retention.ms': '86400000',
      'log.roll.ms': '3600000',
      'auto.create.topics.enable': 'false',
      'unclean.leader.election.enable': 'false',
    })
  })

  it('with ZooKeeper asks all three, and has no controller', () => {
    const settings = broker({mode: 'zookeeper'})
    expect(settings).toMatchObject({
      'broker.id': '2',
      'zookeeper.connect': 'mac1:2181,mac2:2181,mac3:2181',
      listeners: 'INTERNAL://mac2:9094,EXTERNAL://mac2:9092',
    })
    expect(Object.keys(settings).filter((key) => key.startsWith('controller') || key === 'process.roles')).toEqual([])
    expect(launchOf(spec({mode: 'zookeeper'}), FOLDER).jars).toBe('kafka-zk')
  })

  it('beyond the third does not vote', () => {
    const hosts = ['mac1', 'mac2', 'mac3', 'mac4']
    expect(broker({hosts, id: 4})).toMatchObject({
      'process.roles': 'broker',
      'controller.quorum.voters': '1@mac1:9093,2@mac2:9093,3@mac3:9093',
      listeners: 'INTERNAL://mac4:9094,EXTERNAL://mac4:9092',
      'listener.security.protocol.map': expect.stringContaining('CONTROLLER:PLAINTEXT'),
    })
  })

  it('alone keeps one copy', () => {
    expect(broker({hosts: ['mac1'], id: 1})).toMatchObject({
      'default.replication.factor': '1',
      'offsets.topic.replication.factor': '1',
      'transaction.state.log.min.isr': '1',
    })
  })

  it('brackets addresses of IPv6', () => {
    expect(broker({hosts: ['fd00::1', 'fd00::2'], id: 2}).listeners).toBe('INTERNAL://[fd00::2]:9094,EXTERNAL://[fd00::2]:9092')
  })

  it('starts with the memory that is planned', () => {
    const launch = launchOf(spec(), FOLDER)
    const text = argumentFile(launch, ['/jars/a b.jar', '/jars/c.jar'])
    expect(text).toContain('"-Xmx1152m"\n"-XX:MaxDirectMemorySize=288m"\n')
    expect(text).toMatch(/"-cp"\n"\/jars\/a b.jar:\/jars\/c.jar"\n"kafka.Kafka"\n"\/data\/nodes\/it\/server.properties"\n$/)
  })
})

describe('a ZooKeeper', () => {
  it('knows the others, and its number', () => {
    const {files, main} = launchOf(spec({kind: 'zookeeper', mode: 'zookeeper'}), FOLDER)
    expect(properties(files['zoo.cfg'])).toMatchObject({
      dataDir: '/data/nodes/it/data',
      clientPortAddress: 'mac2',
      'server.1': 'mac1:2888:3888',
      'server.3': 'mac3:2888:3888',
    })
    expect(files['data/myid']).toBe('2\n')
    expect(main).toEqual(['org.apache.zookeeper.server.quorum.QuorumPeerMain', '/data/nodes/it/zoo.cfg'])
  })
})

describe('a Cassandra node', () => {
  it('has two seeds, 16 tokens, and acknowledges what is on disk', () => {
    const {files, flags} = launchOf(spec({kind: 'cassandra'}), FOLDER)
    expect(parse(files['cassandra.yaml'] ?? '')).toMatchObject({
      num_tokens: 16,
      listen_address: 'mac2',
      rpc_address: 'mac2',
      seed_provider: [{parameters: [{seeds: 'mac1,mac2'}]}],
      commitlog_sync: 'group',
      commitlog_sync_group_window: '10ms',
      memtable_heap_space: '512MiB',
    })
    expect(flags).toEqual(expect.arrayContaining(['-Xmx2048m', '-Dcassandra.storagedir=/data/nodes/it/data']))
  })
})

describe('what a server wrote before it ended', () => {
  it.each([
    ['java.net.BindException: Address already in use', 'lsof'],
    ['java.net.UnknownHostException: mac2', '/etc/hosts'],
    ["Stored node id 2 doesn't match previous node id 1", '--id'],
    ['Invalid cluster.id in: data/meta.properties', '--cluster-id'],
    ['Unable to gossip with any peers', 'start Cassandra on mac1 first'],
    ['A node with address /10.0.0.2:7000 already exists, cancelling join', 'replace_address_first_boot=mac2'],
    ['something new', '--plan'],
  ])('%s', (text, remedy) => {
    expect(remedyOf(text, spec()).join('\n')).toContain(remedy)
  })
})
