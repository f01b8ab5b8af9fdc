import {once} from 'node:events'
import {createServer} from 'node:net'
import {AddressMissingError, PortTakenError} from './errors.ts'
import type {PlannedNode} from './plan.ts'
import {type PortOwner, portOwner} from './port-owner.ts'

const SHOWN_COMMAND = 100

interface Taken {
  readonly node: PlannedNode
  readonly port: number
}

/**
 * Sees to it that nodes which do not run yet can listen where they are to. Throws AddressMissingError (a loopback address that macOS does not have yet,
 * say), or PortTakenError, which says who has the port.
 */
export async function checkAddresses(nodes: readonly PlannedNode[]): Promise<void> {
  const missing: string[] = []
  const taken: Taken[] = []
  for (const node of nodes) {
    for (const port of Object.values(node.ports)) {
      const code = await tryPort(node.host, port)
      if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND') missing.push(node.host)
      if (code === 'EADDRINUSE') taken.push({node, port})
      if (code === 'EACCES')
        throw new PortTakenError(`${node.id} may not listen on ${node.host}:${port}`, {remedy: ['choose a port above 1023 with --port']})
    }
  }
  if (missing.length > 0) throw missingAddresses([...new Set(missing)])
  if (taken.length > 0) throw await takenPorts(taken)
}

/** The error's code, or null where the port is free. */
export async function tryPort(host: string, port: number): Promise<string | null> {
  const server = createServer()
  try {
    server.listen({host, port, exclusive: true})
    await once(server, 'listening')
    return null
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? 'EUNKNOWN'
  } finally {
    server.close()
  }
}

function missingAddresses(hosts: readonly string[]): AddressMissingError {
  return new AddressMissingError(`this machine does not have the ${hosts.length === 1 ? 'address' : 'addresses'} ${hosts.join(', ')}`, {
    remedy: addressRemedy(hosts, process.platform),
  })
}

/** Linux has all of 127.0.0.0/8; macOS has 127.0.0.1 only, until it is told of others. */
export function addressRemedy(hosts: readonly string[], platform: NodeJS.Platform): string[] {
  if (platform !== 'darwin') return ['give addresses that it has, with --hosts']
  return ['add them, until the next restart of the machine:', ...hosts.map((host) => `sudo ifconfig lo0 alias ${host} up`)]
}

async function takenPorts(taken: readonly Taken[]): Promise<PortTakenError> {
  const seen = await Promise.all(taken.map(async ({node, port}) => ({node, port, owner: await portOwner(node.host, port)})))
  const what = seen.map(({node, port, owner}) => {
    const by = owner ? ` by process ${owner.pid}, ${owner.command.slice(0, SHOWN_COMMAND)}` : ''
    return `${node.host}:${port} (${node.id})${by}`
  })
  const owners = seen.flatMap(({owner}) => owner ?? [])
  return new PortTakenError(`ports are taken: ${what.join('; ')}`, {
    remedy: [
      ...(owners.length > 0 ? stopRemedy(owners) : [`see who has them: lsof -nP -iTCP:${taken[0]?.port} -sTCP:LISTEN`]),
      'or choose others with --port or --hosts',
    ],
  })
}

/** A node of another cluster is best stopped with its cluster. */
function stopRemedy(owners: readonly PortOwner[]): string[] {
  const named = owners.map(({pid, command}) => {
    const [, cluster] = /[/\\]clusters[/\\]([^/\\]+)[/\\][^/\\]+[/\\]java\.args/.exec(command) ?? []
    return cluster === undefined
      ? `stop what has them: kill ${pid}`
      : `take down the cluster that has them: coinpipe cluster down --cluster ${cluster}`
  })
  return [...new Set(named)]
}
