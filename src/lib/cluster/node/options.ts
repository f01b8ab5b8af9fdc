import {totalmem} from 'node:os'
import {parseBytes} from '../../core/duration.ts'
import {NodeOptionsError} from './errors.ts'
import {NODE_KINDS, type NodeKind} from './spec.ts'

const MIB = 2 ** 20

/** Whole MiB of a size such as `8GiB`. Throws InvalidInputError. */
export function parseMb(size: string): number {
  return Math.floor(parseBytes(size) / MIB)
}

/** Memory of this machine, or of the container that this process runs in. */
export function machineMb(): number {
  const constrained = process.constrainedMemory()
  return Math.floor(Math.min(totalmem(), constrained > 0 ? constrained : Infinity) / MIB)
}

/** What runs beside a node, as `--beside` lists it. Throws NodeOptionsError. */
export function parseBeside(list: string): NodeKind[] {
  if (list === 'none') return []
  return list.split(',').map((name) => {
    const kind = NODE_KINDS.find((kind) => kind === name)
    if (kind !== undefined) return kind
    throw new NodeOptionsError(`'${name}' is not what may run beside a node`, {remedy: [`use some of ${NODE_KINDS.join(', ')}, or none`]})
  })
}
