import {expect, it} from 'vitest'
import {jarCache} from '../helpers/jar-cache.ts'
import {localClusters} from '../helpers/local-cluster.ts'

const HOST = '127.0.0.61'
const UP = {nodes: 1, hosts: [HOST], cacheDir: jarCache(), timeoutMs: 120_000} as const

it('a registry keeps its subjects when it is killed', async () => {
  const {service} = await localClusters()
  const {status} = await service.up({...UP, kind: 'registry'})
  expect(status).toMatchObject({state: 'whole', brokers: [], nodes: [{id: 'registry-1', state: 'up', address: `${HOST}:8081`}]})
  const subjects = `http://${HOST}:8081/apis/ccompat/v7/subjects`
  const headers = {'content-type': 'application/json'}
  const added = await fetch(`${subjects}/trade/versions`, {method: 'POST', headers, body: JSON.stringify({schema: '"string"'})})
  expect(added.status).toBe(200)
  await service.kill('registry-1', 'KILL')
  await service.start('registry-1')
  expect(await (await fetch(subjects)).json()).toEqual(['trade'])
})
