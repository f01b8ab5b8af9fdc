import {describe, expect, it} from 'vitest'
import {parse} from 'yaml'
import {renderCompose} from '../../../../src/lib/cluster/compose/render.ts'
import {type ComposeFile, kafkaVariable} from '../../../../src/lib/cluster/compose/service.ts'
import {makePlan, type PlanOptions} from '../../../../src/lib/cluster/make-plan.ts'

function render(options: PlanOptions, keystore?: string): ComposeFile {
  return parse(renderCompose(makePlan(options), keystore === undefined ? {} : {keystore}))
}

const SECURITY = {user: 'me', password: 'pa$$word', tls: true}

describe('a local cluster as a compose file', () => {
  it('has a container for each broker, reached from outside at its own loopback address', () => {
    const {name, services} = render({kind: 'kafka'})
    expect(name).toBe('coinpipe-kafka')
    expect(Object.keys(services)).toEqual(['kafka-1', 'kafka-2', 'kafka-3'])
    expect(services['kafka-2']).toMatchObject({
      image: 'apache/kafka:4.3.1',
      ports: ['127.0.0.22:9092:9092'],
      environment: {
        CLUSTER_ID: expect.stringMatching(/^.{22}$/),
        KAFKA_NODE_ID: '2',
        KAFKA_CONTROLLER_QUORUM_VOTERS: '1@kafka-1:9093,2@kafka-2:9093,3@kafka-3:9093',
        KAFKA_LISTENERS: 'INTERNAL://:19092,PLAINTEXT://:9092,CONTROLLER://:9093',
        KAFKA_ADVERTISED_LISTENERS: 'INTERNAL://kafka-2:19092,PLAINTEXT://127.0.0.22:9092',
        KAFKA_INTER_BROKER_LISTENER_NAME: 'INTERNAL',
        KAFKA_LISTENER_SECURITY_PROTOCOL_MAP: 'INTERNAL:PLAINTEXT,PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT',
        KAFKA_HEAP_OPTS: '-Xms256m -Xmx256m -XX:MaxDirectMemorySize=64m',
      },
      mem_limit: '576m',
    })
  })

  it('gives every container an address of its own, the same each time, in a network of the cluster', () => {
    const addresses = (name: string) => {
      const {services, networks} = render({kind: 'kafka-zk', name})
      const [subnet] = networks.coinpipe?.ipam.config ?? []
      return {subnet: subnet?.subnet, all: Object.values(services).map(({networks}) => networks.coinpipe?.ipv4_address)}
    }
    const one = addresses('one')
    expect(addresses('one')).toEqual(one)
    expect(new Set(one.all).size).toBe(6)
    expect(addresses('two').subnet).not.toBe(one.subnet)
    const net = one.subnet?.replace(/0\/24$/, '')
    expect(one.all.filter((address) => !address?.startsWith(net ?? ''))).toEqual([])
  })

  it('in ZooKeeper mode starts brokers once the ZooKeepers are healthy', () => {
    const {services, volumes} = render({kind: 'kafka-zk'})
    expect(services['kafka-1']).toMatchObject({
      image: 'confluentinc/cp-kafka:7.9.6',
      environment: {KAFKA_BROKER_ID: '1', KAFKA_ZOOKEEPER_CONNECT: 'zookeeper-1:2181,zookeeper-2:2181,zookeeper-3:2181'},
      depends_on: {'zookeeper-3': {condition: 'service_healthy'}},
    })
    expect(services['kafka-1']?.environment.CLUSTER_ID).toBeUndefined()
    expect(services['zookeeper-2']).toMatchObject({
      image: 'zookeeper:3.9',
      environment: {ZOO_MY_ID: '2', ZOO_SERVERS: expect.stringContaining('server.3=zookeeper-3:2888:3888;2181')},
    })
    expect(Object.keys(volumes).toSorted()).toEqual([
      ...['kafka-1', 'kafka-2', 'kafka-3'],
      ...[1, 2, 3].flatMap((number) => [`zookeeper-${number}`, `zookeeper-${number}-log`]),
    ])
  })

  it('starts Cassandra nodes one after the other, each with its own settings', () => {
    const {services, configs} = render({kind: 'cassandra'})
    expect(services['cassandra-2']).toMatchObject({
      image: 'cassandra:5.0.9',
      depends_on: {'cassandra-1': {condition: 'service_healthy'}},
      configs: [{source: 'cassandra-2-yaml', target: '/etc/coinpipe/cassandra.yaml'}],
      environment: {JVM_EXTRA_OPTS: expect.stringContaining('-Dcassandra.config=file:///etc/coinpipe/cassandra.yaml')},
    })
    expect(services['cassandra-1']?.depends_on).toBeUndefined()
    const {ipv4_address: address} = services['cassandra-2']?.networks.coinpipe ?? {}
    expect(parse(configs?.['cassandra-2-yaml']?.content ?? '')).toMatchObject({
      listen_address: address,
      broadcast_rpc_address: '127.0.0.12',
      commitlog_sync: 'batch',
      num_tokens: 16,
    })
  })

  it('takes users and keystore along; a dollar stays a dollar', () => {
    const {services, volumes} = render({kind: 'kafka', nodes: 1, security: SECURITY}, '/clusters/kafka/keystore.p12')
    const {environment, volumes: mounted, ports} = services['kafka-1'] ?? {}
    expect(environment?.KAFKA_LISTENER_NAME_SASL__PLAINTEXT_PLAIN_SASL_JAAS_CONFIG).toContain('user_me="pa$$$$word"')
    expect(environment?.KAFKA_SSL_KEYSTORE_LOCATION).toBe('/etc/kafka/secrets/keystore.p12')
    expect(mounted).toEqual(['kafka-1:/var/lib/kafka/data', '/clusters/kafka/keystore.p12:/etc/kafka/secrets/keystore.p12:ro'])
    expect(Object.keys(volumes)).toEqual(['kafka-1'])
    expect(ports).toHaveLength(3)
  })

  it('refuses what has no official image', () => {
    expect(() => render({kind: 'kafka', proxy: true})).toThrow('toxiproxy does not run in containers here')
    expect(() => render({kind: 'registry'})).toThrow(
      expect.objectContaining({code: 'COINPIPE_UNSUPPORTED', remedy: [expect.stringContaining('--driver jvm')]}),
    )
  })
})

describe('a setting as a variable of the images', () => {
  it.each([
    ['log.dirs', 'KAFKA_LOG_DIRS'],
    [
      'listener.name.sasl_plaintext.scram-sha-256.sasl.jaas.config',
      'KAFKA_LISTENER_NAME_SASL__PLAINTEXT_SCRAM___SHA___256_SASL_JAAS_CONFIG',
    ],
  ])('%s', (setting, variable) => {
    expect(kafkaVariable(setting)).toBe(variable)
  })
})
