import {readFile, writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {Admin} from '@platformatic/kafka'
import {describe, expect, it} from 'vitest'
import {viewOf} from '../../src/lib/cluster/kafka/probe.ts'
import {runningBrokers} from '../../src/lib/cluster/running.ts'
import {ClusterService} from '../../src/lib/cluster/service.ts'
import type {ClusterStatus} from '../../src/lib/cluster/status.ts'
import {testContext} from '../helpers/context.ts'
import {jarCache} from '../helpers/jar-cache.ts'
import {localClusters} from '../helpers/local-cluster.ts'
import {until} from '../helpers/until.ts'

/** Apart from the addresses of a user's own cluster, and of the Kafka suites. */
const HOSTS = ['127.0.0.61', '127.0.0.62', '127.0.0.63']
const THREE = {kind: 'kafka', hosts: HOSTS, cacheDir: jarCache()} as const
const ONE = {kind: 'kafka', nodes: 1, hosts: HOSTS.slice(0, 1), cacheDir: jarCache()} as const
const GIB = 2 ** 30
const WAIT_MS = 30_000

async function createTopic(brokers: readonly string[], name: string): Promise<void> {
  const admin = new Admin({clientId: 'test', bootstrapBrokers: [...brokers]})
  await admin.createTopics({topics: [name], partitions: 3, replicas: brokers.length})
  await admin.close()
}

function states({nodes}: ClusterStatus): string[] {
  return nodes.map(({id, state}) => `${id} ${state}`)
}

describe('a Kafka cluster of three brokers', () => {
  it('comes up whole within 1 GiB, survives the death of a broker, and is gone after down --wipe', async () => {
    const {service, dataDir, context} = await localClusters()
    const {status, started} = await service.up(THREE)
    expect(started).toEqual(['kafka-1', 'kafka-2', 'kafka-3'])
    expect(status).toMatchObject({state: 'whole', brokers: HOSTS.map((host) => `${host}:9092`)})
    expect(status.nodes.reduce((sum, {rssBytes}) => sum + (rssBytes ?? 0), 0)).toBeLessThan(GIB)
    expect(status.nodes.filter(({active}) => active)).toHaveLength(1)
    expect(await runningBrokers(dataDir, context)).toEqual([{name: 'kafka', brokers: status.brokers}])

    expect((await service.up(THREE)).started).toEqual([])
    await expect(service.up({...THREE, nodes: 1, hosts: undefined})).rejects.toMatchObject({code: 'COINPIPE_CLUSTER_DIFFERS', exitCode: 2})

    await createTopic(status.brokers, 'replicated')
    const controller = status.nodes.find(({active}) => active)?.id ?? ''
    const killed = await service.kill(controller, 'KILL')
    expect(killed).toMatchObject({cluster: 'kafka', node: controller, pid: status.nodes.find(({id}) => id === controller)?.pid})
    const [broken] = await service.status('kafka')
    expect(broken).toMatchObject({state: 'broken'})
    expect(broken?.problems).toContain(`${controller} is down`)
    await until('another one is the controller', async () => (await service.status('kafka'))[0]?.nodes.some(({active}) => active), WAIT_MS)

    const back = await service.start(controller)
    expect(back).toMatchObject({started: [controller], status: {state: 'whole'}})
    const {partitions} = await viewOf({host: HOSTS[0] ?? '', port: 9092}, 2000)
    const own = partitions.filter(({topic}) => topic === 'replicated')
    expect(own.map(({inSync}) => inSync.toSorted())).toEqual([
      [1, 2, 3],
      [1, 2, 3],
      [1, 2, 3],
    ])

    expect(await service.down({wipe: true})).toMatchObject({wiped: true, stopped: [{signal: 'TERM'}, {signal: 'TERM'}, {signal: 'TERM'}]})
    expect(await service.status()).toEqual([])
    expect(await runningBrokers(dataDir, context)).toEqual([])
  })

  it('is taken down though its quorum is gone', async () => {
    const {service} = await localClusters()
    await service.up(THREE)
    await service.kill('kafka-1', 'KILL')
    await service.kill('kafka-3', 'KILL')
    await until(
      'the last one notices',
      async () => (await service.status())[0]?.problems.includes('there is no active controller'),
      WAIT_MS,
    )
    expect((await service.down({timeoutMs: 1000})).stopped).toEqual([{id: 'kafka-2', signal: 'KILL'}])
    expect(await service.status()).toMatchObject([{state: 'stopped', problems: []}])
  })

  it('is started once by two that start it at the same time', async () => {
    const {service} = await localClusters()
    const both = await Promise.all([service.up(THREE), service.up(THREE)])
    expect(both.flatMap(({started}) => started).sort()).toEqual(['kafka-1', 'kafka-2', 'kafka-3'])
    expect(both.map(({status}) => status.state)).toEqual(['whole', 'whole'])
  })

  it('leaves nothing running where it is stopped while it starts', async () => {
    const {service, context, dataDir} = await localClusters()
    const starting = service.up(THREE)
    await until('a broker runs', async () => (await runningBrokers(dataDir, context)).length > 0, WAIT_MS)
    context.abort()
    await expect(starting).rejects.toMatchObject({code: 'COINPIPE_ABORTED', exitCode: 130})
    expect(states((await service.status())[0] as ClusterStatus)).toEqual(['kafka-1 down', 'kafka-2 down', 'kafka-3 down'])
  })
})

describe('a Kafka cluster of one broker', () => {
  it('keeps its data through down and up, and through a pause', async () => {
    const {service} = await localClusters()
    const {status} = await service.up(ONE)
    await createTopic(status.brokers, 'kept')
    await service.kill('kafka-1', 'STOP')
    expect(await service.status()).toMatchObject([{state: 'broken', nodes: [{state: 'paused'}]}])
    await expect(service.kill('kafka-1', 'TERM')).rejects.toMatchObject({code: 'COINPIPE_CLUSTER_NODE_SIGNAL'})
    await expect(service.start('kafka-1')).rejects.toMatchObject({code: 'COINPIPE_CLUSTER_NODE_SIGNAL'})
    await service.kill('kafka-1', 'CONT')
    await service.down()
    await service.up(ONE)
    const {partitions} = await viewOf({host: HOSTS[0] ?? '', port: 9092}, 2000)
    expect(partitions.filter(({topic}) => topic === 'kept')).toHaveLength(3)
  })

  it('is stopped by the up that waits for it, and can be started by another command', async () => {
    const {service, context, dataDir} = await localClusters()
    const other = new ClusterService({dataDir}, testContext())
    const starting = service.up(ONE)
    await until('it serves', async () => (await other.status())[0]?.nodes[0]?.pid, WAIT_MS)
    context.abort()
    await expect(starting).rejects.toMatchObject({code: 'COINPIPE_ABORTED'})
    expect((await other.status())[0]?.state).toBe('stopped')
    expect((await other.start('kafka-1')).status.state).toBe('whole')
  })

  it('is refused while another process has its port, which is named', async () => {
    const {service} = await localClusters()
    await service.up(ONE)
    await expect(service.up({...ONE, name: 'other'})).rejects.toMatchObject({
      code: 'COINPIPE_CLUSTER_PORT_TAKEN',
      exitCode: 4,
      message: expect.stringContaining('127.0.0.61:9092 (kafka-1) by process'),
      remedy: expect.arrayContaining(['take down the cluster that has them: coinpipe cluster down --cluster kafka']),
    })
    expect((await service.status()).map(({name}) => name)).toEqual(['kafka'])
  })

  it('shows the end of the log of a broker that dies while it starts', async () => {
    const {service} = await localClusters()
    const {status} = await service.up(ONE)
    await service.down()
    const meta = join(status.folder, 'kafka-1', 'data', 'meta.properties')
    await writeFile(meta, (await readFile(meta, 'utf8')).replace('node.id=1', 'node.id=9'))
    const failed = {
      code: 'COINPIPE_CLUSTER_NODE_FAILED',
      exitCode: 4,
      message: expect.stringMatching(/kafka-1 ended while it started(.|\n)*Stored node id 9/),
    }
    await expect(service.up(ONE)).rejects.toMatchObject(failed)
    await expect(service.start('kafka-1')).rejects.toMatchObject(failed)
  })

  it('says what is missing where it is not whole in time', async () => {
    const {service} = await localClusters()
    await expect(service.up({...ONE, timeoutMs: 1})).rejects.toMatchObject({
      code: 'COINPIPE_CLUSTER_NOT_READY',
      message: expect.stringContaining('is not whole after 1 ms: kafka-1 does not answer'),
      remedy: expect.arrayContaining([expect.stringContaining('cluster status')]),
    })
  })

  it('names clusters and nodes that there are', async () => {
    const {service} = await localClusters()
    await expect(service.start('kafka-1')).rejects.toMatchObject({
      code: 'COINPIPE_CLUSTER_UNKNOWN',
      remedy: ['make one: coinpipe cluster up kafka'],
    })
    await service.up(ONE)
    await expect(service.kill('kafka-7', 'KILL')).rejects.toMatchObject({remedy: ['its nodes: kafka-1']})
    await expect(service.status('other')).rejects.toMatchObject({remedy: ['choose one of these: --cluster kafka']})
  })
})
