import {mkdtemp, rm} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {EmbeddedBus} from '../../src/lib/bus/embedded/embedded-bus.ts'
import {MemoryBus} from '../../src/lib/bus/memory/memory-bus.ts'
import {MemoryLog} from '../../src/lib/bus/memory/memory-log.ts'
import {testContext} from '../helpers/context.ts'
import type {BusContractOptions} from './bus-world.ts'

export const memoryBus: BusContractOptions = {
  name: 'memory',
  open: async () => {
    const log = new MemoryLog()
    return {
      handle: () => {
        const bus = new MemoryBus({log}, testContext())
        return {bus, admin: bus}
      },
      destroy: async () => undefined,
    }
  },
}

export const embeddedBus: BusContractOptions = {
  name: 'embedded',
  open: async () => {
    const folder = await mkdtemp(join(tmpdir(), 'coinpipe-bus-'))
    return {
      handle: () => {
        const bus = new EmbeddedBus({path: join(folder, 'log', 'coinpipe-log.sqlite')}, testContext())
        return {bus, admin: bus}
      },
      destroy: () => rm(folder, {recursive: true, force: true}),
    }
  },
}
