import {once} from 'node:events'
import {createServer} from 'node:net'
import {AddressMissingError, PortTakenError} from './errors.ts'
import type {PlannedNode, PlannedProxy} from './plan.ts'
import {type PortOwner, portOwner} from './port-owner.ts'

const SHOWN_COMMAND = 100

interface Place {
  /** The node's id. */
  readonly id: string
  readonly host: string
  readonly port: number
}

/**
 * Sees to it that nodes which do not run yet can listen where they are to. Throws AddressMissingError (a loopback address that macOS does not have yet,
 * say), or PortTakenError, which says who has the port. `proxies` are those that Toxiproxy is to listen for, where it is among the nodes.
 */
export async function checkAddresses(nodes: readonly PlannedNode[], proxies: readonly PlannedProxy[] = []): Promise<void> {
  const missing: string[] = []
  const taken: Place[] = []
  for (const {id, host, port} of placesOf(nodes, proxies)) {
    const code = await tryPort(host, port)
    if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND') missing.push(host)
    if (code === 'EADDRINUSE') taken.push({id, host, port})
    if (code === 'EACCES')
      throw new PortTakenError(`${id} may not listen on ${host}:${port}`, {remedy: ['choose a port above 1023 with --port']})
  }
  if (missing.length > 0) throw missingAddresses([...new Set(missing)])
  if (taken.length > 0) throw await takenPorts(taken)
}

/** A broker's port named `proxied` is Toxiproxy's to listen on. */
function placesOf(nodes: readonly PlannedNode[], proxies: readonly PlannedProxy[]): Place[] {
  const own = nodes.flatMap(({id, host, ports: {proxied: _, ...ports}}) => Object.values(ports).map((port) => ({id, host, port})))
  return nodes.some(({program}) => program === 'toxiproxy')
    ? [...own, ...proxies.map(({name, listen}) => ({id: `toxiproxy for ${name}`, ...listen}))]
    : own
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

async function takenPorts(taken: readonly Place[]): Promise<PortTakenError> {
  const seen = await Promise.all(taken.map(async (place) => ({...place, owner: await portOwner(place.host, place.port)})))
  const what = seen.map(({id, host, port, owner}) => {
    const by = owner ? ` by process ${owner.pid}, ${owner.command.slice(0, SHOWN_COMMAND)}` : ''
    return `${host}:${port} (${id})${by}`
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
