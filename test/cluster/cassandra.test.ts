import cassandra from 'cassandra-driver'
import {expect, it, onTestFinished} from 'vitest'
import {localCassandra} from '../../src/lib/cli/local-cassandra.ts'
import {runningCassandra} from '../../src/lib/cluster/running.ts'
import type {ClusterService} from '../../src/lib/cluster/service.ts'
import {jarCache} from '../helpers/jar-cache.ts'
import {localClusters} from '../helpers/local-cluster.ts'
import {until} from '../helpers/until.ts'

const {policies, types} = cassandra
const HOSTS = ['127.0.0.71', '127.0.0.72', '127.0.0.73']
const WAIT_MS = 60_000
const UP = {kind: 'cassandra', cacheDir: jarCache(), timeoutMs: 120_000, fastStart: true} as const
const LATENCY_MS = 400

/** A client that begins at these addresses; `only` lets it ask no others. */
async function client(contactPoints: readonly string[], only = false): Promise<cassandra.Client> {
  const {AllowListPolicy, RoundRobinPolicy} = policies.loadBalancing
  const client = new cassandra.Client({
    contactPoints: [...contactPoints],
    localDataCenter: 'datacenter1',
    socketOptions: {readTimeout: 10_000},
    ...(only && {policies: {loadBalancing: new AllowListPolicy(new RoundRobinPolicy(), [...contactPoints])}}),
  })
  onTestFinished(() => client.shutdown())
  await client.connect()
  return client
}

/** Writes and reads through each node, each time asking all replicas. */
async function useAll(contactPoints: readonly string[]): Promise<void> {
  const consistency = {consistency: types.consistencies.all, prepare: true}
  for (const [index, point] of contactPoints.entries()) {
    const one = await client([point], true)
    for (let key = 0; key < 20; key++) await one.execute('INSERT INTO t.rows (key, value) VALUES (?, ?)', [`${key}`, index], consistency)
  }
  for (const [index, point] of contactPoints.entries()) {
    const {rows} = await (await client([point], true)).execute('SELECT value FROM t.rows', [], consistency)
    expect(
      rows.map(({value}) => value),
      `rows by node ${index}`,
    ).toEqual(Array(20).fill(contactPoints.length - 1))
  }
}

async function makeTable(points: readonly string[], replicas: number): Promise<cassandra.Client> {
  const all = await client(points)
  await all.execute(`CREATE KEYSPACE t WITH replication = {'class': 'SimpleStrategy', 'replication_factor': ${replicas}}`)
  await all.execute('CREATE TABLE t.rows (key text PRIMARY KEY, value int)')
  return all
}

async function problemsOf(service: ClusterService): Promise<readonly string[]> {
  return (await service.status()).flatMap(({problems}) => problems)
}

/** Fractions of the ring that are each node's own. */
async function tokens(point: string): Promise<{all: bigint[]; perNode: number[]}> {
  const one = await client([point], true)
  const own = (await one.execute('SELECT tokens FROM system.local')).rows
  const peers = (await one.execute('SELECT tokens FROM system.peers_v2')).rows
  const lists: string[][] = [...own, ...peers].map((row) => row.tokens)
  return {all: lists.flat().map(BigInt), perNode: lists.map(({length}) => length)}
}

