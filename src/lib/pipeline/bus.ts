import {EmbeddedBus} from '../bus/embedded/embedded-bus.ts'
import type {Config} from '../config/load.ts'
import type {Context} from '../core/context.ts'
import {UnsupportedError} from '../core/errors.ts'
import type {Bus, BusAdmin} from '../core/ports/bus.ts'
import {dataPaths} from './paths.ts'

/** The bus that the config asks for, not yet connected. */
export function createBus(config: Config, context: Context): Bus & BusAdmin {
  if (config.bus.kind === 'embedded') return new EmbeddedBus({path: dataPaths(config.dataDir).log, topics: config.topics}, context)
  throw new UnsupportedError(`bus '${config.bus.kind}' is not part of this version`, {remedy: ['use the embedded log: --bus embedded']})
}

/** Opens the bus for as long as `use` runs. */
export async function withBus<T>(config: Config, context: Context, use: (bus: Bus & BusAdmin) => Promise<T>): Promise<T> {
  const bus = createBus(config, context)
  try {
    await bus.connect()
    return await use(bus)
  } finally {
    await bus.close()
  }
}
