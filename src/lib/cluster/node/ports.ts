import {tryPort} from '../addresses.ts'
import {AddressMissingError, PortTakenError} from '../errors.ts'
import {portOwner} from '../port-owner.ts'
import {isController} from './kafka.ts'
import {type NodeSpec, PORTS} from './spec.ts'

/** Every port that a node listens on. */
export function portsOf(spec: NodeSpec): number[] {
  const {internal, controller} = PORTS.kafka
  if (spec.kind === 'kafka') return [spec.external.port, internal, ...(isController(spec) ? [controller] : [])]
  return Object.values(spec.kind === 'zookeeper' ? PORTS.zookeeper : {client: PORTS.cassandra.client, storage: PORTS.cassandra.storage})
}

/**
 * Sees to it that a node can listen where it is to: a broker that cannot says so in a line among hundreds, and a minute later. Throws PortTakenError or
 * AddressMissingError.
 */
export async function checkPorts(spec: NodeSpec): Promise<void> {
  const {name, listen} = spec
  for (const port of portsOf(spec)) {
    const code = await tryPort(listen, port)
    if (code === 'EADDRINUSE') throw await taken(name, listen, port)
    if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND' || code === 'EAI_AGAIN') throw missing(spec)
  }
}

async function taken(name: string, listen: string, port: number): Promise<PortTakenError> {
  const owner = await portOwner(listen, port)
  return new PortTakenError(
    `${name} needs ${listen}:${port}, which ${owner === null ? 'another process' : `process ${owner.pid}, ${owner.command},`} has`,
    {
      remedy: [owner === null ? `see who has it: lsof -nP -iTCP:${port} -sTCP:LISTEN` : `stop it: kill ${owner.pid}`],
    },
  )
}

function missing({listen, hosts}: NodeSpec): AddressMissingError {
  return new AddressMissingError(`'${listen}' is not a name or address of this machine`, {
    remedy: [
      "check --id: it is this machine's place in --hosts",
      `let every server know the names ${hosts.join(', ')}, for example in /etc/hosts; or give addresses with --hosts`,
      'or name an address of this machine with --listen',
    ],
  })
}
