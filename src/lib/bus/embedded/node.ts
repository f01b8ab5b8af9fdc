import {InvalidInputError, UnsupportedError} from '../../core/errors.ts'
import type {BusNode, NodeSetting} from '../../core/ports/bus.ts'
import {logBytes} from './schema.ts'

const ID = 'embedded'

/** What the log sets itself, and a file or connection could have otherwise. */
export const SHOWN_PRAGMAS = [
  'auto_vacuum',
  'busy_timeout',
  'journal_mode',
  'journal_size_limit',
  'page_size',
  'synchronous',
  'wal_autocheckpoint',
  ...(process.platform === 'darwin' ? ['checkpoint_fullfsync', 'fullfsync'] : []),
].sort()

/** SQLite answers these as numbers: https://sqlite.org/pragma.html */
const NAMED: Readonly<Record<string, readonly string[]>> = {
  auto_vacuum: ['none', 'full', 'incremental'],
  synchronous: ['off', 'normal', 'full', 'extra'],
}

/** The log as a cluster of one node. */
export function embeddedNode(path: string, partitions: number): BusNode {
  return {
    id: ID,
    address: path,
    alive: true,
    controller: true,
    rack: null,
    version: `SQLite ${process.versions.sqlite}`,
    diskBytes: logBytes(path),
    leaders: partitions,
    replicas: partitions,
    outOfSync: 0,
  }
}

/** Throws InvalidInputError for a node that there is not. */
export function checkNode(id: string): void {
  if (id === ID) return
  throw new InvalidInputError(`there is no node '${id}': the embedded log is the one node '${ID}'`, {
    remedy: [`name '${ID}', or use Kafka: --bus kafka`],
  })
}

/** All but `usual` are what they always are. */
export function nodeSetting(name: string, value: string, usual = value): NodeSetting {
  const named = (text: string) => NAMED[name]?.[Number(text)] ?? text
  return {name, value: named(value), isDefault: value === usual, defaultValue: named(usual), readOnly: true}
}

export function fixedSettings(): UnsupportedError {
  return new UnsupportedError('the settings of the embedded log are fixed: they are what its promises rest on', {
    remedy: ['for retention: coinpipe topics alter'],
  })
}
