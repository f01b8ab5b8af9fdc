import {Admin} from '@platformatic/kafka'
import {expect, it} from 'vitest'
import {jarCache} from '../helpers/jar-cache.ts'
import {localClusters} from '../helpers/local-cluster.ts'

const HOSTS = ['127.0.0.61', '127.0.0.62', '127.0.0.63']
const LATENCY_MS = 300

/** How long it takes to ask what topics there are, with connections that stand already. */
async function askMs(admin: Admin): Promise<number> {
  const startedMs = performance.now()
  await admin.metadata({topics: [], forceUpdate: true})
  return performance.now() - startedMs
}

it('clients that begin behind Toxiproxy stay there, and feel what it does to a link', async () => {
  const {service} = await localClusters()
  const {status} = await service.up({kind: 'kafka', nodes: 2, hosts: HOSTS.slice(0, 2), proxy: true, cacheDir: jarCache()})
  expect(status).toMatchObject({state: 'whole', brokers: ['127.0.0.61:9097', '127.0.0.62:9097'], toxiproxy: '127.0.0.61:8474'})

  const admin = new Admin({clientId: 'test', bootstrapBrokers: status.brokers.slice(0, 1)})
  const {brokers} = await admin.metadata({topics: []})
  expect([...brokers.values()].map(({host, port}) => `${host}:${port}`).sort()).toEqual(status.brokers)

  for (const name of ['kafka-1', 'kafka-2']) {
    const toxic = {type: 'latency', attributes: {latency: LATENCY_MS}}
    const answer = await fetch(`http://${status.toxiproxy}/proxies/${name}/toxics`, {method: 'POST', body: JSON.stringify(toxic)})
    expect(answer.status).toBe(200)
  }
  expect(await askMs(admin)).toBeGreaterThan(LATENCY_MS * 0.9)
  await admin.close()
  expect((await service.down()).stopped.map(({id}) => id)).toEqual(['kafka-1', 'kafka-2', 'toxiproxy'])
})
