import {describe, expect, it} from 'vitest'
import {brokerSettings, formatProperties} from '../../../../src/lib/cluster/kafka/broker-settings.ts'
import {zookeeperSettings} from '../../../../src/lib/cluster/kafka/zookeeper-settings.ts'
import {makePlan, type PlanOptions} from '../../../../src/lib/cluster/make-plan.ts'
import {nodesOf, type PlannedNode} from '../../../../src/lib/cluster/plan.ts'

const PATHS = {data: '/x/data', keystore: '/x/tls/brokers.p12'}

function settingsOf(options: PlanOptions, number = 1) {
  const plan = makePlan(options)
  return brokerSettings(plan, nodesOf(plan, 'kafka')[number - 1] as PlannedNode, PATHS)
}

describe('settings of a broker', () => {
  it('are a quorum of three on their own addresses', () => {
    expect(settingsOf({kind: 'kafka'}, 2)).toMatchObject({
      'process.roles': 'broker,controller',
      'node.id': 2,
      'controller.quorum.voters': '1@127.0.0.21:9093,2@127.0.0.22:9093,3@127.0.0.23:9093',
      listeners: 'PLAINTEXT://127.0.0.22:9092,CONTROLLER://127.0.0.22:9093',
      'advertised.listeners': 'PLAINTEXT://127.0.0.22:9092',
      'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT',
      'default.replication.factor': 2,
      'offsets.topic.replication.factor': 3,
      'transaction.state.log.min.isr': 2,
      'log.dirs': '/x/data',
    })
  })

  it('ask for no more replicas than there are brokers', () => {
    const factors = (nodes: number) => {
      const settings = settingsOf({kind: 'kafka', nodes})
      return ['default', 'offsets.topic', 'transaction.state.log'].map((prefix) => settings[`${prefix}.replication.factor`])
    }
    expect([factors(1), factors(2), factors(4)]).toEqual([
      [1, 1, 1],
      [2, 2, 2],
      [2, 3, 3],
    ])
    // Of two brokers either may die and transactions go on.
    expect(settingsOf({kind: 'kafka', nodes: 2})['transaction.state.log.min.isr']).toBe(1)
  })

  it('know the controllers where the broker has none of its own', () => {
    expect(settingsOf({kind: 'kafka', nodes: 4}, 4)).toMatchObject({
      'process.roles': 'broker',
      listeners: 'PLAINTEXT://127.0.0.24:9092',
      'controller.listener.names': 'CONTROLLER',
      'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT',
    })
  })

  it('name the ZooKeepers and nothing of KRaft in ZooKeeper mode', () => {
    const settings = settingsOf({kind: 'kafka-zk'}, 3)
    expect(settings).toMatchObject({
      'broker.id': 3,
      'zookeeper.connect': '127.0.0.31:2181,127.0.0.32:2181,127.0.0.33:2181',
      'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT',
    })
    expect(Object.keys(settings).filter((key) => /^(process|controller|node|share)\./.test(key))).toEqual([])
  })

  it('advertise the listener behind Toxiproxy at the address of Toxiproxy', () => {
    expect(settingsOf({kind: 'kafka', nodes: 1, proxy: true})).toMatchObject({
      listeners: 'PLAINTEXT://127.0.0.21:9092,CONTROLLER://127.0.0.21:9093,PROXIED://127.0.0.21:9096',
      'advertised.listeners': 'PLAINTEXT://127.0.0.21:9092,PROXIED://127.0.0.21:9097',
    })
  })

  it('have SASL and TLS listeners with one user', () => {
    const settings = settingsOf({kind: 'kafka', nodes: 1, security: {user: 'joe', password: 'a"b\\c', tls: true}})
    expect(settings).toMatchObject({
      'sasl.enabled.mechanisms': 'PLAIN,SCRAM-SHA-256,SCRAM-SHA-512',
      'listener.name.sasl_plaintext.plain.sasl.jaas.config':
        'org.apache.kafka.common.security.plain.PlainLoginModule required user_joe="a\\"b\\\\c";',
      'ssl.keystore.location': '/x/tls/brokers.p12',
    })
    expect(settings.listeners).toContain('SASL_PLAINTEXT://127.0.0.21:9094,SSL://127.0.0.21:9095')
  })
})

describe('zookeeperSettings', () => {
  it('are an ensemble of three', () => {
    const plan = makePlan({kind: 'kafka-zk'})
    expect(zookeeperSettings(plan, nodesOf(plan, 'zookeeper')[1] as PlannedNode, '/x/data')).toMatchObject({
      dataDir: '/x/data',
      clientPortAddress: '127.0.0.32',
      standaloneEnabled: false,
      'server.3': '127.0.0.33:2888:3888',
    })
  })

  it('are standalone for one', () => {
    const plan = makePlan({kind: 'kafka-zk', nodes: 1})
    const settings = zookeeperSettings(plan, nodesOf(plan, 'zookeeper')[0] as PlannedNode, '/x/data')
    expect(Object.keys(settings).filter((key) => key.startsWith('server.') || key === 'standaloneEnabled')).toEqual([])
  })
})

describe('formatProperties', () => {
  it('doubles backslashes, which properties files take for escapes', () => {
    expect(formatProperties({a: 1, b: 'x\\y'})).toBe('a=1\nb=x\\\\y\n')
  })
})
