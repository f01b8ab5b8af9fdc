import {once} from 'node:events'
import {type AddressInfo, createServer} from 'node:net'
import {describe, expect, it, onTestFinished} from 'vitest'
import {addressRemedy, checkAddresses} from '../../../src/lib/cluster/addresses.ts'
import {makePlan} from '../../../src/lib/cluster/make-plan.ts'
import type {PlannedNode} from '../../../src/lib/cluster/plan.ts'
import {listenerOf} from '../../../src/lib/cluster/port-owner.ts'

async function takenPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  onTestFinished(() => void server.close())
  await once(server, 'listening')
  return (server.address() as AddressInfo).port
}

describe('checkAddresses', () => {
  it('lets free ports pass', async () => {
    const {nodes} = makePlan({kind: 'registry', hosts: ['127.0.0.1'], port: await freePort()})
    await checkAddresses(nodes)
  })

  it('names a taken port, its node, and the process to stop', async () => {
    const port = await takenPort()
    const {nodes} = makePlan({kind: 'registry', hosts: ['127.0.0.1'], port})
    await expect(checkAddresses(nodes)).rejects.toMatchObject({
      code: 'COINPIPE_CLUSTER_PORT_TAKEN',
      exitCode: 4,
      message: expect.stringContaining(`127.0.0.1:${port} (registry-1)`),
      remedy: expect.arrayContaining([expect.stringMatching(new RegExp(`kill ${process.pid}|lsof .*:${port} `))]),
    })
  })

  it('leaves the port of a proxy to Toxiproxy: it is in use while that runs', async () => {
    const port = await takenPort()
    const [broker] = makePlan({kind: 'registry', hosts: ['127.0.0.1'], port: await freePort()}).nodes
    const behind = {...broker, ports: {...broker?.ports, proxied: port}} as PlannedNode
    const listen = {host: '127.0.0.1', port}
    const proxies = [{name: 'kafka-1', listen, upstream: {host: '127.0.0.1', port: 1}}]
    await checkAddresses([behind], proxies)
    await expect(checkAddresses([{...behind, program: 'toxiproxy'}], proxies)).rejects.toMatchObject({
      message: expect.stringContaining(`127.0.0.1:${port} (toxiproxy for kafka-1)`),
    })
  })

  it('names an address that this machine does not have', async () => {
    const {nodes} = makePlan({kind: 'registry', hosts: ['192.0.2.1'], port: 8081})
    await expect(checkAddresses(nodes)).rejects.toMatchObject({
      code: 'COINPIPE_CLUSTER_ADDRESS_MISSING',
      message: 'this machine does not have the address 192.0.2.1',
    })
  })

  it('has the lines for macOS, which knows 127.0.0.1 only', () => {
    expect(addressRemedy(['127.0.0.21', '127.0.0.22'], 'darwin')).toEqual([
      expect.stringContaining('add them'),
      'sudo ifconfig lo0 alias 127.0.0.21 up',
      'sudo ifconfig lo0 alias 127.0.0.22 up',
    ])
    expect(addressRemedy(['10.0.0.1'], 'linux')).toEqual(['give addresses that it has, with --hosts'])
  })
})

describe('listenerOf', () => {
  const OUTPUT = 'p10\nn127.0.0.2:9092\np11\nf5\nn127.0.0.1:9092\np12\nn*:9093\n'

  it('tells addresses apart, and knows listeners on all of them', () => {
    expect(listenerOf(OUTPUT, '127.0.0.1', 9092)).toBe(11)
    expect(listenerOf(OUTPUT, '127.0.0.1', 9093)).toBe(12)
    expect(listenerOf(OUTPUT, '127.0.0.3', 9092)).toBeNull()
  })
})

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const {port} = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}
