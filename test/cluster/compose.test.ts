import {describe, expect, it} from 'vitest'
import {renderCompose} from '../../src/lib/cluster/compose/render.ts'
import {renderServerCompose} from '../../src/lib/cluster/compose/servers.ts'
import {makePlan} from '../../src/lib/cluster/make-plan.ts'
import type {ClusterKind} from '../../src/lib/cluster/plan.ts'
import {composeCheck, configOf} from '../helpers/compose-check.ts'
import {tempDir} from '../helpers/temp-dir.ts'

const check = await composeCheck()
/** As compose writes one that is to be filled in. */
const variable = (name: string) => `$\{${name}}`
const HOSTS = ['mac1', 'mac2', 'mac3']

describe.skipIf(check === null)(`compose files, read by ${check?.name ?? 'compose: needs docker compose or go'}`, () => {
  const config = async (text: string, env?: NodeJS.ProcessEnv) => {
    if (check === null) throw new Error('skipped without it')
    return await configOf(check, await tempDir(), text, env)
  }

  it.each<ClusterKind>(['kafka', 'kafka-zk', 'cassandra'])('of a local %s cluster are accepted as a whole', async (kind) => {
    const plan = makePlan({kind})
    expect(await config(renderCompose(plan))).toMatchObject({
      name: `coinpipe-${kind}`,
      services: Object.fromEntries(
        plan.nodes.map(({id}) => [id, {networks: {coinpipe: {ipv4_address: expect.stringMatching(/^172\.30\./)}}}]),
      ),
    })
  })

  it('keep a password as it is', async () => {
    const password = `${variable('HOME')} $1 "x"`
    const plan = makePlan({kind: 'kafka', nodes: 1, security: {user: 'me', password, tls: false}})
    // docker compose doubles dollars in its answer again, so that it is a compose file too.
    const settings = JSON.stringify(await config(renderCompose(plan))).replaceAll('$$', '$')
    expect(settings).toContain(JSON.stringify(`user_me=${JSON.stringify(password)};`).slice(1, -1))
  })

  it.each(['kraft', 'zookeeper'] as const)('of a server are accepted, with the addresses of the environment (%s)', async (mode) => {
    const text = renderServerCompose({
      id: 1,
      hosts: HOSTS,
      addresses: ['MAC1', 'MAC2', 'MAC3'].map(variable),
      mode,
      clusterId: 'three',
      totalMb: 8192,
    })
    const env = {MAC1: '10.0.0.1', MAC2: '10.0.0.2', MAC3: '10.0.0.3'}
    expect(await config(text, env)).toMatchObject({
      services: {
        kafka: {extra_hosts: ['mac1=10.0.0.1', 'mac2=10.0.0.2', 'mac3=10.0.0.3'], mem_limit: expect.stringMatching(/^\d+$/)},
        cassandra: {configs: [{source: 'cassandra-yaml', target: '/etc/coinpipe/cassandra.yaml'}]},
      },
    })
  })

  it('that are wrong are refused', async () => {
    const text = renderCompose(makePlan({kind: 'kafka-zk'}))
    await expect(config(text.replace('condition: service_healthy', 'condition: service_fine'))).rejects.toThrow(/condition/)
    await expect(config(text.replace(/^ {2}zookeeper-1:$/m, '  zookeeper-9:'))).rejects.toThrow(/zookeeper-1/)
  })
})
