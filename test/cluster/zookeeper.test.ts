import {expect, it} from 'vitest'
import {viewOf} from '../../src/lib/cluster/kafka/probe.ts'
import {jarCache} from '../helpers/jar-cache.ts'
import {localClusters} from '../helpers/local-cluster.ts'
import {until} from '../helpers/until.ts'

const HOSTS = [61, 62, 63, 64, 65, 66].map((last) => `127.0.0.${last}`)
const WAIT_MS = 30_000

it('three brokers with three ZooKeepers come up, outlive the leader of each, and go down brokers first', async () => {
  const {service} = await localClusters()
  const up = {kind: 'kafka-zk', hosts: HOSTS, cacheDir: jarCache()} as const
  const {status} = await service.up(up)
  expect(status).toMatchObject({state: 'whole', version: '3.9.2'})
  expect(status.nodes.map(({id, state}) => `${id} ${state}`)).toEqual([
    'zookeeper-1 up',
    'zookeeper-2 up',
    'zookeeper-3 up',
    'kafka-1 up',
    'kafka-2 up',
    'kafka-3 up',
  ])
  const [leader, controller] = status.nodes.filter(({active}) => active).map(({id}) => id)
  expect([leader, controller]).toEqual([expect.stringMatching(/^zookeeper-/), expect.stringMatching(/^kafka-/)])
  const {controllerId} = await viewOf({host: HOSTS[0] ?? '', port: 9092}, 2000)
  expect(controller).toBe(`kafka-${controllerId}`)

  await service.kill(leader ?? '', 'KILL')
  await service.kill(controller ?? '', 'KILL')
  await until(
    'others lead',
    async () => {
      const [seen] = await service.status()
      return (seen?.nodes.filter(({active}) => active) ?? []).map(({id}) => id.split('-')[0]).join() === 'zookeeper,kafka'
    },
    WAIT_MS,
  )
  const [broken] = await service.status()
  expect(broken).toMatchObject({state: 'broken', problems: [`${leader} is down`, `${controller} is down`]})

  const again = await service.up(up)
  expect(again.started.toSorted()).toEqual([leader, controller].toSorted())
  expect(again.status.state).toBe('whole')

  const {stopped} = await service.down({wipe: true})
  expect(stopped.map(({id}) => id.split('-')[0])).toEqual(['kafka', 'kafka', 'kafka', 'zookeeper', 'zookeeper', 'zookeeper'])
  expect(await service.status()).toEqual([])
})
