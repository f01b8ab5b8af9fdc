import {describe, expect, it} from 'vitest'
import {parse} from 'yaml'
import {renderServerCompose, type ServerCompose} from '../../../../src/lib/cluster/compose/servers.ts'
import type {ComposeFile} from '../../../../src/lib/cluster/compose/service.ts'
import {clusterId} from '../../../../src/lib/cluster/node/spec.ts'

function render(server: Partial<ServerCompose> = {}): ComposeFile {
  const hosts = ['mac1', 'mac2', 'mac3']
  const addresses = ['192.168.0.11', '192.168.0.12', '192.168.0.13']
  return parse(renderServerCompose({id: 2, hosts, addresses, mode: 'kraft', clusterId: 'three', totalMb: 8192, ...server}))
}

describe('the compose file of a server', () => {
  it('has a broker with its controller and a Cassandra node, at fixed addresses, and knows the servers by name', () => {
    const {services} = render()
    expect(Object.keys(services)).toEqual(['kafka', 'cassandra'])
    expect(services.kafka).toMatchObject({
      ports: ['9092:9092', '9093:9093', '9094:9094'],
      networks: {coinpipe: {ipv4_address: '172.28.5.11'}},
      extra_hosts: ['mac1=192.168.0.11', 'mac2=192.168.0.12', 'mac3=192.168.0.13'],
      restart: 'unless-stopped',
      environment: {
        CLUSTER_ID: clusterId('three'),
        KAFKA_NODE_ID: '2',
        KAFKA_LISTENERS: 'INTERNAL://0.0.0.0:9094,EXTERNAL://0.0.0.0:9092,CONTROLLER://0.0.0.0:9093',
        KAFKA_ADVERTISED_LISTENERS: 'INTERNAL://mac2:9094,EXTERNAL://mac2:9092',
        KAFKA_LOG_RETENTION_MS: '86400000',
        KAFKA_DEFAULT_REPLICATION_FACTOR: '2',
      },
    })
  })

  it('with ZooKeeper has one beside the broker, which does not wait for a majority of them', () => {
    const {services} = render({mode: 'zookeeper'})
    expect(Object.keys(services)).toEqual(['zookeeper', 'kafka', 'cassandra'])
    expect(services.kafka).toMatchObject({
      ports: ['9092:9092', '9094:9094'],
      depends_on: {zookeeper: {condition: 'service_started'}},
      environment: {KAFKA_ZOOKEEPER_CONNECT: 'mac1:2181,mac2:2181,mac3:2181'},
    })
    expect(services.zookeeper?.environment).toMatchObject({
      ZOO_MY_ID: '2',
      ZOO_CFG_EXTRA: 'quorumListenOnAllIPs=true',
      ZK_SERVER_HEAP: '256',
    })
    expect(Object.keys(render({mode: 'zookeeper', id: 4, hosts: ['a', 'b', 'c', 'd']}).services)).toEqual(['kafka', 'cassandra'])
  })

  it('has Cassandra listen inside and be known outside', () => {
    expect(parse(render().configs?.['cassandra-yaml']?.content ?? '')).toMatchObject({
      listen_address: '172.28.5.13',
      broadcast_address: 'mac2',
      broadcast_rpc_address: 'mac2',
      seed_provider: [{parameters: [{seeds: 'mac1,mac2'}]}],
      commitlog_sync: 'group',
    })
  })

  it.each(['kraft', 'zookeeper'] as const)('leaves a quarter of the memory to the system (%s)', (mode) => {
    const limits = Object.values(render({mode}).services).map(({mem_limit: limit}) => Number.parseInt(limit, 10))
    const sum = limits.reduce((sum, limit) => sum + limit, 0)
    expect(sum).toBeLessThanOrEqual(6144)
    expect(sum).toBeGreaterThan(6000)
  })
})