it('three nodes that start at once are whole together, and a killed one is whole again once the others see it', async () => {
  const {service, dataDir, context} = await localClusters()
  const {status} = await service.up({...UP, nodes: 3, hosts: HOSTS})
  const contactPoints = HOSTS.map((host) => `${host}:9042`)
  expect(status).toMatchObject({state: 'whole', problems: [], contactPoints, brokers: []})
  expect(await localCassandra([dataDir, dataDir], context)).toEqual({
    name: 'cassandra',
    hosts: HOSTS,
    port: 9042,
    localDatacenter: 'datacenter1',
  })

  const all = await makeTable(contactPoints, 2)
  expect(
    all.hosts
      .values()
      .map(({address}) => address)
      .sort(),
  ).toEqual(contactPoints)
  await useAll(contactPoints)
  for (const point of contactPoints) {
    const {all, perNode} = await tokens(point)
    expect([new Set(all).size, ...perNode]).toEqual([48, 16, 16, 16])
  }

  await service.kill('cassandra-2', 'STOP')
  expect(await problemsOf(service)).toContain('cassandra-2 is paused')
  await expect(service.up(UP)).rejects.toMatchObject({message: 'cassandra-2 is paused'})
  await service.kill('cassandra-2', 'CONT')
  await until('all see one another again', async () => (await problemsOf(service)).length === 0, WAIT_MS)

  await service.kill('cassandra-3', 'KILL')
  expect(await problemsOf(service)).toEqual(['cassandra-3 is down'])
  expect((await service.start('cassandra-3', {timeoutMs: 120_000})).status).toMatchObject({state: 'whole'})
  await useAll(contactPoints)
}, 300_000)

it('one node starts fast, keeps what was acknowledged when it is killed, and can be found', async () => {
  const {service, dataDir, context} = await localClusters()
  const [host = ''] = HOSTS
  const {status} = await service.up({...UP, nodes: 1, hosts: [host]})
  expect(status).toMatchObject({state: 'whole', nodes: [{id: 'cassandra-1', state: 'up', address: `${host}:9042`}]})
  const one = await makeTable([`${host}:9042`], 1)
  await one.execute("INSERT INTO t.rows (key, value) VALUES ('a', 1)")
  await service.kill('cassandra-1', 'KILL')
  expect(await runningCassandra(dataDir, context)).toEqual([])
  expect(await localCassandra([dataDir], context)).toBeUndefined()
  expect((await service.start('cassandra-1')).status).toMatchObject({state: 'whole'})
  const {rows} = await (await client([`${host}:9042`])).execute('SELECT value FROM t.rows')
  expect(rows.map(({value}) => value)).toEqual([1])

  const [, second = ''] = HOSTS
  await service.up({...UP, name: 'second', nodes: 1, hosts: [second]})
  await expect(localCassandra([dataDir], context)).rejects.toMatchObject({
    code: 'COINPIPE_INVALID_INPUT',
    remedy: [`for cassandra: --hosts ${host}`, `for second: --hosts ${second}`],
  })
})

it('clients that begin behind Toxiproxy stay there, and only those of a slow node are slow', async () => {
  const {service} = await localClusters()
  const {status} = await service.up({...UP, nodes: 2, hosts: HOSTS.slice(0, 2), proxy: true})
  const contactPoints = ['127.0.1.71:9042', '127.0.1.72:9042']
  expect(status).toMatchObject({state: 'whole', contactPoints, toxiproxy: '127.0.0.71:8474'})
  const all = await client(contactPoints.slice(0, 1))
  expect(
    all.hosts
      .values()
      .map(({address}) => address)
      .sort(),
  ).toEqual(contactPoints)

  const [slow, quick] = await Promise.all(contactPoints.map((point) => client([point], true)))
  const askMs = async (client: cassandra.Client | undefined): Promise<number> => {
    const startedMs = performance.now()
    await client?.execute('SELECT key FROM system.local')
    return performance.now() - startedMs
  }
  const toxic = {type: 'latency', attributes: {latency: LATENCY_MS}}
  const answer = await fetch(`http://${status.toxiproxy}/proxies/cassandra-1/toxics`, {method: 'POST', body: JSON.stringify(toxic)})
  expect(answer.status).toBe(200)
  expect(await askMs(slow)).toBeGreaterThan(LATENCY_MS * 0.9)
  expect(Math.min(await askMs(quick), await askMs(quick), await askMs(quick))).toBeLessThan(LATENCY_MS * 0.9)
  expect((await service.start('cassandra-1')).status).toMatchObject({state: 'whole'})
  await service.kill('cassandra-1', 'KILL')
  expect((await service.start('cassandra-1', {timeoutMs: 120_000})).status).toMatchObject({state: 'whole'})
}, 240_000)
