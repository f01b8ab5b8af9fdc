import {readdirSync, readFileSync} from 'node:fs'
import {join} from 'node:path'
import {describe, expect, it} from 'vitest'
import {renderServerCompose} from '../../../../src/lib/cluster/compose/servers.ts'
import {KAFKA_MODES, NODE_KINDS} from '../../../../src/lib/cluster/node/spec.ts'

const EXAMPLE = join(import.meta.dirname, '../../../../examples/three-servers')
const HOSTS = ['mac1', 'mac2', 'mac3']
const MODES = KAFKA_MODES.flatMap((mode) => HOSTS.map((host, index) => ({mode, host, id: index + 1})))

function lines(file: string): string[] {
  return readFileSync(join(EXAMPLE, file), 'utf8').trimEnd().split('\n')
}

/** A line of node.env. */
function setting(name: string): string {
  const line = lines('node.env').find((line) => line.startsWith(`${name}=`))
  return line?.slice(name.length + 1) ?? ''
}

describe('examples/three-servers', () => {
  it.each(MODES)('has the compose file of $host in mode $mode as it is rendered', async ({mode, host, id}) => {
    // As compose writes variables that are to be filled in.
    const addresses = HOSTS.map((name) => `$\{${name.toUpperCase()}}`)
    const clusterId = setting('COINPIPE_CLUSTER_ID')
    const text = renderServerCompose({id, hosts: HOSTS, addresses, mode, clusterId, totalMb: 8192})
    const head = `# Of ${host}. Made by coinpipe's renderer; a test compares it.\n`
    // Written anew with: npx vitest run --project unit test/unit/cluster/compose -u
    await expect(`${head}${text}`).toMatchFileSnapshot(join(EXAMPLE, 'compose', `${host}-${mode}.yaml`))
  })

  it('has no other compose files', () => {
    expect(readdirSync(join(EXAMPLE, 'compose')).toSorted()).toEqual(MODES.map(({mode, host}) => `${host}-${mode}.yaml`).toSorted())
  })

  it('names the same servers to native nodes', () => {
    expect(setting('COINPIPE_HOSTS')).toBe(HOSTS.join(','))
    expect(setting('COINPIPE_MODE')).toBe('kraft')
  })

  it('gives the same addresses to the machines and to containers', () => {
    const names = lines('hosts').map((line) => line.split(' '))
    expect(names.map(([, name]) => name)).toEqual(HOSTS)
    expect(lines('addresses.env')).toEqual(names.map(([address, name]) => `${name?.toUpperCase()}=${address}`))
  })

  it.each(NODE_KINDS)('starts %s by launchd, and leaves coinpipe time to stop it', (kind) => {
    const plist = readFileSync(join(EXAMPLE, `launchd/coinpipe.${kind}.plist`), 'utf8')
    expect(plist).toContain(`<string>coinpipe.${kind}</string>`)
    expect(plist).toContain(`exec /usr/local/bin/coinpipe cluster node ${kind}</string>`)
    expect(Number(/ExitTimeOut<\/key>\s*<integer>(\d+)/.exec(plist)?.[1])).toBeGreaterThan(30)
  })
})
