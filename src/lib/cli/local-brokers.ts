import type {Config} from '../config/load.ts'
import type {Context} from '../core/context.ts'
import {InvalidInputError} from '../core/errors.ts'

/**
 * The config with the brokers of the one local cluster that runs, where it asks for Kafka and names none. Throws InvalidInputError where several run;
 * with none it stays as it is, and whoever opens the bus says what to do.
 */
export async function withLocalBrokers(config: Config, defaultDataDir: string, context: Context): Promise<Config> {
  if (config.bus.kind !== 'kafka' || config.bus.brokers.length > 0) return config
  // Loaded only now: most commands have no use for clusters.
  const {runningBrokers} = await import('../cluster/running.ts')
  // A config may have a data folder of its own; `coinpipe cluster up` does not read it.
  const folders = [...new Set([config.dataDir, defaultDataDir])]
  const running = (await Promise.all(folders.map((folder) => runningBrokers(folder, context)))).flat()
  const [only, ...more] = running
  if (only === undefined) return config
  if (more.length > 0) {
    throw new InvalidInputError(`more than one local Kafka cluster is running: ${running.map(({name}) => name).join(', ')}`, {
      remedy: running.map(({name, brokers}) => `for ${name}: --brokers ${brokers.join(',')}`),
    })
  }
  return {...config, bus: {...config.bus, brokers: [...only.brokers]}}
}
